/** Conditions about purchases, events and coupons as ClickHouse SQL: the persons for whom they come out otherwise than for somebody without any. */
import type { Leaf } from '../../../contract/rule.ts'
import type { Window } from '../../../contract/rule-parts.ts'
import { type Question, verdictWithoutRows } from './measured.ts'
import {
  Bind,
  compareSql,
  eventRows,
  occurrenceRows,
  type PersonsQuery,
  type Placed,
  purchaseRows,
  type RowsHow,
} from './rows-sql.ts'
import { aggregateOf, type Fold } from './series.ts'
import { boundsOf, rollingMs } from './windows.ts'
import type { ZoneDays } from './zone-days.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>
/** When it is, in which zone, and how merged persons are read. */
export type AskedOf = { now: number; days: ZoneDays; placed: Placed }
/** `holds`: whether the persons found satisfy the leaf; all others come out the other way. */
export type Asked = PersonsQuery & { holds: boolean }

/** A window since joining begins where ClickHouse cannot see: it has no SQL. */
export class NoSql extends Error {
  override name = 'NoSql'
}

/** Errors: `NoSql`. */
export function measuredSql(leaf: LeafOf<'orders' | 'events'>, asked: AskedOf): Asked {
  const how = { ...asked, bind: new Bind(asked.placed.params) }
  const question = { ...aggregateOf(leaf.measure), window: leaf.window, compare: leaf.compare }
  const holds = !verdictWithoutRows(question)
  const all =
    leaf.kind === 'orders'
      ? purchaseRows(leaf.filter, leaf.measure, how)
      : eventRows(leaf.filter, leaf.measure, how)
  const rows = windowed(all, leaf.window, how)
  const text = `select person from (${rows}) group by person having ${holds ? '' : 'not '}(${conditionSql(question, how)})`
  return { text, params: how.bind.params, holds }
}

/** The rows that lie in the window. */
function windowed(rows: string, window: Window, how: RowsHow): string {
  if (window.kind === 'ever') return rows
  const { bind } = how
  if (window.kind === 'since') {
    const { anchor, days } = window
    if (anchor.at === 'joining') throw new NoSql('a window since joining')
    const begins = `select person as anchored, ${anchor.at === 'first' ? 'min' : 'max'}(moment) as begins
      from (${occurrenceRows(anchor.what, how)}) group by person`
    const until = days === undefined ? '' : `and moment < begins + ${bind.value(rollingMs(days), 'Int64')}`
    return `select person, moment, row_id, value from (${rows}) rows inner join (${begins}) anchors on anchored = person
      where moment > begins ${until}`
  }
  const { from, to, inclusive } = boundsOf(window, how.now, how.days)
  const where = [`moment ${inclusive ? '>=' : '>'} ${bind.value(from, 'Int64')}`]
  if (Number.isFinite(to)) where.push(`moment < ${bind.value(to, 'Int64')}`)
  return `select person, moment, row_id, value from (${rows}) where ${where.join(' and ')}`
}

const values: Readonly<Record<Exclude<Fold, 'count' | 'days_since_first' | 'days_since_last'>, string>> = {
  distinct: 'uniqExactArray(value)',
  sum: 'sum(value)',
  avg: 'sum(value)',
  min: 'min(value)',
  max: 'max(value)',
  first: 'argMin(value, (moment, row_id))',
  last: 'argMax(value, (moment, row_id))',
}

function conditionSql({ fold, scale, compare }: Question, how: RowsHow): string {
  const { bind } = how
  if (fold === 'count') return compareSql('toFloat64(count())', compare, bind)
  if (fold === 'days_since_first' || fold === 'days_since_last') {
    const moment = fold === 'days_since_first' ? 'min(moment)' : 'max(moment)'
    return compareSql(`toFloat64(${daysSince(moment, how)})`, compare, bind)
  }
  return compareSql(
    `toFloat64(${values[fold]})`,
    compare,
    bind,
    fold === 'avg' ? `${scale} * count()` : `${scale}`,
  )
}

