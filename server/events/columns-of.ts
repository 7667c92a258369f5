/**
 * Reading orders and events of a range of persons as columns, for questions about everybody: what `rowsOf` gives as
 * objects, without an object for any row. Times are ms since 1970, amounts cents, quantities thousandths; '' stands for
 * what is not known. Bounded by memory: the caller chooses the range.
 */
import type { EventType } from '../../contract/events.ts'
import type { Block, CallOptions, ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'
import { type Gathered, gathered } from '../platform/clickhouse/gathered.ts'
import { eventConditions, ms } from './event-rows.ts'

export type ColumnRange = {
  /** Persons from `from` on, before `before`. Persons whose rows stand elsewhere are to be read by `rowsOf`. */
  from: number
  before: number
  call?: CallOptions | undefined
}

const WITHIN = 'person_id >= {from:Int32} and person_id < {before:Int32} and person_id > 0'
const NOBODY = "toUUID('00000000-0000-0000-0000-000000000000')"
const idText = (column: string): string => `if(${column} = ${NOBODY}, '', toString(${column}))`
const cents = (amount: string): string => `toFloat64(toInt64((${amount}) * 100))`

const orderFields = {
  discount: cents('discount'),
  store: idText('store_id'),
  seller: idText('seller_id'),
  channel: 'toString(channel)',
  side: 'toString(side)',
  campaign: 'toString(campaign)',
  coupon: "toUInt8(coupon != '')",
} as const
/** What of a purchase is read beside its time and amount. */
export type PurchaseField = keyof typeof orderFields

/** `standing`: the places of purchases, ascending by person and time; columns `person`, `at`, `id`, `amount` and the fields. */
export type PurchaseColumns = { columns: Gathered; standing: Int32Array }

/** Purchases of the range: of each order the greatest version, where it is paid and not wholly refunded. */
export async function purchaseColumns(
  clickhouse: ClickHouse,
  range: ColumnRange,
  fields: readonly PurchaseField[],
): Promise<PurchaseColumns> {
  const more = fields.map((field) => `, ${orderFields[field]} as f_${field}`).join('')
  const query = `select person_id as person, toFloat64(${ms('orders.at')}) as moment, id, version, toUInt8(purchase = 1 and deleted = 0) as counts,
      ${cents('total - refunded')} as amount${more}
    from orders where ${WITHIN} order by person_id, orders.at, orders.id`
  const columns = await gathered(asked(clickhouse, query, range))
  return { columns, standing: lastVersions(columns, undefined) }
}

/** `standing`: the places of lines, ascending by person, time, order and line. */
export type LineColumns = { columns: Gathered; standing: Int32Array }

/** Lines of the orders of the range, in the order of `purchaseColumns`. */
export async function lineColumns(clickhouse: ClickHouse, range: ColumnRange): Promise<LineColumns> {
  const query = `select person_id as person, toFloat64(${ms('order_lines.at')}) as moment, order_id as id, version, toUInt8(deleted = 0) as counts,
      toFloat64(line) as place, sku, toString(category) as kind, toFloat64(toInt64(quantity * 1000)) as milli, ${cents('price')} as unit,
      ${cents('discount')} as less, ${cents('refunded')} as back
    from order_lines where ${WITHIN} order by person_id, order_lines.at, order_id, line`
  const columns = await gathered(asked(clickhouse, query, range))
  return { columns, standing: lastVersions(columns, columns.numbers('place')) }
}

/** Versions of one key stand together: the greatest counts, of equal ones the last. */
function lastVersions(columns: Gathered, lines: ArrayLike<number> | undefined): Int32Array {
  const [persons, moments] = [columns.numbers('person'), columns.numbers('moment')]
  const [versions, counts] = [columns.numbers('version'), columns.numbers('counts')]
  const ids = columns.words('id')
  const standing = new Int32Array(columns.rows)
  let found = 0
  let best = -1
  const same = (row: number): boolean =>
    persons[row] === persons[best] &&
    moments[row] === moments[best] &&
    lines?.[row] === lines?.[best] &&
    ids[row * 4] === ids[best * 4] &&
    ids[row * 4 + 1] === ids[best * 4 + 1] &&
    ids[row * 4 + 2] === ids[best * 4 + 2] &&
    ids[row * 4 + 3] === ids[best * 4 + 3]
  const settle = (): void => {
    if (best < 0 || counts[best] !== 1) return
    standing[found] = best
    found += 1
  }
  for (let row = 0; row < columns.rows; row += 1) {
    if (best >= 0 && same(row)) {
      if ((versions[row] ?? 0) >= (versions[best] ?? 0)) best = row
      continue
    }
    settle()
    best = row
  }
  settle()
  return standing.subarray(0, found)
}

const eventFields = {
  channel: 'toString(channel)',
  store: idText('store_id'),
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

export type EventColumns = Gathered

/**
 * Events ascending by person and time: columns `person`, `moment`, `id`, `what`, `told`, the fields, `t0`, `t1` … for
 * the texts ('' for none) and `n0`, `n1` … for the numbers (NaN for none).
 */
export function eventColumns(
  clickhouse: ClickHouse,
  range: ColumnRange,
  pick: EventColumnsPick,
): Promise<Gathered> {
  const { text, params } = eventConditions(pick)
  const texts = pick.texts.map((_, place) => `, texts[{text${place}:String}] as t${place}`)
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
    from events where ${WITHIN} and (${text}) order by person_id, events.at, events.id`
  return gathered(asked(clickhouse, query, range, { ...params, ...keys }))
}

/** When each person's last event of the types was: columns `person` and `moment`, ascending by person. */
export function lastEventColumns(
  clickhouse: ClickHouse,
  range: ColumnRange,
  types: readonly EventType[],
): Promise<Gathered> {
  const query = `select person_id as person, toFloat64(${ms('max(events.at)')}) as moment from events
    where ${WITHIN} and type in {types:Array(String)} group by person_id order by person_id`
  return gathered(asked(clickhouse, query, range, { types }))
}

function asked(
  clickhouse: ClickHouse,
  query: string,
  { from, before, call }: ColumnRange,
  params: Params = {},
): AsyncIterable<Block> {
  return clickhouse.blocks(query, { from, before, ...params }, { lane: 'heavy', ...call })
}
