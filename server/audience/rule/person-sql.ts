/**
 * A rule as SQL, for previews and counts: attributes, tags and states in PostgreSQL (person `p`, person_state `st`),
 * purchases, events and coupons as sets of persons from ClickHouse.
 *
 * Held to the compiled function by a property: for everybody who is evaluated, both give the same answer. States are
 * derived from the stored purchases and dates as of `now`, so an edge that was passed a moment ago counts already.
 */
import {
  boughtStates,
  type Edges,
  edgesOf,
  INTERACTION_SILENT_DAYS,
  JOIN_NEW_DAYS,
  JOIN_RECENT_DAYS,
  LOYAL_PURCHASES,
  neverStates,
  OWN_CYCLE_MULTIPLES,
} from '../../../contract/lifecycle.ts'
import { rfmRules } from '../../../contract/rfm.ts'
import { keyOf, type Leaf, type Rule } from '../../../contract/rule.ts'
import { join, type Sql, sql, trusted } from '../../platform/postgres/sql.ts'
import { unreachable } from '../../platform/problem.ts'
import { dayFromNumber, steadyOffset, type Zone } from '../../platform/time/zone.ts'
import { attributeColumns, attributeSql, compareSql, dateSql } from './attribute-sql.ts'
import { birthdaysWithin } from './birthday.ts'
import { type Definitions, withDescendants } from './definitions.ts'
import { type Asked, categorySql, couponSql, measuredSql, sequenceSql } from './history-sql.ts'
import type { PersonsQuery, Placed } from './rows-sql.ts'
import { drawSql, seedOf } from './sample.ts'
import { ZoneDays } from './zone-days.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>

/** A condition over `personsFrom`, once the sets are known. */
export type PersonSql = {
  /** Sets of persons to ask ClickHouse for. */
  readonly sets: readonly PersonsQuery[]
  /** `members` in the order of `sets`. */
  condition(members: readonly (readonly number[])[]): Sql
}

/** Errors: `NoSql` where the rule, or one that it refers to, has a condition that only the function can answer. */
export function compileSql(rule: Rule, definitions: Definitions, now: number, placed: Placed): PersonSql {
  const days = new ZoneDays(definitions.zone)
  const sets: PersonsQuery[] = []
  const places = new Map<string, number>()
  let members: readonly (readonly number[])[] = []
  const place = (query: PersonsQuery): number => {
    const key = keyOf(query)
    const known = places.get(key) ?? sets.push(query) - 1
    places.set(key, known)
    return known
  }
  const inSet = (at: number): Sql => sql`p.id = any(${members[at] ?? []}::int[])`
  const context: Context = { definitions, days, now, placed, place, inSet }
  const built = tree(rule, context)
  return {
    sets,
    condition(given) {
      members = given
      return built()
    },
  }
}

type Build = () => Sql
type Context = {
  definitions: Definitions
  days: ZoneDays
  now: number
  placed: Placed
  place(query: PersonsQuery): number
  inSet(place: number): Sql
}

function tree(rule: Rule, context: Context): Build {
  if (rule.kind === 'not') {
    const inner = tree(rule.rule, context)
    return () => sql`not (${inner()})`
  }
  if (rule.kind !== 'all' && rule.kind !== 'any') {
    const leaf = leafSql(rule, context)
    return () => sql`coalesce(${leaf()}, false)`
  }
  const parts = rule.rules.map((child) => tree(child, context))
  const [word, empty] = rule.kind === 'all' ? [' and ', 'true'] : [' or ', 'false']
  return () =>
    parts.length === 0
      ? trusted(empty)
      : sql`(${join(
          parts.map((part) => part()),
          word,
        )})`
}

