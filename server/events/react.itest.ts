import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { newId } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'
import { append } from './append.ts'
import { hasCaughtUp } from './consumers.ts'
import { countDeadLetters, discardLetter, listDeadLetters, retryDue, retryLetter } from './dead-letters.ts'
import type { Handler } from './handler.ts'
import type { Lane, LoggedEvent, NewEvent } from './log.ts'
import { REACT, reactOnce } from './react.ts'

const start = new Date('2026-03-01T02:00:00Z')
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000)
let db: Database
let token: LeaseToken

beforeEach(async () => {
  db = await testDatabase()
  await db.run(
    sql`create table noted (place bigint generated always as identity, handler text, person int, page text)`,
  )
  const taken = await takeLease(db, REACT, 600_000)
  if (!taken) throw new Error('the lease is held')
  token = taken
})

/** One event per entry, `person page`. */
async function happen(lane: Lane, ...entries: string[]): Promise<void> {
  const events = entries.map((entry): NewEvent => {
    const [person = '0', page = ''] = entry.split(' ')
    return {
      id: newId(start),
      type: 'page_viewed',
      profileId: Number(person),
      personId: Number(person),
      at: start,
      data: { page, dwellSeconds: null },
    }
  })
  await db.transaction((tx) => append(tx, events, { lane, source: 'test', receivedAt: start }))
}

const pageOf = (event: LoggedEvent) => String(event.data['page'])

/** Notes what it takes; refuses a batch that holds a page in `broken`, after having written. */
function noting(name: string, broken: Set<string>): Handler {
  return {
    name,
    types: ['page_viewed'],
    async handle(tx, events) {
      const persons = events.map((event) => event.personId)
      await tx.run(sql`
        insert into noted (handler, person, page)
        select ${name}, * from unnest(${persons}::int[], ${events.map(pageOf)}::text[])`)
      if (events.some((event) => broken.has(pageOf(event)))) throw new Error('this page is broken')
    },
  }
}

async function reactAll(handlers: Handler[], now = start): Promise<void> {
  while (!(await hasCaughtUp(db, REACT))) {
    const live = await reactOnce(db, handlers, { lane: 'live', token, now })
    const bulk = await reactOnce(db, handlers, { lane: 'bulk', token, now })
    if (live + bulk === 0) await sleep(5)
  }
}

async function noted(handler: string): Promise<string[]> {
  const rows = await db.rows<{ person: number; page: string }>(
    sql`select person, page from noted where handler = ${handler} order by place`,
  )
  return rows.map((row) => `${row.person} ${row.page}`)
}

test('an event that a handler cannot take is put aside, with what its person did later, and nobody else waits', async () => {
  const broken = new Set(['bad'])
  const handlers = [noting('first', broken), noting('second', new Set())]
  await happen('live', '1 a', '2 a', '1 bad', '1 b', '2 b', '3 a', '1 c')
  await reactAll(handlers)
  expect(await noted('first')).toEqual(['1 a', '2 a', '2 b', '3 a'])
  expect(await noted('second')).toEqual(['1 a', '2 a', '1 bad', '1 b', '2 b', '3 a', '1 c'])
  await happen('live', '1 d', '2 d')
  await reactAll(handlers)
  expect(await noted('first')).toEqual(['1 a', '2 a', '2 b', '3 a', '2 d'])
  expect(await countDeadLetters(db)).toEqual({ trying: 1, behind: 3, dead: 0, discarded: 0 })

  // Tried again by itself, not before its time; what stood behind it follows in order.
  expect(await retryDue(db, handlers, { token, now: start })).toBe(0)
  broken.clear()
  for (let round = 0; round < 4; round += 1)
    expect(await retryDue(db, handlers, { token, now: later(2) })).toBe(1)
  expect((await noted('first')).filter((entry) => entry.startsWith('1'))).toEqual([
    '1 a',
    '1 bad',
    '1 b',
    '1 c',
    '1 d',
  ])
  expect(await listDeadLetters(db, { limit: 10 })).toEqual([])
})

