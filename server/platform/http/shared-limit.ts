/**
 * Token buckets that all serving processes share, in PostgreSQL: a burst of up to one minute's allowance, refilled
 * evenly. A process takes a second's allowance at a time, so that a busy caller does not cost a statement a request.
 *
 * Always true: what is used was taken from the bucket before. What a process has taken and not used it may use later:
 * in any minute a caller gets at most its limit and one second's allowance more for each process. The table is not
 * logged: after a crash of PostgreSQL every bucket is full again.
 */
import type { Db } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { tooMany } from './rate-limit.ts'

const MAX_SUBJECTS = 10_000

type Granted = { granted: number; retryAfterSeconds: number }

export class SharedLimit {
  readonly #db: Db
  /** Taken and not used, by subject; the longest unused first. */
  readonly #left = new Map<string, number>()
  readonly #asking = new Map<string, Promise<Granted>>()

  constructor(db: Db) {
    this.#db = db
  }

  /** Takes one of `perMinute`. Errors: `too_many` with `details.retryAfterSeconds`. */
  async take(subject: string, perMinute: number): Promise<void> {
    for (;;) {
      const left = this.#left.get(subject) ?? 0
      if (left >= 1) {
        this.#keep(subject, left - 1)
        return
      }
      const { granted, retryAfterSeconds } = await this.#ask(subject, perMinute)
      if (granted === 0) throw tooMany(perMinute, retryAfterSeconds)
    }
  }

  /** One question at a time for each subject: whoever comes meanwhile shares the answer. */
  #ask(subject: string, perMinute: number): Promise<Granted> {
    const open = this.#asking.get(subject)
    if (open !== undefined) return open
    const asked = takeShare(this.#db, subject, perMinute)
      .then((share) => {
        this.#keep(subject, (this.#left.get(subject) ?? 0) + share.granted)
        return share
      })
      .finally(() => this.#asking.delete(subject))
    this.#asking.set(subject, asked)
    return asked
  }

  #keep(subject: string, left: number): void {
    this.#left.delete(subject)
    this.#left.set(subject, left)
    if (this.#left.size <= MAX_SUBJECTS) return
    const oldest = this.#left.keys().next()
    if (!oldest.done) this.#left.delete(oldest.value)
  }
}

/** Forgets buckets that are full again. */
export async function forgetBuckets(db: Db): Promise<number> {
  return db.run(sql`delete from rate_bucket where filled_at < now() - interval '10 minutes'`)
}

/** The clock is that of PostgreSQL: all processes see the same. */
async function takeShare(db: Db, subject: string, perMinute: number): Promise<Granted> {
  const share = Math.max(1, Math.floor(perMinute / 60))
  const most = sql`${perMinute}::float8`
  const filled = sql`least(${most}, b.tokens
    + greatest(0, extract(epoch from statement_timestamp() - b.filled_at)::float8) * ${most} / 60)`
  const row = await db.row<{ granted: number; tokens: number }>(sql`
    insert into rate_bucket as b (subject, tokens, filled_at)
    values (${subject}, ${most} - ${share}::int, statement_timestamp())
    on conflict (subject) do update
      set tokens = ${filled} - least(${share}::int, floor(${filled})),
          filled_at = greatest(b.filled_at, statement_timestamp())
    returning new.tokens,
      round(case when old.subject is null then ${share}::int
        else least(${most}, old.tokens + greatest(0, extract(epoch from new.filled_at - old.filled_at)::float8) * ${most} / 60)
          - new.tokens end)::int as granted`)
  return {
    granted: row.granted,
    retryAfterSeconds: Math.max(1, Math.ceil(((1 - row.tokens) * 60) / perMinute)),
  }
}
