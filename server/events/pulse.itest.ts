import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { forgetPulse, heard, silentSources } from './pulse.ts'

const db = await testDatabase()
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const BEGAN = Date.parse('2026-03-01T02:00:00Z')

beforeEach(() => db.run(sql`truncate source_pulse`))

const after = (ms: number) => new Date(BEGAN + ms)
const silent = async (ms: number) => (await silentSources(db, after(ms))).map(({ source }) => source)

test('a file of every night is missed after the second night without it, and no sooner', async () => {
  for (let day = 0; day < 5; day += 1) await heard(db, 'till', after(day * DAY_MS))
  expect(await silent(4 * DAY_MS + 47 * HOUR_MS)).toEqual([])
  expect(await silentSources(db, after(4 * DAY_MS + 49 * HOUR_MS))).toEqual([
    { source: 'till', lastAt: after(4 * DAY_MS), usualHours: 24 },
  ])
  await heard(db, 'till', after(6.5 * DAY_MS))
  expect(await silent(6.6 * DAY_MS)).toEqual([])
})

test('one that talks all day but sleeps at night is missed when it is silent for twice a night', async () => {
  for (let day = 0; day < 4; day += 1)
    for (let hour = 0; hour < 14; hour += 1) await heard(db, 'shop', after(day * DAY_MS + hour * HOUR_MS))
  const last = 3 * DAY_MS + 13 * HOUR_MS
  expect(await silent(last + 20 * HOUR_MS)).toEqual([])
  expect(await silent(last + 23 * HOUR_MS)).toEqual(['shop'])
})

test('before its third silence nobody knows what is usual, and after four weeks nobody expects anything', async () => {
  await heard(db, 'new', after(0))
  await heard(db, 'new', after(DAY_MS))
  expect(await silent(10 * DAY_MS)).toEqual([])
  await heard(db, 'new', after(2 * DAY_MS))
  await heard(db, 'new', after(3 * DAY_MS))
  expect(await silent(10 * DAY_MS)).toEqual(['new'])
  expect(await silent(40 * DAY_MS)).toEqual([])
})

test('a minute of silence is no alarm for one that talks every second, and a clock that goes back hides nothing', async () => {
  for (let day = 0; day < 4; day += 1)
    for (let second = 0; second < 5; second += 1) await heard(db, 'taps', after(day * 1000 + second * 1000))
  await db.run(sql`update source_pulse set longest_gap = interval '1 s'`)
  await db.run(sql`
    insert into source_pulse select source, day - n, last_at - n * interval '1 day', longest_gap
    from source_pulse, generate_series(1, 3) n`)
  await heard(db, 'taps', after(-HOUR_MS / 2))
  expect(await silent(50 * 60_000)).toEqual([])
  expect(await silent(2 * HOUR_MS)).toEqual(['taps'])
})

test('two who hear the same source at once count as one voice', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, n) => heard(db, 'busy', after(n))))
  expect(await db.rows(sql`select source, last_at as "lastAt" from source_pulse`)).toEqual([
    { source: 'busy', lastAt: after(19) },
  ])
})

test('days that no habit is read from are forgotten', async () => {
  await heard(db, 'old', after(0))
  await heard(db, 'old', after(30 * DAY_MS))
  expect(await forgetPulse(db, after(61 * DAY_MS))).toBe(1)
})
