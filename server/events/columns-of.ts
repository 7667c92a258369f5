/**
 * Reading orders and events of many persons as columns, a range of them or those named: what `rowsOf` gives as
 * objects, without an object for any row. Times are ms since 1970, amounts cents, quantities thousandths; '' stands for
 * what is not known. Bounded by memory: the caller chooses how many persons.
 */
import type { EventType } from '../../contract/events.ts'
import type { Block, CallOptions, ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'
import { type Gathered, gathered } from '../platform/clickhouse/gathered.ts'
import { eventConditions, ms } from './event-rows.ts'
import { inOrder } from './person-order.ts'

/** Persons from `from` on, before `before`; or those with these ids. Persons whose rows stand elsewhere are to be read by `rowsOf`. */
export type PersonSet = { from: number; before: number } | { ids: readonly number[] }
export type ColumnsWanted = PersonSet & { call?: CallOptions | undefined }

const within = (persons: PersonSet): string =>
  'ids' in persons
    ? 'person_id in {ids:Array(Int32)}'
    : 'person_id >= {from:Int32} and person_id < {before:Int32} and person_id > 0'
const NOBODY = "toUUID('00000000-0000-0000-0000-000000000000')"
const idText = (column: string): string => `if(${column} = ${NOBODY}, '', toString(${column}))`
/** Sent as a dictionary and places in it, where many are equal. */
const fewTexts = (text: string): string => `toLowCardinality(${text})`
const cents = (amount: string): string => `toFloat64(toInt64((${amount}) * 100))`

const orderFields = {
  discount: cents('discount'),
  store: fewTexts(idText('store_id')),
  seller: fewTexts(idText('seller_id')),
  channel: 'toString(channel)',
  side: 'toString(side)',
  campaign: 'toString(campaign)',
  coupon: "toUInt8(coupon != '')",
} as const
/** What of a purchase is read beside its time and amount. */
export type PurchaseField = keyof typeof orderFields

/** `standing`: the places of purchases, ascending by person and time; columns `person`, `at`, `id`, `amount` and the fields. */
export type PurchaseColumns = { columns: Gathered; standing: Int32Array }

/** Purchases: of each order the greatest version, where it is paid and not wholly refunded. */
export async function purchaseColumns(
  clickhouse: ClickHouse,
  persons: ColumnsWanted,
  fields: readonly PurchaseField[],
): Promise<PurchaseColumns> {
  const more = fields.map((field) => `, ${orderFields[field]} as f_${field}`).join('')
  const query = `select person_id as person, toFloat64(${ms('orders.at')}) as moment, id, version, toUInt8(purchase = 1 and deleted = 0) as counts,
      ${cents('total - refunded')} as amount${more}
    from orders where ${within(persons)}`
  const columns = await gathered(asked(clickhouse, query, persons))
  const versions = columns.numbers('version')
  const order = inOrder(columns, (left, right) => (versions[left] ?? 0) - (versions[right] ?? 0))
  return { columns, standing: lastVersions(columns, order, undefined) }
}

/** `standing`: the places of lines, ascending by person, time, order and line. */
export type LineColumns = { columns: Gathered; standing: Int32Array }

/** Lines of the orders, in the order of `purchaseColumns`. */
export async function lineColumns(clickhouse: ClickHouse, persons: ColumnsWanted): Promise<LineColumns> {
  const query = `select person_id as person, toFloat64(${ms('order_lines.at')}) as moment, order_id as id, version, toUInt8(deleted = 0) as counts,
      toFloat64(line) as place, sku, toString(category) as kind, toFloat64(toInt64(quantity * 1000)) as milli, ${cents('price')} as unit,
      ${cents('discount')} as less, ${cents('refunded')} as back
    from order_lines where ${within(persons)}`
  const columns = await gathered(asked(clickhouse, query, persons))
  const [lines, versions] = [columns.numbers('place'), columns.numbers('version')]
  const order = inOrder(
    columns,
    (left, right) =>
      (lines[left] ?? 0) - (lines[right] ?? 0) || (versions[left] ?? 0) - (versions[right] ?? 0),
  )
  return { columns, standing: lastVersions(columns, order, lines) }
}

/** Versions of one key stand together, ascending: the last counts. */
function lastVersions(
  columns: Gathered,
  order: Int32Array,
  lines: ArrayLike<number> | undefined,
): Int32Array {
  const [persons, moments] = [columns.numbers('person'), columns.numbers('moment')]
  const counts = columns.numbers('counts')
  const ids = columns.words('id')
  const same = (row: number, other: number): boolean =>
    persons[row] === persons[other] &&
    moments[row] === moments[other] &&
    lines?.[row] === lines?.[other] &&
    ids[row * 4] === ids[other * 4] &&
    ids[row * 4 + 1] === ids[other * 4 + 1] &&
    ids[row * 4 + 2] === ids[other * 4 + 2] &&
    ids[row * 4 + 3] === ids[other * 4 + 3]
  let found = 0
  for (let place = 0; place < order.length; place += 1) {
    const row = order[place] ?? 0
    if (counts[row] !== 1) continue
    const after = order[place + 1]
    if (after !== undefined && same(row, after)) continue
    order[found] = row
    found += 1
  }
  return order.subarray(0, found)
}

const eventFields = {
  channel: 'toString(channel)',
  store: fewTexts(idText('store_id')),
  subject: idText('subject_id'),
} as const
export type EventField = keyof typeof eventFields

/** Which events: each type with the details that it must have (undefined: any), from when on, and what is read of them. */
export type EventColumnsPick = {
  readonly types: ReadonlyMap<EventType, readonly string[] | undefined>
  /** ms since 1970; a type that is absent is read whole. */
  readonly since: ReadonlyMap<EventType, number>
  readonly fields: readonly EventField[]
  readonly texts: readonly string[]
  readonly numbers: readonly string[]
}

/** `standing`: the places of the events, ascending by person, time and id. */
export type EventColumns = { columns: Gathered; standing: Int32Array }

/**
 * Events with the columns `person`, `moment`, `id`, `what`, `told`, the fields, `t0`, `t1` … for
 * the texts ('' for none) and `n0`, `n1` … for the numbers (NaN for none).
 */
export async function eventColumns(
  clickhouse: ClickHouse,
  persons: ColumnsWanted,
  pick: EventColumnsPick,
): Promise<EventColumns> {
  const { text, params } = eventConditions(pick)
  const texts = pick.texts.map((_, place) => `, ${fewTexts(`texts[{text${place}:String}]`)} as t${place}`)
  const numbers = pick.numbers.map(
    (_, place) =>
      `, if(mapContains(numbers, {number${place}:String}), numbers[{number${place}:String}], nan) as n${place}`,
  )
  const keys = Object.fromEntries([
    ...pick.texts.map((key, place) => [`text${place}`, key]),
    ...pick.numbers.map((key, place) => [`number${place}`, key]),
  ])
  const fields = pick.fields.map((field) => `, ${eventFields[field]} as f_${field}`)
  const query = `select person_id as person, toFloat64(${ms('events.at')}) as moment, id, toString(type) as what, toString(detail) as told
      ${[...fields, ...texts, ...numbers].join('')}
    from events where ${within(persons)} and (${text})`
  const columns = await gathered(asked(clickhouse, query, persons, { ...params, ...keys }))
  return { columns, standing: inOrder(columns) }
}

/** When each person's last event of the types was: columns `person` and `moment`, ascending by person. */
export function lastEventColumns(
  clickhouse: ClickHouse,
  persons: ColumnsWanted,
  types: readonly EventType[],
): Promise<Gathered> {
  const query = `select person_id as person, toFloat64(${ms('max(events.at)')}) as moment from events
    where ${within(persons)} and type in {types:Array(String)} group by person_id order by person_id settings optimize_aggregation_in_order = 1`
  return gathered(asked(clickhouse, query, persons, { types }))
}

function asked(
  clickhouse: ClickHouse,
  query: string,
  { call, ...persons }: ColumnsWanted,
  params: Params = {},
): AsyncIterable<Block> {
  return clickhouse.blocks(query, { ...persons, ...params }, { lane: 'heavy', ...call })
}
