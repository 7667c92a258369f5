/** Conditions about attributes as PostgreSQL SQL over `person p` and the days `d` of `personsFrom`. */
import type { Leaf } from '../../../contract/rule.ts'
import { type Compare, NUMBER } from '../../../contract/rule-parts.ts'
import { join, type Sql, sql, trusted } from '../../platform/postgres/sql.ts'
import { dayFromNumber } from '../../platform/time/zone.ts'
import { DATE } from './attribute-leaf.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>

export const attributeColumns: Readonly<Record<string, string>> = {
  kind: 'p.kind',
  gender: 'p.gender',
  source: 'p.source',
  source_side: 'p.source_side',
  source_channel: 'p.source_channel',
  register_channel: 'p.register_channel',
  registration: 'p.registration',
  home_store: 'p.home_store_id::text',
  owner_staff: 'p.owner_staff_id::text',
  city: 'p.city',
  wecom: 'p.wecom',
  phone: 'p.phone',
}

function textOf(attribute: string): Sql {
  const column = attributeColumns[attribute]
  return column === undefined
    ? sql`nullif(p.attributes->>${attribute}::text, '')`
    : sql`nullif(${trusted(column)}, '')`
}

export function attributeSql(leaf: LeafOf<'attribute'>): Sql {
  const value = textOf(leaf.attribute)
  const some = (match: (part: string) => Sql, parts: readonly string[]): Sql =>
    sql`coalesce(${join(parts.map(match), ' or ')}, false)`
  switch (leaf.op) {
    case 'known':
      return sql`${value} is not null`
    case 'unknown':
      return sql`${value} is null`
    case 'compare':
      return sql`case when ${value} ~ ${NUMBER} then ${compareSql(sql`${value}::float8`, leaf.compare)} else false end`
    case 'contains':
      return some((part) => sql`strpos(${value}, ${part}::text) > 0`, leaf.values)
    case 'starts_with':
      return some((part) => sql`starts_with(${value}, ${part}::text)`, leaf.values)
    case 'ends_with':
      return some((part) => sql`right(${value}, length(${part}::text)) = ${part}::text`, leaf.values)
    default: {
      const within = sql`coalesce(${value} = any(${leaf.values}::text[]), false)`
      return leaf.op === 'in' ? within : sql`not ${within}`
    }
  }
}

/** `today`: counted from 1970-01-01. */
export function dateSql({ attribute, test }: LeafOf<'date'>, today: number): Sql {
  const since = sinceSql(attribute, today)
  if (test.op === 'days_since') return compareSql(since, test.compare)
  if (test.op === 'coming') return sql`${since} between ${-test.withinDays} and 0`
  const before = (day: string): Sql => sql`(${dayFromNumber(today)}::date - ${day}::date)`
  const parts = [sql`${since} is not null`]
  if (test.from !== null) parts.push(sql`${since} <= ${before(test.from)}`)
  if (test.to !== null) parts.push(sql`${since} >= ${before(test.to)}`)
  return join(parts, ' and ')
}

/** Whole days since the date; null where the text is no date. Days beyond the month run over. */
function sinceSql(attribute: LeafOf<'date'>['attribute'], today: number): Sql {
  if (attribute === 'joined') return sql`d.joined`
  const text = attribute === 'birthday' ? sql`p.birthday` : textOf(attribute)
  return sql`(select ${dayFromNumber(today)}::date - (make_date(part[1]::int, part[2]::int, 1) + part[3]::int - 1)
    from (select regexp_match(${text}, ${DATE}) as part offset 0) dated where part is not null)`
}

const signs = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

/** `value` compared with the numbers, each times `scale` where it is told. */
export function compareSql(value: Sql, compare: Compare, scale?: Sql): Sql {
  const bound = (number: number): Sql => (scale ? sql`${number}::float8 * ${scale}` : sql`${number}::float8`)
  if (compare.op === 'between') return sql`${value} between ${bound(compare.from)} and ${bound(compare.to)}`
  return sql`${value} ${trusted(signs[compare.op])} ${bound(compare.value)}`
}
