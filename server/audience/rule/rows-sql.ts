/**
 * Purchases and events as rows of ClickHouse: `person`, `moment` (ms since 1970), `row_id`, `value`, ascending by
 * (moment, row_id) as the series of a person are. A value is in units of the series; for what is to be told from others
 * it is an array of texts.
 */
import { loggedAs } from '../../../contract/rule-events.ts'
import {
  type Compare,
  type EventFilter,
  type EventMeasure,
  type Measure,
  numbersAmong,
  type Occurrence,
  type OrderFilter,
  type PropertyFilter,
} from '../../../contract/rule-parts.ts'
import type { Param, Params } from '../../platform/clickhouse/clickhouse.ts'
import { lineMatcher, needsLines } from './order-series.ts'
import type { ZoneDays } from './zone-days.ts'

/** How the rows of merged persons are read: see `placement` of events. */
export type Placed = { person: string; counts: string; params: Params }
export type PersonsQuery = { text: string; params: Params }

/** Values of one query on their way to it: each gets a name of its own. */
export class Bind {
  readonly params: Record<string, Param>

  constructor(params: Params = {}) {
    this.params = { ...params }
  }

  value(value: Param, type: string): string {
    const name = `v${Object.keys(this.params).length}`
    this.params[name] = value
    return `{${name}:${type}}`
  }
}

export type RowsHow = { now: number; days: ZoneDays; placed: Placed; bind: Bind }

