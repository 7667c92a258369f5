/**
 * PostgreSQL connections. A `Db` answers statements; a `Tx` does so inside one transaction.
 * int8 arrives as number (refused beyond 2^53), numeric as string, date as 'YYYY-MM-DD', xid8 as string.
 */
import pg from 'pg'
import type { Sql } from './sql.ts'

export type Db = {
  /** All rows. */
  rows<Row>(query: Sql): Promise<Row[]>
  /** Exactly one row, anything else is a bug. */
  row<Row>(query: Sql): Promise<Row>
  /** The row, or undefined where there is none. */
  maybe<Row>(query: Sql): Promise<Row | undefined>
  /** Runs it and tells how many rows it touched. */
  run(query: Sql): Promise<number>
}

/** A Db bound to one open transaction: what is written becomes visible, and durable, at its end. */
export type Tx = Db & { readonly transactional: true; readonly client: pg.PoolClient }

export type Database = Db & {
  /**
   * Runs `work` in one transaction; a throw rolls back. Retries serialisation failures and deadlocks (5 times). `opening`:
   * statements without values that travel with `begin`, each with a snapshot of its own, so that short transactions
   * wait less often for an answer.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, opening?: readonly Sql[]): Promise<T>
  /** A connection of one's own (LISTEN, COPY, cursors); give it back by `release()`. */
  connect(): Promise<pg.PoolClient>
  readonly url: string
  close(): Promise<void>
}

pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond 2^53: ${text}`)
  return value
})
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)
const usualInstant: (text: string) => Date | number | null = pg.types.getTypeParser(
  pg.types.builtins.TIMESTAMPTZ,
)
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, readInstant)

export type DatabaseOptions = { max?: number; applicationName?: string; onIdleError?: (error: Error) => void }

/** Opens a pool on `url`. Nothing is contacted before the first statement. */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 12,
    application_name: options.applicationName ?? 'liuliang',
    // Each connection is a process of several megabytes on the other side, and making one takes 10 ms.
    idleTimeoutMillis: 3_000,
    connectionTimeoutMillis: 10_000,
    options: '-c timezone=UTC -c jit=off',
  })
  // The pool repeats what its idle connections say; each connection tells for itself.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    // The pool listens to idle ones only: a connection that ends while it is lent would end the process.
    client.on('error', (error) => options.onIdleError?.(error))
  })
  return {
    ...answering(pool),
    url,
    connect: () => heard(pool.connect()),
    transaction: (work, opening) => retrying(() => transact(pool, work, opening)),
    close: () => pool.end(),
  }
}

/** Wraps a client taken by `connect()`. */
export function answering(client: pg.Pool | pg.PoolClient): Db {
  async function ask(query: Sql): Promise<pg.QueryResult> {
    const { name, text } = query
    const values = query.values as unknown[]
    return heard(name === undefined ? client.query(text, values) : client.query({ name, text, values }))
  }
  return {
    async rows<Row>(query: Sql) {
      return (await ask(query)).rows as Row[]
    },
    async row<Row>(query: Sql) {
      const { rows } = await ask(query)
      if (rows.length !== 1)
        throw new Error(`expected one row, got ${rows.length}: ${query.text.slice(0, 120)}`)
      return rows[0] as Row
    },
    async maybe<Row>(query: Sql) {
      return (await ask(query)).rows[0] as Row | undefined
    },
    async run(query: Sql) {
      return (await ask(query)).rowCount ?? 0
    },
  }
}

async function transact<T>(
  pool: pg.Pool,
  work: (tx: Tx) => Promise<T>,
  opening: readonly Sql[] = [],
): Promise<T> {
  const client = await heard(pool.connect())
  let broken: Error | undefined
  try {
    await heard(client.query(['begin', ...opening.map(({ text }) => text)].join('; ')))
    const answer = await work({ ...answering(client), transactional: true, client })
    await heard(client.query('commit'))
    return answer
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

const MAX_TRIES = 5
const RETRYABLE = new Set(['40001', '40P01'])

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= MAX_TRIES || !RETRYABLE.has(sqlState(error) ?? '')) throw error
    }
  }
}

/** What a client of PostgreSQL has thrown: the same words and codes of somebody else's connection say nothing of ours. */
const ofPostgres = new WeakSet<Error>()

/** The answer of a client of PostgreSQL, by whose error `isPostgresAway` knows where it came from. */
export async function heard<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Error) ofPostgres.add(error)
    throw error
  }
}

/**
 * SQLSTATE: connection lost, server shutting down, crashed or starting; or it stood still in the middle of a transaction
 * for so long that it ends the connection when it goes on.
 */
const AWAY_STATE = /^(08...|57P0[1235]|25P0[34])$/
const AWAY_CODE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
const AWAY_WORDS = /^Connection terminated|^Client .* not queryable|^timeout exceeded when trying to connect/

/**
 * True where the server could not be reached or went away in the middle: whether the last transaction is in is unknown.
 * Errors of other connections (a channel, a proxy) are none of ours, whatever their code.
 */
export function isPostgresAway(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return AWAY_STATE.test(state)
  if (!(error instanceof Error) || !ofPostgres.has(error)) return false
  return AWAY_CODE.has((error as NodeJS.ErrnoException).code ?? '') || AWAY_WORDS.test(error.message)
}

/** The SQLSTATE of a PostgreSQL error ('23505' unique violation …), undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** The constraint that a PostgreSQL error names, if any. */
export function brokenConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined
}

/**
 * '2026-03-01 02:00:00.123+00' as a Date, ten times as fast as the general reader; whatever looks otherwise (years
 * before 1000 or after 9999, infinity, another zone) goes to that one.
 */
export function readInstant(text: string): Date | number | null {
  if (!text.endsWith('+00') || text.charCodeAt(4) !== DASH || text.charCodeAt(10) !== SPACE)
    return usualInstant(text)
  return new Date(`${text.slice(0, 10)}T${text.slice(11, Math.min(23, text.length - 3))}Z`)
}

const DASH = 45
const SPACE = 32