function leafSql(leaf: Leaf, context: Context): Build {
  const { definitions, days, now } = context
  switch (leaf.kind) {
    case 'orders':
    case 'events':
      return askedSql(measuredSql(leaf, context), context)
    case 'sequence':
      return askedSql(sequenceSql(leaf, context), context)
    case 'coupon':
      return askedSql(couponSql(leaf, context), context)
    case 'lifecycle':
      return leaf.category === undefined
        ? constant(sql`${lifecycleSql(edgesOf(definitions.bands), context)} = any(${leaf.states}::text[])`)
        : categoryLeaf(leaf, leaf.category, context)
    case 'own_cycle':
      return constant(sql`${ownCycleSql} = any(${leaf.states}::text[])`)
    case 'order_stage':
      return constant(
        sql`(array['new', 'first_purchase', 'one_to_two', 'two_to_three', 'more'])[least(${purchases}, 4) + 1] = any(${leaf.stages}::text[])`,
      )
    case 'join_recency':
      return constant(sql`case when ${sinceJoining} is null then 'unknown' when ${sinceJoining} <= ${JOIN_NEW_DAYS} then 'new'
        when ${sinceJoining} <= ${JOIN_RECENT_DAYS} then 'recent_new' else 'historical' end = any(${leaf.recencies}::text[])`)
    case 'aipl':
      return constant(sql`${aiplSql(context)} = any(${leaf.stages}::text[])`)
    case 'one_time_buyer':
      return constant(sql`${purchases} = 1`)
    case 'interaction_silent': {
      return constant(
        sql`coalesce(coalesce(${sinceExchange}, ${sinceJoining}) >= ${INTERACTION_SILENT_DAYS}, true)`,
      )
    }
    case 'rfm_group':
      return constant(sql`${rfmGroupSql} = any(${leaf.groups}::text[])`)
    case 'rfm_score':
      return constant(scoresSql(leaf))
    case 'attribute':
      return constant(attributeSql(leaf))
    case 'tag':
      return tagSql(leaf, context)
    case 's_tag':
      return sTagSql(leaf, context)
    case 'date':
      return constant(dateSql(leaf, days.of(now)))
    case 'cycle':
      return constant(cycleSql(leaf))
    case 'age':
      return constant(compareSql(ageSql(context), leaf.compare))
    case 'joined':
      return constant(compareSql(sinceJoining, leaf.daysAgo))
    case 'birthday':
      return constant(birthdaySql(leaf, context))
    case 'segment': {
      const other = definitions.segments.find((segment) => segment.id === leaf.segment)
      if (other?.kept) return constant(inTakeSql(other.id))
      return other ? tree(other.rule, context) : constant(sql`false`)
    }
    case 'sample':
      return constant(sql`${drawSql(seedOf(leaf.salt), sql`p.id`)} < ${leaf.per10000}::int`)
    default:
      return unreachable(leaf)
  }
}

/** Who is in the take of a segment that counts now. */
function inTakeSql(segment: number): Sql {
  return sql`p.id in (select pr.person_id from segment s join segment_member m on m.segment_id = s.id and m.take = s.take
    join profile pr on pr.id = m.profile_id where s.id = ${segment})`
}

function askedSql({ holds, ...query }: Asked, context: Context): Build {
  const place = context.place(query)
  return () => (holds ? context.inSet(place) : sql`not (${context.inSet(place)})`)
}

const constant =
  (text: Sql): Build =>
  () =>
    text
const purchases = sql`coalesce(st.purchases, 0)`

/** Whole days of the zone since the last purchase, joining and the last exchange; null where there is none. */
const sincePurchase = sql`d.bought`
const sinceJoining = sql`d.joined`
const sinceExchange = sql`d.heard`

/**
 * What every condition stands on: person p, person_state st, days since d, scores k. The parts are fenced by `offset 0`,
 * so that a date is turned into a day once a row and not once for each comparison. What `condition` does not name of them
 * is left out: finding nothing for a row still takes longer than reading it.
 */
export function personsFrom(definitions: Definitions, now: number, condition?: Sql): Sql {
  const scored = condition === undefined || /\bk\./.test(condition.text)
  const dated = scored || /\bd\./.test(condition.text)
  const days = new ZoneDays(definitions.zone)
  const today = sql`${dayFromNumber(days.of(now))}::date`
  const since = (column: string): Sql => sql`${today} - ${localDate(trusted(column), definitions.zone)}`
  const dates = sql`cross join lateral (select ${since('st.last_purchase_at')} as bought, ${since('p.joined_at')} as joined,
      ${since('st.last_interaction_at')} as heard offset 0) d`
  const scores = sql`cross join lateral (select ${scoreSql('r', definitions)} as r, ${scoreSql('f', definitions)} as f, ${scoreSql('m', definitions)} as m offset 0) k`
  return sql`person p left join person_state st on st.person_id = p.id ${dated ? dates : sql``} ${scored ? scores : sql``}`
}

/** The date in the zone. PostgreSQL takes three times as long where it has to look into the history of the zone. */
function localDate(instant: Sql, zone: Zone): Sql {
  const whole = sql`(${instant} at time zone ${zone})::date`
  const steady = steadyOffset(zone)
  if (!steady) return whole
  const quick = sql`(${instant} at time zone make_interval(mins => ${steady.minutes}))::date`
  return steady.since ? sql`case when ${instant} >= ${steady.since} then ${quick} else ${whole} end` : quick
}

/** Which day it is, of whose zone. */
export type Today = { days: ZoneDays; now: number }

/** At least so many whole days before today: the instant before whose day it was. One comparison, and no date to find. */
export function daysAgoSql(instant: Sql, atLeast: number, { days, now }: Today): Sql {
  return sql`${instant} < ${new Date(days.start(days.of(now) - atLeast + 1))}::timestamptz`
}

