import { expect, test } from 'vitest'
import { Problem } from '../problem.ts'
import { RateLimit } from './rate-limit.ts'

test('a caller gets a minute of requests at once, then has to wait for the next', () => {
  const limit = new RateLimit()
  for (let request = 0; request < 60; request += 1) limit.take('key', 60, 0)

  const refusal = caught(() => limit.take('key', 60, 0))
  expect(refusal).toMatchObject({ code: 'too_many', details: { retryAfterSeconds: 1 } })
  limit.take('another', 60, 0)
  limit.take('key', 60, 1_000)
  expect(caught(() => limit.take('key', 60, 1_000))).toBeInstanceOf(Problem)
})

test('a clock that goes back gives nobody a request more', () => {
  const limit = new RateLimit()
  limit.take('key', 1, 60_000)
  expect(caught(() => limit.take('key', 1, 0))).toBeInstanceOf(Problem)
})

test('a caller who is refused again and again still gets in once the time has passed', () => {
  const limit = new RateLimit()
  limit.take('key', 1, 0)
  for (let at = 0; at < 59_000; at += 1_000)
    expect(caught(() => limit.take('key', 1, at))).toBeInstanceOf(Problem)
  limit.take('key', 1, 60_000)
})

function caught(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
