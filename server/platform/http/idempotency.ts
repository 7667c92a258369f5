/**
 * A POST with an Idempotency-Key has its effect once: the reply is kept for a day and given again.
 *
 * Always true: the row is written before the handler runs, so of two requests with one key at most one runs. A
 * refusal removes the row (handlers write in one transaction, so a refused one has had no effect). After a crash
 * in between, of this process or of PostgreSQL, the outcome is unknown and the key says so; it is never run a second
 * time in silence.
 */
import { createHash } from 'node:crypto'
import type { BlindIndex } from '../crypto/blind-index.ts'
import { type Db, isPostgresAway } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { Problem } from '../problem.ts'

const MAX_KEY = 200
const STILL_RUNNING_MS = 60_000
const KEPT_MS = 24 * 3_600_000

export type IdempotentRequest = {
  caller: string
  key: string
  route: string
  /** What was asked, as it will be compared with a repeat. */
  input: unknown
  now: Date
  /** The reply holds a secret and must not be stored. */
  secret: boolean
}

/**
 * Runs `work` once per caller and key. Errors: `idempotency_mismatch` for the same key with another request,
 * `conflict` while the first runs, after its outcome was lost, and where its reply was a secret.
 */
export async function runOnce(
  { db, index }: { db: Db; index: BlindIndex },
  request: IdempotentRequest,
  work: () => Promise<unknown>,
): Promise<unknown> {
  if (request.key.length === 0 || request.key.length > MAX_KEY) {
    throw new Problem('bad_input', `Idempotency-Key must have 1 to ${MAX_KEY} characters.`, {
      field: 'idempotency-key',
    })
  }
  // Keyed: whoever holds only the database could guess a phone or a password that was sent, and compare.
  const digest = index.digest(
    'idempotency',
    createHash('sha256').update(canonical(request.input)).digest('hex'),
  )
  const { caller, key, route, now } = request
  const claimed = await db.run(
    sql`insert into idempotency (caller, key, route, digest, state, started_at)
        values (${caller}, ${key}, ${route}, ${digest}, 'running', ${now})
        on conflict (caller, key) do nothing`,
  )
  if (claimed === 0) return repeated(db, request, digest)
  try {
    const reply = await work()
    await db.run(
      request.secret
        ? sql`update idempotency set state = 'secret' where caller = ${caller} and key = ${key}`
        : sql`update idempotency set state = 'done', reply = ${JSON.stringify(reply ?? null)}::jsonb
              where caller = ${caller} and key = ${key}`,
    )
    return reply
  } catch (error) {
    // Where PostgreSQL went away the handler's transaction may be in all the same.
    if (!isPostgresAway(error))
      await db.run(
        sql`delete from idempotency where caller = ${caller} and key = ${key} and state = 'running'`,
      )
    throw error
  }
}

/** Forgets keys older than a day; a bounded number at a time. */
export async function forgetKeys(db: Db, now: Date): Promise<number> {
  const before = new Date(now.getTime() - KEPT_MS)
  return db.run(
    sql`delete from idempotency where (caller, key) in
          (select caller, key from idempotency where started_at < ${before} order by started_at limit 5000)`,
  )
}

type Kept = {
  route: string
  digest: Buffer
  state: 'running' | 'done' | 'secret'
  reply: unknown
  started_at: Date
}

async function repeated(db: Db, request: IdempotentRequest, digest: Buffer): Promise<unknown> {
  const kept = await db.maybe<Kept>(
    sql`select route, digest, state, reply, started_at from idempotency
        where caller = ${request.caller} and key = ${request.key}`,
  )
  if (!kept)
    throw new Problem('conflict', 'The first request with this Idempotency-Key was just refused; repeat it.')
  if (kept.route !== request.route || !kept.digest.equals(digest)) {
    throw new Problem(
      'idempotency_mismatch',
      'This Idempotency-Key was used for another request; take a new one.',
    )
  }
  if (kept.state === 'done') return kept.reply
  if (kept.state === 'secret') {
    throw new Problem('conflict', 'This was done already, and its reply held a secret that is shown once.')
  }
  throw new Problem(
    'conflict',
    request.now.getTime() - kept.started_at.getTime() < STILL_RUNNING_MS
      ? 'The first request with this Idempotency-Key is still running.'
      : 'The first request with this Idempotency-Key was interrupted and its outcome is unknown: look, then use a new key.',
  )
}

/** JSON with sorted keys, so that the order of fields makes no difference. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  )
}