test('after five failures a person must decide: try again or give up', async () => {
  const broken = new Set(['bad', 'worse'])
  const handlers = [noting('first', broken)]
  await happen('live', '1 bad', '1 b', '2 worse', '2 b')
  await reactAll(handlers)
  let now = 0
  for (let round = 0; round < 10; round += 1) {
    now += 400
    await retryDue(db, handlers, { token, now: later(now) })
  }
  expect(await countDeadLetters(db)).toEqual({ trying: 0, behind: 2, dead: 2, discarded: 0 })
  const dead = await listDeadLetters(db, { state: 'dead', limit: 10 })
  const [bad, worse] = dead.toSorted((one, other) => (one.personId ?? 0) - (other.personId ?? 0))
  expect(bad).toMatchObject({
    handler: 'first',
    type: 'page_viewed',
    personId: 1,
    attempts: 5,
    reason: 'Error: this page is broken',
  })
  expect(await retryLetter(db, handlers, bad?.id ?? '', later(now))).toBe(false)
  broken.delete('bad')
  expect(await retryLetter(db, handlers, bad?.id ?? '', later(now))).toBe(true)
  await expect(retryLetter(db, handlers, bad?.id ?? '', later(now))).rejects.toThrow(Problem)
  await discardLetter(db, worse?.id ?? '', 'somebody', later(now))
  await retryDue(db, handlers, { token, now: later(now) })
  expect(await noted('first')).toEqual(['1 bad', '1 b', '2 b'])
  expect(await countDeadLetters(db)).toEqual({ trying: 0, behind: 0, dead: 0, discarded: 1 })
})

test('many bad events among many good ones are found and the good ones taken once', async () => {
  const broken = new Set(['bad'])
  const entries = Array.from({ length: 600 }, (_, index) => `${index} ${index % 40 === 7 ? 'bad' : 'good'}`)
  await happen('bulk', ...entries)
  await reactAll([noting('first', broken)])
  expect(await noted('first')).toEqual(entries.filter((entry) => entry.endsWith('good')))
  expect((await countDeadLetters(db)).trying).toBe(15)
})

test('a handler that fails for everything stops its lane and loses nothing', async () => {
  const broken = new Set(['bad'])
  await happen('live', ...Array.from({ length: 300 }, (_, index) => `${index} bad`))
  await expect(reactAll([noting('first', broken)])).rejects.toThrow('fails for more than')
  expect(await noted('first')).toEqual([])
  expect(await countDeadLetters(db)).toEqual({ trying: 0, behind: 0, dead: 0, discarded: 0 })
  broken.clear()
  await reactAll([noting('first', broken)])
  expect(await noted('first')).toHaveLength(300)
})

test('what an SQL error leaves of a transaction does not reach the next handler', async () => {
  const failing: Handler = {
    name: 'failing',
    types: ['page_viewed'],
    async handle(tx) {
      await tx.run(sql`select 1 / 0`)
    },
  }
  await happen('live', '1 a')
  await reactAll([failing, noting('second', new Set())])
  expect(await noted('second')).toEqual(['1 a'])
  expect((await listDeadLetters(db, { limit: 1 }))[0]?.reason).toBe('error: division by zero')
})

test('what comes in bulk is given to a handler for those persons alone whom it asks for, whole and in order', async () => {
  const given: string[] = []
  const picky: Handler = {
    name: 'picky',
    types: ['page_viewed'],
    bulkOnlyFor: {
      types: ['page_viewed'],
      persons: async (_, among) => new Set(among.filter((person) => person % 2 === 1)),
    },
    async handle(_, events) {
      given.push(...events.map((event) => `${event.lane} ${event.personId} ${pageOf(event)}`))
    },
  }
  await happen('bulk', '1 a', '2 b', '3 c', '1 d', '4 e')
  await happen('live', '2 f')
  // Other databases of the server may hold the horizon for a moment.
  for (const lane of ['live', 'bulk'] as const)
    await expect
      .poll(() => reactOnce(db, [picky], { lane, token, now: start }), { timeout: 60_000 })
      .toBeGreaterThan(0)
  expect(given).toEqual(['live 2 f', 'bulk 1 a', 'bulk 3 c', 'bulk 1 d'])
  expect(await hasCaughtUp(db, REACT)).toBe(true)
})