function bandSql(instant: Sql, [a, b, c, d]: Edges, names: readonly string[], today: Today): Sql {
  const since = (edge: number): Sql => daysAgoSql(instant, edge, today)
  return sql`case when ${since(d + 1)} then ${names[4]}::text when ${since(c)} then ${names[3]}::text
    when ${since(b)} then ${names[2]}::text when ${since(a)} then ${names[1]}::text else ${names[0]}::text end`
}

/** The state as of an instant, of person p and person_state st; also for distributions. */
export function lifecycleSql(edges: Edges, today: Today): Sql {
  return sql`case when st.last_purchase_at is not null
    then ${bandSql(sql`st.last_purchase_at`, edges, boughtStates, today)} else ${neverSql(edges, today)} end`
}

function neverSql(edges: Edges, today: Today): Sql {
  return sql`case when p.joined_at is null then 'never_undated'
    else ${bandSql(sql`p.joined_at`, edges, neverStates, today)} end`
}

const ownEdge = (place: 0 | 1 | 2 | 3): Sql =>
  sql`ceil(${OWN_CYCLE_MULTIPLES[place]}::int * greatest(1, st.median_gap_days))`
const ownCycleSql = sql`case when st.median_gap_days is null or ${sincePurchase} is null then 'unknown'
  when ${sincePurchase} > ${ownEdge(3)} then 'lost' when ${sincePurchase} >= ${ownEdge(2)} then 'hibernating'
  when ${sincePurchase} >= ${ownEdge(1)} then 'near_sleep' when ${sincePurchase} >= ${ownEdge(0)} then 'silent' else 'active' end`

function cycleSql({ multiple, atLeast }: LeafOf<'cycle'>): Sql {
  const gap = sql`greatest(1, st.median_gap_days)`
  return sql`(${purchases} >= ${atLeast}::int and st.median_gap_days is not null and ${compareSql(sincePurchase, multiple, gap)})`
}

function aiplSql(context: Context): Sql {
  const state = lifecycleSql(edgesOf(context.definitions.bands), context)
  return sql`case when ${purchases} >= ${LOYAL_PURCHASES}::int and ${state} = 'active' then 'loyalty'
    when ${purchases} > 0 then 'purchase'
    when p.joined_at is not null or st.last_interaction_at is not null then 'interest' else 'awareness' end`
}

function scoreSql(measure: 'r' | 'f' | 'm', { cuts }: Definitions): Sql {
  if (!cuts) return sql`null::int`
  const value = { r: sincePurchase, f: purchases, m: sql`st.spent_cents` }[measure]
  const reached = join(
    cuts[measure].map((cut) => sql`(${value} >= ${cut}::float8)::int`),
    ' + ',
  )
  const score = measure === 'r' ? sql`5 - (${reached})` : sql`1 + ${reached}`
  return sql`case when st.last_purchase_at is not null then ${score} end`
}

function scoresSql(leaf: LeafOf<'rfm_score'>): Sql {
  const parts = (['r', 'f', 'm'] as const).flatMap((measure) => {
    const span = leaf[measure]
    return span ? [sql`${trusted(`k.${measure}`)} between ${span[0]} and ${span[1]}`] : []
  })
  return join([sql`k.r is not null`, ...parts], ' and ')
}

const rfmGroupSql = sql`case when k.r is null then null ${join(
  rfmRules.map(
    (rule) => sql`when k.r between ${rule.r[0]} and ${rule.r[1]} and k.f between ${rule.f[0]} and ${rule.f[1]}
      and k.m between ${rule.m[0]} and ${rule.m[1]} then ${rule.group}::text`,
  ),
  ' ',
)} else 'others' end`

/** Who has one of the tags: set or synced, or by its rule as of now. */
function hasOne(tags: ReadonlySet<number>, context: Context): Build {
  const known = context.definitions.tags.filter((tag) => tags.has(tag.id))
  const business = known.filter((tag) => tag.level === 'b').map((tag) => tag.id)
  const groups = new Set(known.filter((tag) => tag.level === 's').map((tag) => tag.group))
  const rules = known.flatMap((tag) => (tag.level === 'b' && tag.rule ? [tree(tag.rule, context)] : []))
  const values = [...groups].map((group) => groupValue(group, context))
  const ofRules = known.filter((tag) => tag.rule).map((tag) => tag.id)
  return () =>
    join(
      [
        sql`exists (select from person_tag pt where pt.person_id = p.id and pt.tag_id = any(${business}::int[])
          and not (pt.origin = 'auto' and pt.tag_id = any(${ofRules}::int[])))`,
        ...rules.map((rule) => rule()),
        ...values.map((value) => sql`coalesce(${value()} = any(${[...tags]}::int[]), false)`),
      ],
      ' or ',
    )
}

