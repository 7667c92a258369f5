import { expect, test } from 'vitest'
import type { Tx } from '../../platform/postgres/database.ts'
import { type Buyer, BuyerBook } from './buyers.ts'

/** Nobody was merged meanwhile. */
const tx = { rows: async () => [] } as unknown as Tx

const same = (one: Buyer, other: Buyer | undefined): boolean =>
  one.profileId === other?.profileId && one.personId === other.personId

const everybody = async (_: unknown, ids: readonly number[]) => new Set(ids)

test('buyers that were learned are found as they were, others are not', async () => {
  const book = new BuyerBook(everybody)
  const buyers = new Map(
    Array.from({ length: 20_000 }, (_, n) => [`buyer ${n}`, { profileId: n + 1, personId: (n % 900) + 1 }]),
  )
  book.learn(buyers)
  const found = await book.find(tx, [...buyers.keys(), 'somebody else'])
  expect(found.has('somebody else')).toBe(false)
  expect([...found].filter(([key, buyer]) => !same(buyer, buyers.get(key)))).toEqual([])
  // A few may have been forgotten for others; nobody is mistaken for another.
  expect(found.size).toBeGreaterThan(19_990)
  book.learn(new Map([['buyer 7', { profileId: 8, personId: 3 }]]))
  expect((await book.find(tx, ['buyer 7'])).get('buyer 7')).toEqual({ profileId: 8, personId: 3 })
})

test('memory is bounded however many buyers come, and the latest are known', async () => {
  const book = new BuyerBook(everybody)
  const last = new Map<string, { profileId: number; personId: number }>()
  for (let from = 0; from < 600_000; from += 20_000) {
    last.clear()
    for (let n = from; n < from + 20_000; n += 1) last.set(`b${n}`, { profileId: n + 1, personId: n + 1 })
    book.learn(last)
  }
  const found = await book.find(tx, last.keys())
  expect(found.size).toBeGreaterThan(18_000)
  expect([...found].filter(([key, buyer]) => !same(buyer, last.get(key)))).toEqual([])
})
