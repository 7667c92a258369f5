import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import type { Database } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { fence, LeaseLost, listLeases, releaseLease, renewLease, takeLease, withLease } from './lease.ts'
import { keepWorking } from './loop.ts'

let db: Database

beforeAll(async () => {
  db = await testDatabase({ max: 20 })
})

test('of many who want it at once one gets it, and tokens grow', async () => {
  const tokens: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const takes = await Promise.all(Array.from({ length: 10 }, () => takeLease(db, 'many')))
    const [won, ...more] = takes.filter((token) => token !== undefined)
    expect(more).toEqual([])
    if (!won) throw new Error('nobody got it')
    tokens.push(won.token)
    await releaseLease(db, won)
  }
  expect(tokens).toEqual([...tokens].sort((a, b) => a - b))
  expect(new Set(tokens).size).toBe(5)
})

test('also of many who are the first ever to want it, one gets it and nobody fails', async () => {
  for (let round = 0; round < 40; round += 1) {
    const takes = await Promise.all(Array.from({ length: 16 }, () => takeLease(db, `new ${round}`)))
    expect(takes.filter((token) => token !== undefined)).toEqual([{ lease: `new ${round}`, token: 1 }])
  }
})

test('a lease that is not renewed passes on, and its old holder can neither renew nor commit', async () => {
  const old = await takeLease(db, 'expires', 50)
  if (!old) throw new Error('not taken')
  expect(await takeLease(db, 'expires')).toBeUndefined()
  await sleep(80)
  const next = await takeLease(db, 'expires')
  expect(next?.token).toBeGreaterThan(old.token)
  expect(await renewLease(db, old)).toBe(false)
  await expect(db.transaction((tx) => fence(tx, old))).rejects.toThrow(LeaseLost)
  await releaseLease(db, old)
  expect((await listLeases(db)).map((lease) => lease.name)).toContain('expires')
})

test('nobody takes the lease over while a transaction that passed the fence is open; renewing does not wait', async () => {
  const old = await takeLease(db, 'fenced', 1)
  if (!old) throw new Error('not taken')
  const order: string[] = []
  let taking: Promise<unknown> = Promise.resolve()
  await db.transaction(async (tx) => {
    await fence(tx, old)
    await sleep(20)
    taking = takeLease(db, 'fenced').then((next) => order.push(`taken ${next !== undefined}`))
    await sleep(150)
    order.push('committing')
  })
  await taking
  expect(order).toEqual(['committing', 'taken true'])

  const mine = await takeLease(db, 'renewed')
  if (!mine) throw new Error('not taken')
  await db.transaction(async (tx) => {
    await fence(tx, mine)
    expect(await Promise.race([renewLease(db, mine), sleep(2000, 'waits')])).toBe(true)
  })
})

test('work under a lease is renewed while it runs and released when it ends', async () => {
  const times = { leaseMs: 200, renewMs: 50 }
  let intruders = 0
  await withLease(
    db,
    'long',
    async () => {
      for (let round = 0; round < 10; round += 1) {
        await sleep(50)
        if (await takeLease(db, 'long', 200)) intruders += 1
      }
    },
    times,
  )
  expect(intruders).toBe(0)
  expect(await withLease(db, 'long', async () => 'at once')).toBe('at once')
})

test('two loops of one lease never work at the same time, and the second takes over when the first stops', async () => {
  await db.run(sql`create table worked (who text, started timestamptz, ended timestamptz)`)
  const loop = (who: string) => ({
    name: 'loop',
    restMs: 5,
    leaseMs: 500,
    renewMs: 100,
    async work() {
      const { at } = await db.row<{ at: Date }>(sql`select clock_timestamp() as at`)
      await sleep(10)
      await db.run(sql`insert into worked values (${who}, ${at}, clock_timestamp())`)
      return 0
    },
  })
  const stopFirst = new AbortController()
  const stopSecond = new AbortController()
  const first = keepWorking(db, loop('first'), stopFirst.signal)
  await sleep(100)
  const second = keepWorking(db, loop('second'), stopSecond.signal)
  await sleep(200)
  stopFirst.abort()
  await first
  await sleep(1500)
  stopSecond.abort()
  await second
  const { overlaps } = await db.row<{ overlaps: number }>(
    sql`select count(*) as overlaps from worked a join worked b on a.who < b.who and a.started < b.ended and b.started < a.ended`,
  )
  expect(overlaps).toBe(0)
  const rows = await db.rows<{ who: string }>(sql`select distinct who from worked order by who`)
  expect(rows.map((row) => row.who)).toEqual(['first', 'second'])
})

test('a long round is told to end when the loop is, and its ending is no failure', async () => {
  const stop = new AbortController()
  const failures: unknown[] = []
  await keepWorking(
    db,
    {
      name: 'long round',
      restMs: 1,
      work({ signal }) {
        stop.abort()
        return new Promise((_, reject) => {
          const end = () => reject(signal.reason)
          if (signal.aborted) end()
          else signal.addEventListener('abort', end)
        })
      },
      onError: (error) => failures.push(error),
    },
    stop.signal,
  )
  expect(failures).toEqual([])
  expect(await withLease(db, 'long round', async () => 'free')).toBe('free')
})

test('a round that fails is told and repeated', async () => {
  const stop = new AbortController()
  const told: unknown[] = []
  let rounds = 0
  await keepWorking(
    db,
    {
      name: 'failing',
      restMs: 1,
      async work() {
        rounds += 1
        if (rounds === 1) throw new Error('once')
        stop.abort()
        return 0
      },
      onError: (error) => told.push(error),
    },
    stop.signal,
  )
  expect(rounds).toBe(2)
  expect(told).toHaveLength(1)
})