const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`
const cents = (column: string): string => `toInt64(${column} * 100)`
const milli = 'toInt64(quantity * 1000)'
const lineAmount = `(toInt64(floor((${milli} * ${cents('price')} + 500) / 1000)) - ${cents('discount')} - ${cents('refunded')})`
const NOBODY = `toUUID('00000000-0000-0000-0000-000000000000')`

export function occurrenceRows(what: Occurrence, how: RowsHow): string {
  return what.of === 'purchase'
    ? purchaseRows(what.filter, { of: 'count' }, how)
    : eventRows(what.filter, { of: 'count' }, how)
}

export function purchaseRows(filter: OrderFilter, measure: Measure, how: RowsHow): string {
  const { bind, placed, now } = how
  const where = ['purchase = 1', `${ms('orders.at')} <= ${bind.value(now, 'Int64')}`, placed.counts]
  const among = amongSql(where, bind)
  among('store_id', filter.stores, 'UUID')
  among('seller_id', filter.sellers, 'UUID')
  among('channel', filter.channels)
  among('side', filter.sides)
  among('campaign', filter.campaigns)
  if (filter.withCoupon !== undefined) where.push(`coupon ${filter.withCoupon ? '!=' : '='} ''`)
  const paid = `${cents('total')} - ${cents('refunded')}`
  if (filter.amount) where.push(compareSql(`toFloat64(${paid})`, filter.amount, bind))
  const value = valueSql(filter, measure, how, paid)
  const join = needsLines(filter, measure) ? lineJoin(filter, bind) : ''
  return `select ${placed.person} as person, ${ms('orders.at')} as moment, toString(id) as row_id, ${value} as value
    from orders final ${join} where ${where.join(' and ')}`
}

/** The value of one purchase: of the order, or of its lines that match, or of all its lines (pieces). */
function valueSql(filter: OrderFilter, measure: Measure, { bind, days }: RowsHow, paid: string): string {
  if (measure.of === 'distinct') {
    if (measure.by === 'day') return dayText('orders.at', bind.value(days.zone, 'String'))
    if (measure.by === 'store') return `if(store_id = ${NOBODY}, [], [toString(store_id)])`
    return measure.by === 'sku' ? 'line_skus' : 'line_categories'
  }
  if (!('field' in measure)) return '0'
  if (lineMatcher(filter) || measure.field === 'quantity') return `line_${measure.field}`
  return measure.field === 'amount' ? paid : cents('discount')
}

const dayText = (column: string, zone: string): string => `[toString(toDate32(${column}, ${zone}))]`

/** The lines that match, added up by order; an order without any does not count where lines are asked for. */
function lineJoin(filter: OrderFilter, bind: Bind): string {
  const where = ['purchase = 1']
  const among = amongSql(where, bind)
  among('category', filter.categories)
  among('sku', filter.skus)
  return `${lineMatcher(filter) ? 'inner' : 'left'} join (
      select person_id as line_person, order_id as line_order, sum(${milli}) as line_quantity,
        sum(${lineAmount}) as line_amount, sum(${cents('discount')}) as line_discount,
        groupUniqArrayIf(sku, sku != '') as line_skus, groupUniqArrayIf(toString(category), category != '') as line_categories
      from order_lines final where ${where.join(' and ')} group by line_person, line_order
    ) lines on line_person = orders.person_id and line_order = orders.id`
}

export function eventRows(filter: EventFilter, measure: EventMeasure, how: RowsHow): string {
  const { bind, placed, now, days } = how
  const { type, state } = loggedAs(filter.event)
  const where = [
    `type = ${bind.value(type, 'String')}`,
    `${ms('events.at')} <= ${bind.value(now, 'Int64')}`,
    placed.counts,
  ]
  const among = amongSql(where, bind)
  among('detail', state === undefined ? filter.names : [state])
  among('channel', filter.channels)
  among('store_id', filter.stores, 'UUID')
  among('subject_id', filter.journeys, 'UUID')
  for (const property of filter.properties ?? []) where.push(propertySql(property, bind))
  let value = '0'
  if (measure.of === 'distinct_days') value = dayText('events.at', bind.value(days.zone, 'String'))
  else if ('property' in measure) {
    const key = bind.value(measure.property, 'String')
    where.push(measure.of === 'distinct' ? isKnown(key) : `mapContains(numbers, ${key})`)
    value =
      measure.of === 'distinct'
        ? `[if(mapContains(numbers, ${key}), concat('n', toString(numbers[${key}] + 0)), concat('t', texts[${key}]))]`
        : `toInt64(floor(least(greatest(numbers[${key}], -1e12), 1e12) * 1000 + 0.5))`
  }
  return `select ${placed.person} as person, ${ms('events.at')} as moment, toString(id) as row_id, ${value} as value
    from events where ${where.join(' and ')}`
}

const isKnown = (key: string): string => `(texts[${key}] != '' or mapContains(numbers, ${key}))`

function propertySql(filter: PropertyFilter, bind: Bind): string {
  const key = bind.value(filter.property, 'String')
  const text = `texts[${key}]`
  switch (filter.op) {
    case 'in':
    case 'not_in': {
      const texts = `${text} in ${bind.value(filter.values, 'Array(String)')}`
      const numbers = numbersAmong(filter.values)
      const found =
        numbers.length === 0
          ? texts
          : `(${texts} or (mapContains(numbers, ${key}) and numbers[${key}] in ${bind.value(numbers, 'Array(Float64)')}))`
      return filter.op === 'in' ? found : `not (${found})`
    }
    case 'contains':
      return `arrayExists(part -> position(${text}, part) > 0, ${bind.value(filter.values, 'Array(String)')})`
    case 'compare':
      return `(mapContains(numbers, ${key}) and ${compareSql(`numbers[${key}]`, filter.compare, bind)})`
    default:
      return filter.op === 'known' ? isKnown(key) : `not ${isKnown(key)}`
  }
}

function amongSql(where: string[], bind: Bind) {
  return (column: string, values: readonly string[] | undefined, type = 'String'): void => {
    if (values) where.push(`${column} in ${bind.value(values, `Array(${type})`)}`)
  }
}

const signs = { eq: '=', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

/** `value` compared with the bounds times `scale`, as floats: as the function does it. */
export function compareSql(value: string, compare: Compare, bind: Bind, scale = '1'): string {
  const bound = (number: number): string => `${bind.value(number, 'Float64')} * toFloat64(${scale})`
  if (compare.op === 'between')
    return `(${value} >= ${bound(compare.from)} and ${value} <= ${bound(compare.to)})`
  return `${value} ${signs[compare.op]} ${bound(compare.value)}`
}
