/**
 * The log: appending in batches of 5,000, with and without de-duplication, recording orders, reading by position and
 * projecting into ClickHouse. The limit of what writes is COPY of the very rows that came out of it into the same
 * tables with their indexes; the limit of projecting is inserting the very rows, prepared, into the same tables.
 * Run: node bench/events.bench.ts [events]
 */
import type { OrderState } from '../contract/events.ts'
import {
  append,
  type Lane,
  lanes,
  type NewEvent,
  PROJECT,
  projectOnce,
  readLog,
  recordOrders,
  registerConsumers,
  START,
} from '../server/events/events.ts'
import { projectedColumns, projectedRows, projectedTables } from '../server/events/project-rows.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { newId } from '../server/platform/ids.ts'
import { takeLease } from '../server/platform/jobs/lease.ts'
import { copyIn } from '../server/platform/postgres/copy.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql, trusted } from '../server/platform/postgres/sql.ts'
import { count, figure, secondsOf } from './figures.ts'
import { inStores } from './stores.ts'

const EVENTS = Number(process.argv[2] ?? 200_000)
const BATCH = 5_000
const PERSONS = 20_000
const at = new Date('2026-03-01T02:00:00Z')

await inStores(({ db, clickhouse }) => report(db, clickhouse))

async function report(on: Database, into: ClickHouse): Promise<void> {
  await registerConsumers(on, [PROJECT])
  const events = Array.from({ length: EVENTS }, (_, index) => eventOf(index))
  const plain = await secondsOf(() =>
    inBatches(events, (some) => on.transaction((tx) => append(tx, some, how('live')))),
  )
  const plainLimit = await copyAgain(on, ['event_log'])
  await on.run(sql`truncate event_log`)
  const deduped = await secondsOf(() =>
    inBatches(events, (some) => on.transaction((tx) => append(tx, some, { ...how('live'), dedupe: true }))),
  )
  const dedupedLimit = await copyAgain(on, ['event_log', 'seen_a'])
  const read = await secondsOf(() => readAll(on))
  const projectLimit = await insertPrepared(on, into)
  const project = await secondsOf(() => projectAll(on, into))
  await on.run(sql`truncate event_log`)
  const orders = Array.from({ length: Math.floor(EVENTS / 4) }, (_, index) => orderOf(index))
  const recorded = await secondsOf(() =>
    inBatches(orders, (some) =>
      on.transaction((tx) =>
        recordOrders(
          tx,
          some.map((order, index) => ({ profileId: index + 1, personId: index + 1, order })),
          how('bulk'),
        ),
      ),
    ),
  )
  const recordedLimit = await copyAgain(on, ['document', 'event_log'])
  const lines = [
    ['Append events to the log, against COPY of the same rows', EVENTS, plain, plainLimit],
    ['Append events, de-duplicated, against COPY', EVENTS, deduped, dedupedLimit],
    ['Read the log by position', EVENTS, read, undefined],
    ['Project events into ClickHouse, against inserting the same rows', EVENTS, project, projectLimit],
    ['Record orders of 2 lines, against COPY', orders.length, recorded, recordedLimit],
  ] as const
  for (const [what, rows, seconds, limit] of lines)
    figure({
      what,
      data: `${count(rows)} in batches of ${count(BATCH)}, ${count(PERSONS)} persons`,
      ours: `${count(rows / seconds)}/s`,
      ...(limit === undefined ? {} : { limit: `${count(rows / limit)}/s`, ratio: limit / seconds }),
    })
}

async function inBatches<T>(all: readonly T[], work: (some: T[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += BATCH) await work(all.slice(from, from + BATCH))
}

/** Seconds that COPY takes for the rows of these tables, in batches of 5,000 and one transaction each. */
async function copyAgain(on: Database, tables: readonly string[]): Promise<number> {
  let seconds = 0
  for (const table of tables) {
    const columns =
      table === 'event_log'
        ? '(day, xid, lane, id, type, profile_id, person_id, at, received_at, source, data)'
        : ''
    const lines = await copyOut(on, table, columns)
    await on.run(sql`truncate ${trusted(table)}`)
    seconds += await secondsOf(() =>
      inBatches(lines, (some) =>
        on.transaction((tx) => copyIn(tx, `copy ${table} ${columns} from stdin`, some)),
      ),
    )
  }
  return seconds
}

/** The rows of a table as lines of COPY. */
async function copyOut(on: Database, table: string, columns: string): Promise<string[]> {
  const names = columns.replace(/[()]/g, '') || '*'
  const rows = await on.rows<{ line: string }>(sql`
    select array_to_string(array(select coalesce(replace(replace(value, '\\', '\\\\'), e'\t', '\\t'), '\\N')
      from json_each_text(row_to_json(r))), e'\t') || e'\n' as line
    from (select ${trusted(names)} from ${trusted(table)}) r`)
  return rows.map((row) => row.line)
}

async function readAll(on: Database): Promise<void> {
  let after = START
  for (;;) {
    const events = await readLog(on, { lane: 'live', after, limit: BATCH })
    const last = events.at(-1)
    if (!last) return
    after = last
  }
}

async function projectAll(on: Database, into: ClickHouse): Promise<void> {
  const token = await takeLease(on, PROJECT, 3_600_000)
  if (!token) throw new Error('the lease is held')
  for (const lane of lanes) while ((await projectOnce(on, into, { lane, token, now: at })) > 0);
}

async function insertPrepared(on: Database, into: ClickHouse): Promise<number> {
  let seconds = 0
  let after = START
  for (;;) {
    const events = await readLog(on, { lane: 'live', after, limit: 10_000 })
    const last = events.at(-1)
    if (!last) break
    after = last
    const rows = projectedRows(events, new Map())
    for (const table of projectedTables) {
      const bytes = Buffer.from(rows[table].join('\n'))
      const how = { columns: projectedColumns[table], arrays: true }
      seconds += await secondsOf(() => into.insert(table, bytes, how))
    }
  }
  for (const table of projectedTables) await into.command(`truncate table ${table}`)
  return seconds
}

function how(lane: Lane) {
  return { lane, source: 'bench', receivedAt: at } as const
}

function eventOf(index: number): NewEvent {
  const person = (index % PERSONS) + 1
  const data = {
    page: `/goods/${index % 500}`,
    dwellSeconds: index % 90,
    from: 'mini-program',
    campaign: 'spring',
    shop: '静安店',
  }
  return { id: newId(at), type: 'page_viewed', profileId: person, personId: person, at, data }
}

function orderOf(index: number): OrderState {
  const line = (sku: string) => ({
    sku,
    name: '连衣裙 春款',
    category: '女装',
    quantity: 1,
    priceCents: 19_900,
    discountCents: 0,
    costCents: 8000,
    refundedCents: 0,
  })
  const placedAt = new Date(at.getTime() - index * 1000).toISOString()
  return {
    source: 'bench',
    externalId: `2026-${index}`,
    placedAt,
    paidAt: placedAt,
    status: 'paid',
    totalCents: 39_800,
    refundedCents: 0,
    discountCents: 0,
    storeId: null,
    sellerId: null,
    channel: '门店',
    side: 'offline',
    campaign: null,
    coupon: null,
    lines: [line(`sku-${index % 300}`), line(`sku-${index % 70}`)],
  }
}
