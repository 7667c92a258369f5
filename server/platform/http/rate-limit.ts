import { Problem } from '../problem.ts'

const MAX_SUBJECTS = 50_000

export function tooMany(perMinute: number, retryAfterSeconds: number): Problem {
  return new Problem('too_many', `More than ${perMinute} requests a minute.`, {
    details: { retryAfterSeconds },
  })
}

type Bucket = { tokens: number; filledAt: number }

/**
 * Token buckets by subject, in this process: a burst of up to one minute's allowance, refilled evenly.
 * N serving processes allow up to N times the limit together; limits that were promised are shared-limit.ts.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()

  /** Takes one of `perMinute`. Errors: `too_many` with `details.retryAfterSeconds`. */
  take(subject: string, perMinute: number, nowMs: number): void {
    const perMs = perMinute / 60_000
    const bucket = this.#buckets.get(subject) ?? { tokens: perMinute, filledAt: nowMs }
    bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, nowMs - bucket.filledAt) * perMs)
    bucket.filledAt = nowMs
    this.#buckets.delete(subject)
    this.#buckets.set(subject, bucket)
    if (this.#buckets.size > MAX_SUBJECTS) this.#forgetOldest()
    if (bucket.tokens < 1) {
      throw tooMany(perMinute, Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000)))
    }
    bucket.tokens -= 1
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next()
    if (!oldest.done) this.#buckets.delete(oldest.value)
  }
}
