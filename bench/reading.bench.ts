/**
 * Ways to read everybody's purchases in order of person, the HTTP hop included: as JSON rows, as binary rows, as
 * columns; and ways not to read them: one query with a conditional aggregate for each condition. The limit is the engine
 * reading the same columns in the same order and sending nothing.
 * Run: node bench/reading.bench.ts [persons] [rows]; BENCH_BASE names a folder in which the base is kept.
 */
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { count, figure, inSeconds, type Spent, spentOn } from './figures.ts'
import { baseRows, fillBase, NOW } from './large-base.ts'
import { inStores } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 200_000)
const ROWS = Number(process.argv[3] ?? PERSONS * 20)
const CONDITIONS = 70

const columns = `select person_id as person, toFloat64(toUnixTimestamp64Milli(orders.at)) as moment, id, version,
  toUInt8(purchase = 1 and deleted = 0) as counts, toFloat64(toInt64((total - refunded) * 100)) as amount
  from orders order by person_id, orders.at, orders.id`

function said({ seconds, processor }: Spent): string {
  return `${inSeconds(seconds)} (${inSeconds(processor)} of processor)`
}

async function least(work: () => Promise<unknown>): Promise<Spent> {
  const found = [await spentOn(work), await spentOn(work)]
  return found.sort((left, right) => left.seconds - right.seconds)[0] as Spent
}

async function jsonRows(clickhouse: ClickHouse): Promise<number> {
  let sum = 0
  for await (const rows of clickhouse.stream<[number, number, string, number, number, number]>(columns))
    for (const row of rows) sum += row[5]
  return sum
}

async function blocks(clickhouse: ClickHouse): Promise<number> {
  let sum = 0
  for await (const { rows, columns: found } of clickhouse.blocks(columns)) {
    const amounts = found[5] as Float64Array
    for (let row = 0; row < rows; row += 1) sum += amounts[row] ?? 0
  }
  return sum
}

/** Of each row 4 + 8 + 16 + 4 + 1 + 8 bytes; asked for as the client of the platform does. */
const ROW_BYTES = 41

async function binaryRows({ options }: ClickHouse): Promise<number> {
  const answer = await fetch(
    `${options.url}/?${new URLSearchParams({ database: options.database, query: `${columns} format RowBinary` })}`,
    {
      method: 'POST',
      headers: {
        'X-ClickHouse-User': options.user,
        'X-ClickHouse-Key': options.password,
        'X-Liuliang-Lane': 'heavy',
      },
    },
  )
  if (!answer.ok || !answer.body) throw new Error(await answer.text())
  let sum = 0
  let rest = Buffer.alloc(0)
  for await (const piece of answer.body) {
    const bytes = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    let at = 0
    for (; at + ROW_BYTES <= bytes.length; at += ROW_BYTES) {
      const row = {
        person: bytes.readInt32LE(at),
        moment: bytes.readDoubleLE(at + 4),
        id: bytes.readUInt32LE(at + 12),
        version: bytes.readUInt32LE(at + 28),
        counts: bytes[at + 32],
        amount: bytes.readDoubleLE(at + 33),
      }
      sum += row.amount
    }
    rest = Buffer.from(bytes.subarray(at))
  }
  return sum
}

/** Half of them over purchases, half over events, in windows of 7 to 365 days: what SQL would have to do at the least. */
async function conditional(clickhouse: ClickHouse): Promise<void> {
  const days = Array.from({ length: CONDITIONS / 2 }, (_, place) => 7 + place * 10)
  const after = (place: number): string =>
    `moment > toDateTime64({now:Int64}, 3, 'UTC') - toIntervalDay(${place})`
  const bought = days.map((each, place) =>
    place % 2 === 0 ? `countIf(${after(each)})` : `sumIf(amount, ${after(each)})`,
  )
  const happened = days.map((each, place) => `countIf(kind = ${place % 6} and ${after(each)})`)
  const params = { now: Math.floor(NOW.getTime() / 1000) }
  const from = (what: readonly string[], rows: string): string =>
    `select person, ${what.join(', ')} from (${rows}) group by person format Null`
  const folded = `select person_id as person, argMax(orders.at, version) as moment, argMax(total - refunded, version) as amount
    from orders group by person_id, orders.at, id having argMax(purchase, version) = 1 and argMax(deleted, version) = 0`
  const kinds = `select person_id as person, events.at as moment, transform(type, ['page_viewed', 'tracked', 'touch_sent', 'coupon_changed', 'visited_store', 'member_replied'], [0, 1, 2, 3, 4, 5], 6) as kind from events`
  await clickhouse.command(from(bought, folded), params, { lane: 'heavy' })
  await clickhouse.command(from(happened, kinds), params, { lane: 'heavy' })
}

await inStores(async ({ db, clickhouse }) => {
  const { persons } = await db.row<{ persons: number }>(sql`select count(*) as persons from person`)
  if (persons === 0) await fillBase(db, clickhouse, { persons: PERSONS, rows: ROWS })
  const { orders, events } = await baseRows(clickhouse)
  const data = `${count(persons || PERSONS)} persons, ${count(orders)} orders`
  const limit = await least(() => clickhouse.command(`${columns} format Null`, {}, { lane: 'heavy' }))
  const tell = (what: string, spent: Spent): void =>
    figure({
      what,
      data,
      ours: said(spent),
      limit: `${said(limit)}: the engine alone`,
      ratio: limit.seconds / spent.seconds,
    })
  tell('Purchases read as JSON rows', await least(() => jsonRows(clickhouse)))
  tell('Purchases read as binary rows', await least(() => binaryRows(clickhouse)))
  tell('Purchases read as columns', await least(() => blocks(clickhouse)))
  figure({
    what: `One query with ${CONDITIONS} conditional aggregates by person, numbers only`,
    data: `${data}, ${count(events)} events`,
    ours: said(await least(() => conditional(clickhouse))),
    limit: `${said(limit)}: the engine reading the purchases in order`,
  })
}, process.env['BENCH_BASE'])
