/** Aggregates over purchases as ClickHouse SQL: the persons for whom a leaf comes out otherwise than for somebody without any purchase. */
import type { Compare, Measure, OrderFilter } from '../../../contract/rule.ts'
import type { Params } from '../../platform/clickhouse/clickhouse.ts'
import { type OrdersLeaf, verdictWithoutRows } from './orders-leaf.ts'
import { type Bounds, boundsOf, lineMatcher } from './selection.ts'
import type { ZoneDays } from './zone-days.ts'

/** How the rows of merged persons are read: see `placement` of events. */
export type Placed = { person: string; counts: string; params: Params }
export type PersonsQuery = { text: string; params: Params }

/** `holds`: whether the persons found satisfy the leaf; all others come out the other way. */
export function ordersSql(
  leaf: OrdersLeaf,
  now: number,
  days: ZoneDays,
  placed: Placed,
): PersonsQuery & { holds: boolean } {
  const holds = !verdictWithoutRows(leaf)
  const inner = selectedSql(
    leaf.filter,
    valueSql(leaf.measure, leaf.filter),
    boundsOf(leaf.window, now, days),
    now,
    placed,
  )
  const condition = conditionSql(leaf, days, now)
  return {
    text: `select person from (${inner.text}) group by person having ${holds ? '' : 'not '}(${condition.text})`,
    params: { ...inner.params, ...condition.params },
    holds,
  }
}

/** Persons whose last purchase of a category lies in one of the spans of days; all who ever bought it without spans. */
export function categorySql(
  category: string,
  spans: readonly (readonly [number, number])[] | undefined,
  now: number,
  days: ZoneDays,
  placed: Placed,
): PersonsQuery {
  const ever: Bounds = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true }
  const inner = selectedSql({ categories: [category] }, '0', ever, now, placed)
  const since = `{today:Int32} - toInt32(toDate32(max(at), {zone:String}))`
  const within = spans?.map(([low, high]) => `${since} between ${low} and ${high}`).join(' or ')
  return {
    text: `select person from (${inner.text}) group by person ${within === undefined ? '' : `having ${within}`}`,
    params: { ...inner.params, today: days.of(now), zone: days.zone },
  }
}

const cents = (column: string): string => `toInt64(${column} * 100)`
const milli = 'toInt64(quantity * 1000)'
const lineAmount = `(toInt64(floor((${milli} * ${cents('price')} + 500) / 1000)) - ${cents('discount')} - ${cents('refunded')})`

/** The value of one purchase: of the order, or of its lines that match, or of all its lines (pieces). */
function valueSql(measure: Measure, filter: OrderFilter): string {
  if (!('field' in measure)) return '0'
  if (byLines(filter) || measure.field === 'quantity') return `line_${measure.field}`
  return measure.field === 'amount' ? `${cents('total')} - ${cents('refunded')}` : cents('discount')
}

const byLines = (filter: OrderFilter): boolean => lineMatcher(filter) !== undefined

function selectedSql(
  filter: OrderFilter,
  value: string,
  bounds: Bounds,
  now: number,
  placed: Placed,
): PersonsQuery {
  const params: Record<string, Params[string]> = { ...placed.params, now }
  const where = ['purchase = 1', `${ms('orders.at')} <= {now:Int64}`, placed.counts]
  if (Number.isFinite(bounds.from)) {
    params['from'] = bounds.from
    where.push(`${ms('orders.at')} ${bounds.inclusive ? '>=' : '>'} {from:Int64}`)
  }
  if (Number.isFinite(bounds.to)) {
    params['to'] = bounds.to
    where.push(`${ms('orders.at')} < {to:Int64}`)
  }
  const among = (column: string, values: readonly string[] | undefined, type = 'String'): void => {
    if (!values) return
    params[column] = values
    where.push(`${column} in {${column}:Array(${type})}`)
  }
  among('store_id', filter.stores, 'UUID')
  among('seller_id', filter.sellers, 'UUID')
  among('channel', filter.channels)
  among('side', filter.sides)
  among('campaign', filter.campaigns)
  if (filter.withCoupon !== undefined) where.push(`coupon ${filter.withCoupon ? '!=' : '='} ''`)
  const join = byLines(filter) || value === 'line_quantity' ? lineJoin(filter, params) : ''
  return {
    text: `select ${placed.person} as person, orders.at as at, toString(id) as order_id, ${value} as value
      from orders final ${join} where ${where.join(' and ')}`,
    params,
  }
}

/** The lines that match, added up by order; an order without any does not count where lines are asked for. */
function lineJoin({ categories, skus }: OrderFilter, params: Record<string, Params[string]>): string {
  const where = ['purchase = 1']
  if (categories) {
    params['category'] = categories
    where.push('category in {category:Array(String)}')
  }
  if (skus) {
    params['sku'] = skus
    where.push('sku in {sku:Array(String)}')
  }
  const kind = categories || skus ? 'inner' : 'left'
  return `${kind} join (
      select person_id as line_person, order_id as line_order, sum(${milli}) as line_quantity,
        sum(${lineAmount}) as line_amount, sum(${cents('discount')}) as line_discount
      from order_lines final where ${where.join(' and ')} group by line_person, line_order
    ) lines on line_person = orders.person_id and line_order = orders.id`
}

function conditionSql(leaf: OrdersLeaf, days: ZoneDays, now: number): PersonsQuery {
  const { measure, compare } = leaf
  if (measure.of === 'count') return compareSql('toFloat64(count())', compare, '1')
  if (measure.of === 'days_since_first' || measure.of === 'days_since_last') {
    const at = measure.of === 'days_since_first' ? 'min(at)' : 'max(at)'
    const text = `toFloat64({today:Int32} - toInt32(toDate32(${at}, {zone:String})))`
    const { text: condition, params } = compareSql(text, compare, '1')
    return { text: condition, params: { ...params, today: days.of(now), zone: days.zone } }
  }
  const scale = 'field' in measure && measure.field === 'quantity' ? '1000' : '1'
  const value = {
    sum: 'sum(value)',
    avg: 'sum(value)',
    min: 'min(value)',
    max: 'max(value)',
    first: 'argMin(value, (at, order_id))',
    last: 'argMax(value, (at, order_id))',
  }[measure.of]
  return compareSql(`toFloat64(${value})`, compare, measure.of === 'avg' ? `${scale} * count()` : scale)
}

const signs = { eq: '=', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

function compareSql(value: string, compare: Compare, scale: string): PersonsQuery {
  const bound = (name: string): string => `{${name}:Float64} * toFloat64(${scale})`
  if (compare.op === 'between') {
    return {
      text: `${value} >= ${bound('low')} and ${value} <= ${bound('high')}`,
      params: { low: compare.from, high: compare.to },
    }
  }
  return { text: `${value} ${signs[compare.op]} ${bound('low')}`, params: { low: compare.value } }
}

const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`
