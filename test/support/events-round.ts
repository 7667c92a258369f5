/**
 * A process that brings input into the log and runs its consumers once, as `work` does, to be killed in the middle.
 * Argument: JSON of `Round`. Everything it does may be done again by the next round.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { OrderState } from '../../contract/events.ts'
import { append } from '../../server/events/append.ts'
import { archiveDays, dropArchivedDays } from '../../server/events/archive.ts'
import { hasCaughtUp } from '../../server/events/consumers.ts'
import type { Handler } from '../../server/events/handler.ts'
import { lanes, type NewEvent } from '../../server/events/log.ts'
import { moveMisplaced } from '../../server/events/move-rows.ts'
import { recordOrders } from '../../server/events/orders.ts'
import { PROJECT, projectOnce } from '../../server/events/project.ts'
import { REACT, reactOnce } from '../../server/events/react.ts'
import { isRebuilding, rebuildClickHouse } from '../../server/events/rebuild.ts'
import { type ClickHouseOptions, openClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { idOf } from '../../server/platform/ids.ts'
import { type LeaseToken, takeLease } from '../../server/platform/jobs/lease.ts'
import { type Database, openDatabase } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { lineOf, orderOf } from './orders.ts'

export type Round = {
  postgres: string
  clickhouse: ClickHouseOptions
  archive: string
  number: number
  /** Whose input it brings: its own, and that of rounds before it that died before they had brought it. */
  bring: number[]
  crashAt: string
  rebuild: boolean
}

const DAY_MS = 86_400_000
// Nobody else wants it: the next round need not wait for the lease of a process that was killed.
const LEASE_MS = 1
export const EVENTS_A_ROUND = 5

/** The time of a round: ten days after the one before. */
export function timeOfRound(number: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 12) + number * 10 * DAY_MS)
}

/** What a round brings: events of person n1, an order of n2 in a second version, and n2 joining n1 afterwards. */
export function inputOf(number: number): { events: NewEvent[]; orders: OrderState[]; merge: NewEvent } {
  const at = timeOfRound(number)
  const person = number * 10 + 1
  const events = Array.from({ length: EVENTS_A_ROUND }, (_, index) => ({
    id: idOf('input', number, index),
    type: 'page_viewed' as const,
    profileId: person,
    personId: person,
    at,
    data: { page: 'p', dwellSeconds: index },
  }))
  const merge: NewEvent = {
    id: idOf('merge', number),
    type: 'persons_merged',
    profileId: null,
    personId: null,
    at,
    data: {
      mergeId: idOf('merge', number),
      keptPersonId: person,
      absorbedPersonId: person + 1,
      profileIds: [person + 1],
    },
  }
  return { events, orders: [order(number, 0), order(number, 300 + number)], merge }
}

function order(number: number, refundedCents: number): OrderState {
  const totalCents = 1000 + number
  const lines = [lineOf('a', totalCents, { name: 'a', refundedCents })]
  return orderOf(String(number), timeOfRound(number), totalCents, { source: 'round', refundedCents, lines })
}

/** Notes what it is given, without any de-duplication of its own. */
const noting: Handler = {
  name: 'noting',
  types: ['page_viewed', 'persons_merged', 'order_recorded'],
  async handle(tx, events) {
    await tx.run(sql`insert into noted (id) select unnest(${events.map((event) => event.id)}::uuid[])`)
  },
}

const argument = process.argv[2]
if (argument !== undefined && process.argv[1]?.endsWith('events-round.ts') === true)
  await run(JSON.parse(argument) as Round)

async function run(round: Round): Promise<void> {
  const db = openDatabase(round.postgres, { max: 4 })
  const clickhouse = openClickHouse(round.clickhouse)
  const project = await lease(db, PROJECT)
  const react = await lease(db, REACT)
  armCrashPoint(round.crashAt)
  const now = timeOfRound(round.number)
  const sweep = () => db.run(sql`insert into swept select epoch from projection`)
  const rebuild = () =>
    rebuildClickHouse(db, clickhouse, { folder: round.archive, token: project, now, sweep })
  if (await isRebuilding(db)) await rebuild()
  for (const number of round.bring) await bring(db, number, now, false)
  const consume = async () => {
    while (!(await hasCaughtUp(db, REACT)) || !(await hasCaughtUp(db, PROJECT))) {
      let done = 0
      for (const lane of lanes) {
        done += await reactOnce(db, [noting], { lane, token: react, now, batch: 4 })
        done += await projectOnce(db, clickhouse, { lane, token: project, now, batch: 4 })
      }
      if (done === 0) await sleep(5)
    }
  }
  await consume()
  for (const number of round.bring) await bring(db, number, now, true)
  process.stdout.write('brought')
  await consume()
  while ((await moveMisplaced(db, clickhouse, { token: project })) > 0);
  await archiveDays(db, { folder: round.archive, now: new Date(now.getTime() + DAY_MS) })
  await dropArchivedDays(db, { folder: round.archive, now: new Date(now.getTime() + 9 * DAY_MS) })
  if (round.rebuild) await rebuild()
  await clickhouse.close()
  await db.close()
}

async function bring(db: Database, number: number, receivedAt: Date, merging: boolean): Promise<void> {
  const { events, orders, merge } = inputOf(number)
  const how = { lane: number % 2 === 0 ? 'live' : 'bulk', source: 'round', receivedAt, dedupe: true } as const
  await db.transaction((tx) => append(tx, merging ? [merge] : events, how))
  if (merging) return
  const buyer = number * 10 + 2
  for (const [index, state] of orders.entries()) {
    const document = { profileId: buyer, personId: buyer, revision: index, order: state }
    await db.transaction((tx) => recordOrders(tx, [document], how))
  }
}

async function lease(db: Database, name: string): Promise<LeaseToken> {
  for (;;) {
    const token = await takeLease(db, name, LEASE_MS)
    if (token) return token
    await sleep(20)
  }
}