/** Whole days of the zone from a moment to today. */
function daysSince(moment: string, { bind, days, now }: RowsHow): string {
  const day = `toInt32(toDate32(fromUnixTimestamp64Milli(${moment}), ${bind.value(days.zone, 'String')}))`
  return `${bind.value(days.of(now), 'Int32')} - ${day}`
}

/** Errors: `NoSql`. */
export function sequenceSql(leaf: LeafOf<'sequence'>, asked: AskedOf): Asked {
  const how = { ...asked, bind: new Bind(asked.placed.params) }
  const { bind } = how
  const first = windowed(occurrenceRows(leaf.first, how), leaf.window, how)
  const second = occurrenceRows(leaf.second, how)
  const span = bind.value(rollingMs(leaf.withinDays), 'Int64')
  const firsts = {
    any: 'groupArrayIf(moment, place = 1)',
    first: 'if(countIf(place = 1) = 0, [], [minIf(moment, place = 1)])',
    last: 'if(countIf(place = 1) = 0, [], [maxIf(moment, place = 1)])',
  }[leaf.which]
  const followed = `arrayExists(other -> other > one and other < one + ${span}, seconds)`
  const match = leaf.happened
    ? followed
    : `one + ${span} <= ${bind.value(asked.now, 'Int64')} and not ${followed}`
  const text = `select person from (
      select person, ${firsts} as firsts, groupArrayIf(moment, place = 2) as seconds
      from (select person, moment, 1 as place from (${first}) union all select person, moment, 2 as place from (${second}))
      group by person
    ) where arrayExists(one -> ${match}, firsts)`
  return { text, params: bind.params, holds: true }
}

export function couponSql(leaf: LeafOf<'coupon'>, { now, placed }: AskedOf): Asked {
  const bind = new Bind(placed.params)
  const at = bind.value(now, 'Int64')
  const last = (value: string): string =>
    `argMax(${value}, (toUnixTimestamp64Milli(events.at), toString(id)))`
  const waits = `(told = 'received' and (expires = 0 or expires > ${at}))`
  const where = [
    `if(told = 'received' and not ${waits}, 'expired', told) in ${bind.value(leaf.states, 'Array(String)')}`,
  ]
  if (leaf.kinds) where.push(`kind in ${bind.value(leaf.kinds, 'Array(String)')}`)
  if (leaf.expiresWithinDays !== undefined) {
    const until = bind.value(now + rollingMs(leaf.expiresWithinDays), 'Int64')
    where.push(`${waits} and expires != 0 and expires <= ${until}`)
  }
  const text = `select person from (
      select ${placed.person} as person, subject_id, ${last('toString(detail)')} as told, ${last(`texts['kind']`)} as kind,
        ${last(`toInt64(numbers['expiresAt'])`)} as expires
      from events where type = 'coupon_changed' and toUnixTimestamp64Milli(events.at) <= ${at} and ${placed.counts}
      group by person, subject_id
    ) where ${where.join(' and ')} group by person having count() >= ${bind.value(leaf.atLeast, 'Int64')}`
  return { text, params: bind.params, holds: true }
}

/** Persons whose last purchase of a category lies in one of the spans of days; all who ever bought it without spans. */
export function categorySql(
  category: string,
  spans: readonly (readonly [number, number])[] | undefined,
  asked: AskedOf,
): PersonsQuery {
  const how = { ...asked, bind: new Bind(asked.placed.params) }
  const rows = purchaseRows({ categories: [category] }, { of: 'count' }, how)
  const within = spans
    ?.map(([low, high]) => `${daysSince('max(moment)', how)} between ${low} and ${high}`)
    .join(' or ')
  const text = `select person from (${rows}) group by person ${within === undefined ? '' : `having ${within}`}`
  return { text, params: how.bind.params }
}
