/** The limit of an API key holds over all serving processes. */
import { expect, test } from 'vitest'
import { testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { sql } from '../postgres/sql.ts'
import { forgetBuckets, SharedLimit } from './shared-limit.ts'

const db = await testDatabase()

/** How many of `times` requests at once each of the processes lets through. */
async function letThrough(limits: readonly SharedLimit[], times: number, subject: string, perMinute: number) {
  const answers = await Promise.allSettled(
    Array.from({ length: times }, (_, index) =>
      (limits[index % limits.length] ?? limits[0])?.take(subject, perMinute),
    ),
  )
  return answers.filter(({ status }) => status === 'fulfilled').length
}

test('five processes together let a caller through as often as one would', async () => {
  const processes = Array.from({ length: 5 }, () => new SharedLimit(db))
  const first = await letThrough(processes, 400, 'key:a', 120)
  // A burst of a minute, what flows in while it runs, and nothing for each process.
  expect(first).toBeGreaterThanOrEqual(120)
  expect(first).toBeLessThanOrEqual(120 + 30)
  await expect(processes[0]?.take('key:a', 120)).rejects.toMatchObject({
    code: 'too_many',
    details: { retryAfterSeconds: 1 },
  })
  await processes[1]?.take('key:b', 120)
})

test('the bucket fills evenly: half a minute later half the allowance is there, never more than a minute of it', async () => {
  const one = new SharedLimit(db)
  expect(await letThrough([one], 60, 'key:c', 60)).toBe(60)
  await db.run(
    sql`update rate_bucket set filled_at = filled_at - interval '30 seconds' where subject = 'key:c'`,
  )
  const later = await letThrough([one], 60, 'key:c', 60)
  expect(later).toBeGreaterThanOrEqual(30)
  expect(later).toBeLessThanOrEqual(33)
  await db.run(sql`update rate_bucket set filled_at = filled_at - interval '1 hour' where subject = 'key:c'`)
  expect(await letThrough([one, new SharedLimit(db)], 200, 'key:c', 60)).toBeLessThanOrEqual(63)
})

test('a busy caller costs a statement a second, not one a request', async () => {
  const one = new SharedLimit(db)
  let statements = 0
  const counted = new SharedLimit({
    ...db,
    row(query) {
      statements += 1
      return db.row(query)
    },
  })
  expect(await letThrough([counted], 3000, 'key:d', 60_000)).toBe(3000)
  expect(statements).toBeLessThanOrEqual(3)
  expect(await letThrough([one], 10, 'key:e', 60_000)).toBe(10)
})

test('two servers over one database answer 429 to the same key, with the time to wait', async () => {
  const here = await testApp(db)
  const there = await testApp(db)
  const { secret } = await here.withKey(['org:read'], 20)
  const authorization = { authorization: `Bearer ${secret}` }
  const statuses: number[] = []
  for (let turn = 0; turn < 60; turn += 1) {
    const app = turn % 2 === 0 ? here : there
    statuses.push((await app.anonymous('GET', '/api/brand', undefined, authorization)).status)
  }
  const passed = statuses.filter((status) => status === 200).length
  expect(passed).toBeGreaterThanOrEqual(20)
  expect(passed).toBeLessThan(40)
  const refused = await there.anonymous('GET', '/api/brand', undefined, authorization)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('full buckets are forgotten', async () => {
  await db.run(sql`update rate_bucket set filled_at = filled_at - interval '1 day'`)
  expect(await forgetBuckets(db)).toBeGreaterThan(0)
  expect(await db.row(sql`select count(*) as n from rate_bucket`)).toEqual({ n: 0 })
})
