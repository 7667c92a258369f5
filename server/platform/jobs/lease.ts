/**
 * Leases: who may do a piece of work now.
 *
 * Stored: `lease(name, token, holder, expires_at)`. Always true: a token is never given twice, each new holder has a
 * greater one; a transaction that passed `fence` commits before anybody else can take the lease over, because it holds
 * the row FOR KEY SHARE and taking over changes the key (name, token). Renewal does not touch the key, so a renewal
 * and a fenced transaction never wait for each other. A holder that is stopped and woken again finds its token
 * gone at its next fence, and its transaction rolls back.
 */
import { hostname } from 'node:os'
import type { Database, Db, Tx } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'

const LEASE_MS = 5000
const RENEW_MS = 2000

/** Proof of a lease, given to `fence` in every transaction that acts under it. */
export type LeaseToken = { readonly lease: string; readonly token: number }

/** Another process has taken the lease over: the transaction must not commit. Not a failure of the work. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'
}

export type LeaseTimes = { leaseMs?: number; renewMs?: number }

/** The lease `name` for this process, or undefined while somebody else holds it. */
export async function takeLease(
  db: Db,
  name: string,
  leaseMs: number = LEASE_MS,
): Promise<LeaseToken | undefined> {
  const until = sql`clock_timestamp() + ${leaseMs}::int * interval '1 ms'`
  const row =
    (await db.maybe<{ token: number }>(sql`
      update lease set token = token + 1, holder = ${holder()}, expires_at = ${until}
      where name = ${name} and expires_at < clock_timestamp()
      returning token`)) ??
    // Not "on conflict (name) do update": two who insert at once may meet at the key (name, token) first, and fail.
    (await db.maybe<{ token: number }>(sql`
      insert into lease (name, token, holder, expires_at) values (${name}, 1, ${holder()}, ${until})
      on conflict do nothing
      returning token`))
  return row && { lease: name, token: row.token }
}

/** Holds it for another `leaseMs`. False when somebody else has it. */
export async function renewLease(
  db: Db,
  { lease, token }: LeaseToken,
  leaseMs: number = LEASE_MS,
): Promise<boolean> {
  const renewed = await db.run(sql`
    update lease set expires_at = clock_timestamp() + ${leaseMs}::int * interval '1 ms'
    where name = ${lease} and token = ${token}`)
  return renewed === 1
}

/** Gives it back, so that the next holder need not wait. */
export async function releaseLease(db: Db, { lease, token }: LeaseToken): Promise<void> {
  await db.run(sql`
    update lease set holder = '', expires_at = '-infinity' where name = ${lease} and token = ${token}`)
}

/**
 * To be called in every transaction that moves a position, steps or sends: until its end nobody else can take
 * the lease. Errors: `LeaseLost`.
 */
export async function fence(tx: Tx, { lease, token }: LeaseToken): Promise<void> {
  const held = await tx.maybe(sql`
    select 1 as held from lease where name = ${lease} and token = ${token} for key share`)
  if (!held) throw new LeaseLost(`the lease ${lease} has passed to another process`)
}

export type Held = LeaseToken & {
  /** Aborted when the lease is lost, or could not be renewed in time. */
  readonly signal: AbortSignal
}

/**
 * Runs `work` under the lease, renewing it meanwhile and releasing it afterwards.
 * Undefined, without a call, while somebody else holds it.
 */
export async function withLease<T>(
  db: Database,
  name: string,
  work: (held: Held) => Promise<T>,
  { leaseMs = LEASE_MS, renewMs = RENEW_MS }: LeaseTimes = {},
): Promise<T | undefined> {
  const token = await takeLease(db, name, leaseMs)
  if (!token) return undefined
  const lost = new AbortController()
  const timer = setInterval(() => {
    renewLease(db, token, leaseMs).then(
      (held) => {
        if (!held) lost.abort(new LeaseLost(`the lease ${name} has passed to another process`))
      },
      // The database is away: the lease may still hold, and `fence` decides.
      () => undefined,
    )
  }, renewMs)
  try {
    return await work({ ...token, signal: lost.signal })
  } finally {
    clearInterval(timer)
    await releaseLease(db, token).catch(() => undefined)
  }
}

/** The names that are held now, for `doctor`. */
export async function listLeases(db: Db): Promise<{ name: string; holder: string; secondsLeft: number }[]> {
  return db.rows(sql`
    select name, holder, extract(epoch from expires_at - clock_timestamp())::float8 as "secondsLeft"
    from lease where expires_at > clock_timestamp() order by name`)
}

function holder(): string {
  return `${hostname()}:${process.pid}`
}
