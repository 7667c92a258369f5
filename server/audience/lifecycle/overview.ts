/** The life cycle of the whole base as counts: what the pictures of the pages show, as of any date. */
import {
  type AiplStage,
  defaultEdges,
  edgesOf,
  type JoinRecency,
  type LifecycleState,
  lifecycleOf,
  type OrderStage,
  type OwnCycleState,
  orderStages,
} from '../../../contract/lifecycle.ts'
import type { RfmGroup } from '../../../contract/rfm.ts'
import { placement } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { type Sql, sql, trusted } from '../../platform/postgres/sql.ts'
import { dayFromNumber, dayNumber, startOfDay, type Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { type PublishedCuts, presentCuts } from '../measures/cut-points.ts'
import { lifecycleSql, personsFrom } from '../rule/person-sql.ts'

export type Count<Name extends string, Value> = { [K in Name]: Value } & { persons: number }
export type LifecycleCount = { state: LifecycleState; persons: number; spentCents: number }

export type Overview = {
  asOf: Date
  lifecycle: LifecycleCount[]
  ownCycle: Count<'state', OwnCycleState>[]
  stages: (Count<'stage', OrderStage> & { conversion: number | null })[]
  joinRecency: Count<'state', JoinRecency>[]
  aipl: Count<'stage', AiplStage>[]
  oneTimeBuyers: number
  interactionSilent: number
  /** Active now, silent within the next 30 days unless they buy. */
  fallingAsleep30Days: number
  /** Slept at the beginning of the month and bought in it. */
  wokenThisMonth: number
  newThisMonth: number
}

/** `visible`: a condition over `person p`. */
export type OverviewHow = { now: Date; zone: Zone; visible?: Sql }

/** As of now, from the stored states. */
export async function lifecycleOverview(db: Database, how: OverviewHow): Promise<Overview> {
  const { definitions } = await presentEvaluator(db, how.zone)
  const edges = edgesOf(definitions.bands)
  const from = sql`from ${personsFrom(definitions, how.now.getTime())} where p.state = 'live' and ${how.visible ?? sql`true`}`
  const lifecycle = await db.rows<LifecycleCount>(sql`
    select ${lifecycleSql(edges)} as state, count(*)::int as persons, coalesce(sum(st.spent_cents), 0)::bigint as "spentCents"
    ${from} group by 1`)
  const spread = <Row>(column: string, name: string, unknown: string): Promise<Row[]> =>
    db.rows<Row>(sql`
      select coalesce(${trusted(column)}, ${unknown}) as ${trusted(name)}, count(*)::int as persons ${from} group by 1 order by 2 desc`)
  const month = startOfDay(how.zone, `${dayFromNumber(dayNumber(how.zone, how.now)).slice(0, 7)}-01`)
  const single = await db.row<
    Omit<Overview, 'asOf' | 'lifecycle' | 'ownCycle' | 'stages' | 'joinRecency' | 'aipl'>
  >(sql`
    select count(*) filter (where st.purchases = 1)::int as "oneTimeBuyers",
      count(*) filter (where st.interaction_silent)::int as "interactionSilent",
      count(*) filter (where d.bought < ${edges[0]}::int and d.bought + 30 >= ${edges[0]}::int)::int as "fallingAsleep30Days",
      count(*) filter (where p.joined_at >= ${month} and p.joined_at <= ${how.now})::int as "newThisMonth",
      count(*) filter (where st.woken_at >= ${month} and st.woken_at <= ${how.now})::int as "wokenThisMonth"
    ${from}`)
  const stages = await spread<Count<'stage', OrderStage>>('st.order_stage', 'stage', 'new')
  return {
    asOf: how.now,
    lifecycle,
    ownCycle: await spread('st.own_cycle', 'state', 'unknown'),
    stages: withConversion(stages),
    joinRecency: await spread('st.join_recency', 'state', 'unknown'),
    aipl: await spread('st.aipl', 'stage', 'awareness'),
    ...single,
  }
}

/** The share that went on from each stage to a later one: first → second purchase, and so on. */
function withConversion(rows: readonly Count<'stage', OrderStage>[]): Overview['stages'] {
  const persons = orderStages.map((stage) => rows.find((row) => row.stage === stage)?.persons ?? 0)
  return orderStages.map((stage, place) => {
    const reached = persons.slice(place).reduce((sum, count) => sum + count, 0)
    const further = reached - (persons[place] ?? 0)
    const last = place === orderStages.length - 1
    return {
      stage,
      persons: persons[place] ?? 0,
      conversion: last || reached === 0 ? null : further / reached,
    }
  })
}

/**
 * As of the end of a past day: by purchases and joining until then, with today's bands and today's refunds. Persons who
 * had neither joined nor bought by then are left out.
 */
export async function lifecycleAsOf(
  db: Database,
  clickhouse: ClickHouse,
  { day, zone, visible }: { day: number; zone: Zone; visible?: Sql },
): Promise<LifecycleCount[]> {
  const { definitions } = await presentEvaluator(db, zone)
  const edges = edgesOf(definitions.bands) ?? defaultEdges
  const end = startOfDay(zone, day + 1)
  const bought = await lastPurchases(db, clickhouse, end, zone)
  const counts = new Map<LifecycleState, LifecycleCount>()
  const rows = await db.rows<{ id: number; joined: string | null }>(sql`
    select p.id, case when p.joined_at < ${end} then (p.joined_at at time zone ${zone})::date::text end as joined
    from person p where p.state = 'live' and ${visible ?? sql`true`}`)
  for (const { id, joined } of rows) {
    const own = bought.get(id)
    if (!own && joined === null) continue
    const sinceJoining =
      joined === null ? null : day - Math.floor(Date.parse(`${joined}T00:00:00Z`) / 86_400_000)
    const state = lifecycleOf(own ? day - own.day : null, sinceJoining, edges)
    const count = counts.get(state) ?? { state, persons: 0, spentCents: 0 }
    counts.set(state, { state, persons: count.persons + 1, spentCents: count.spentCents + (own?.spent ?? 0) })
  }
  return [...counts.values()]
}

async function lastPurchases(
  db: Db,
  clickhouse: ClickHouse,
  end: Date,
  zone: Zone,
): Promise<Map<number, { day: number; spent: number }>> {
  const { person, counts, params } = await placement(db)
  const query = `select ${person} as present, toInt32(toDate32(max(orders.at), {zone:String})),
      toString(sum(toInt64(total * 100) - toInt64(refunded * 100)))
    from orders final where purchase = 1 and orders.at < {end:DateTime64(3, 'UTC')} and ${counts} and person_id > 0 group by present`
  const found = new Map<number, { day: number; spent: number }>()
  for await (const rows of clickhouse.stream<[number, number, string]>(query, { ...params, zone, end })) {
    for (const [id, day, spent] of rows) found.set(id, { day, spent: Number(spent) })
  }
  return found
}

export type RfmOverview = {
  published: PublishedCuts | undefined
  cells: { recency: number; frequency: number; persons: number; spentCents: number }[]
  groups: { group: RfmGroup; persons: number; spentCents: number }[]
}

/** The matrix of recency and frequency, and the named groups. */
export async function rfmOverview(db: Db, visible: Sql = sql`true`): Promise<RfmOverview> {
  const from = sql`from person_state st join person p on p.id = st.person_id
    where p.state = 'live' and st.r is not null and ${visible}`
  return {
    published: await presentCuts(db),
    cells: await db.rows(sql`
      select st.r as recency, st.f as frequency, count(*)::int as persons, sum(st.spent_cents)::bigint as "spentCents"
      ${from} group by 1, 2 order by 1, 2`),
    groups: await db.rows(sql`
      select st.rfm_group as "group", count(*)::int as persons, sum(st.spent_cents)::bigint as "spentCents"
      ${from} group by 1 order by 2 desc`),
  }
}

export type FlowLink = {
  source: string
  side: 'online' | 'offline' | null
  state: LifecycleState
  persons: number
}

/** From where people came to where they are now. */
export async function sourceFlow(db: Database, how: OverviewHow): Promise<FlowLink[]> {
  const { definitions } = await presentEvaluator(db, how.zone)
  return db.rows<FlowLink>(sql`
    select p.source, p.source_side as side, ${lifecycleSql(edgesOf(definitions.bands))} as state, count(*)::int as persons
    from ${personsFrom(definitions, how.now.getTime())}
    where p.state = 'live' and ${how.visible ?? sql`true`} group by 1, 2, 3 order by 4 desc`)
}
