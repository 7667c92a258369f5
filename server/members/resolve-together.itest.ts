/**
 * Files and live words at once, four writers, in any order and more than once: whoever an identifier joins is one person,
 * and whoever contradicts it is not. The people are those of the benchmark of identity, a thousand of them.
 */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { generatedRow } from '../../bench/identity-people.ts'
import { testDatabase } from '../../test/support/database.ts'
import { fc } from '../../test/support/fast-check.ts'
import { openKeyring } from '../platform/crypto/master-key.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { resolve } from './resolve.ts'

const ROWS = 1_000
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }
const at = instant('2026-03-01T02:00:00Z')
const db = await testDatabase()

test('no pair with an identifier in common stays apart, and no pair that contradicts is joined', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(
        Array.from({ length: ROWS }, (_, n) => n),
        { minLength: ROWS },
      ),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 40, maxLength: 40 }),
      async (order, sizes) => {
        for (const table of ['review', 'merge', 'profile', 'person', 'event_log'])
          await db.run(sql`delete from ${trusted(table)}`)
        const profiles = new Map<number, number>()
        // Two read the whole file from different places; two take what comes in live, a part of it.
        await Promise.all(
          [0, 1, 2, 3].map(async (writer) => {
            const own = [...order.slice(writer * 250), ...order.slice(0, writer * 250)]
            const mine = writer < 2 ? own : own.slice(0, ROWS / 4)
            for (let from = 0, turn = writer; from < mine.length; turn += 1) {
              const size = sizes[turn % sizes.length] ?? 1
              await bring(mine.slice(from, from + size), writer < 2 ? 'bulk' : 'live', profiles)
              from += size
            }
          }),
        )
        await check(profiles)
      },
    ),
    { numRuns: 2 },
  )
})

async function bring(
  numbers: readonly number[],
  lane: 'bulk' | 'live',
  profiles: Map<number, number>,
): Promise<void> {
  const rows = numbers.map((n) => ({ n, ...generatedRow(n) }))
  for (const [source, some] of Map.groupBy(rows, (row) => row.source)) {
    const found = await db.transaction((tx) =>
      resolve(
        deps,
        tx,
        some.map(({ row }) => row),
        { lane, source, at },
      ),
    )
    for (const [index, { n }] of some.entries()) profiles.set(n, found[index]?.profileId ?? 0)
  }
}

async function check(profiles: ReadonlyMap<number, number>): Promise<void> {
  const rows = await db.rows<{ id: number; person: number }>(sql`select id, person_id as person from profile`)
  expect(rows).toHaveLength(ROWS)
  const persons = new Map(rows.map(({ id, person }) => [id, person]))
  const personOf = (n: number) => persons.get(profiles.get(n) ?? 0)
  const found = { joins: 0, contradicts: 0, typed_anew: 0, new: 0 }
  for (let n = 0; n < ROWS; n += 1) {
    const { is, other } = generatedRow(n)
    found[is] += 1
    if (is === 'new') continue
    expect(personOf(n) === personOf(other), `${n} ${is} ${other}`).toBe(is === 'joins')
  }
  expect(found).toEqual({ new: 804, joins: 94, contradicts: 4, typed_anew: 98 })
  const asked = await db.rows(sql`select from review where kind = 'conflict' and state = 'open'`)
  expect(asked).toHaveLength(found.contradicts)
  const twoCards = sql`
    select p.person_id from identifier i join profile p on p.id = i.profile_id
    where i.kind = 'card' and i.links group by p.person_id, i.scope having count(distinct i.digest) > 1`
  expect(await db.rows(twoCards)).toEqual([])
}