function tagSql(leaf: LeafOf<'tag'>, context: Context): Build {
  const each = leaf.tags.map((tag) => hasOne(withDescendants(context.definitions.tags, [tag]), context))
  return () =>
    sql`(${join(
      each.map((one) => sql`(${one()})`),
      leaf.match === 'all' ? ' and ' : ' or ',
    )})`
}

function sTagSql(leaf: LeafOf<'s_tag'>, context: Context): Build {
  const tags = withDescendants(
    context.definitions.tags,
    leaf.values.filter((value) => value !== null),
  )
  const unknown = leaf.values.includes(null)
  const value = groupValue(leaf.group, context)
  // `null = any('{}')` is false, so the unknown value has a case of its own.
  return () =>
    sql`case when ${value()} is null then ${unknown}::boolean else ${value()} = any(${[...tags]}::int[]) end`
}

/** The value of a group of level S: as stored, or with the group's rules as of now. */
function groupValue(group: number, context: Context): Build {
  const rules = context.definitions.tags
    .filter((tag) => tag.group === group && tag.rule)
    .sort((left, right) => left.position - right.position || left.id - right.id)
    .map((tag) => ({ tag: tag.id, holds: tree(tag.rule as Rule, context) }))
  if (rules.length === 0) {
    return constant(sql`coalesce((select s.tag_id from s_tag s where s.person_id = p.id and s.group_id = ${group}
      and s.origin <> 'attribute'), ${meaningSql(group, context)})`)
  }
  const ofRules = rules.map(({ tag }) => tag)
  const claim = (origins: readonly string[]): Sql => sql`(
    select c.tag_id from s_tag_claim c join tag t on t.id = c.tag_id
    where c.person_id = p.id and c.group_id = ${group} and c.origin = any(${origins}::text[]) and t.state = 'active'
      and not (c.origin = 'auto' and c.tag_id = any(${ofRules}::int[]))
    order by c.origin, c.at desc, c.tag_id desc limit 1)`
  return () => {
    const cases = rules.map(({ tag, holds }) => sql`when ${holds()} then ${tag}::int`)
    return sql`coalesce(${claim(['manual'])}, case ${join(cases, ' ')} end, ${claim(['auto', 'synced'])},
      ${meaningSql(group, context)})`
  }
}

/** The value that an attribute means in a group of level S. */
function meaningSql(group: number, { definitions }: Context): Sql {
  const cases = definitions.tags.flatMap(({ id, group: own, means }) =>
    own === group && means
      ? [sql`when ${trusted(attributeColumns[means.attribute] ?? 'null')} = ${means.value} then ${id}::int`]
      : [],
  )
  return cases.length === 0 ? sql`null::int` : sql`case ${join(cases, ' ')} end`
}

function categoryLeaf(leaf: LeafOf<'lifecycle'>, category: string, context: Context): Build {
  const { definitions } = context
  const edges = edgesOf(definitions.bands, category)
  const spans = spansOf(edges).filter((_, band) =>
    leaf.states.includes(boughtStates[band as 0 | 1 | 2 | 3 | 4]),
  )
  const never = leaf.states.filter((state) => state.startsWith('never'))
  const inStates = spans.length > 0 ? context.place(categorySql(category, spans, context)) : undefined
  const bought = never.length > 0 ? context.place(categorySql(category, undefined, context)) : undefined
  return () => {
    const parts: Sql[] = [sql`false`]
    if (inStates !== undefined) parts.push(context.inSet(inStates))
    if (bought !== undefined) {
      parts.push(
        sql`(not (${context.inSet(bought)}) and ${neverSql(edges, context)} = any(${never}::text[]))`,
      )
    }
    return sql`(${join(parts, ' or ')})`
  }
}

const FAR = 1_000_000
function spansOf([a, b, c, d]: Edges): [number, number][] {
  return [
    [-FAR, a - 1],
    [a, b - 1],
    [b, c - 1],
    [c, d],
    [d + 1, FAR],
  ]
}

/** Month and day of birth, 'MMDD'. */
const born = sql`translate(substr(p.birthday, 6), '-', '')`

function ageSql({ days, now }: Context): Sql {
  const today = dayFromNumber(days.of(now))
  return sql`(substr(${today}::text, 1, 4)::int - nullif(substr(p.birthday, 1, 4)::int, 0)
    - (translate(substr(${today}::text, 6), '-', '') < ${born})::int)`
}

function birthdaySql({ withinDays }: LeafOf<'birthday'>, { days, now }: Context): Sql {
  const today = days.of(now)
  return sql`${born} = any(case when p.birthday_lunar
    then ${birthdaysWithin(today, withinDays, true)}::text[] else ${birthdaysWithin(today, withinDays, false)}::text[] end)`
}
