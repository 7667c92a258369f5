/** The life cycle of the whole base as counts, as of now: what the pictures of the pages show. Past days: as-of.ts. */
import {
  type AiplStage,
  edgesOf,
  type JoinRecency,
  type LifecycleState,
  type OrderStage,
  type OwnCycleState,
  orderStages,
} from '../../../contract/lifecycle.ts'
import type { RfmGroup } from '../../../contract/rfm.ts'
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

type Spread = 'ownCycle' | 'stages' | 'joinRecency' | 'aipl'

/** As of now, from the stored states. */
export async function lifecycleOverview(db: Database, how: OverviewHow): Promise<Overview> {
  const { definitions } = await presentEvaluator(db, how.zone)
  const from = fromPersons(definitions, how)
  const spread = <Row>(column: string, name: string, unknown: string): Promise<Row[]> =>
    db.rows<Row>(sql`
      select coalesce(${trusted(column)}, ${unknown}) as ${trusted(name)}, count(*)::int as persons ${from} group by 1 order by 2 desc`)
  const stages = await spread<Count<'stage', OrderStage>>('st.order_stage', 'stage', 'new')
  return {
    ...(await lifecycleFigures(db, how)),
    ownCycle: await spread('st.own_cycle', 'state', 'unknown'),
    stages: withConversion(stages),
    joinRecency: await spread('st.join_recency', 'state', 'unknown'),
    aipl: await spread('st.aipl', 'stage', 'awareness'),
  }
}

/** The part of it that the home page shows: two passes over everybody instead of six. */
export async function lifecycleFigures(db: Database, how: OverviewHow): Promise<Omit<Overview, Spread>> {
  const { definitions } = await presentEvaluator(db, how.zone)
  const edges = edgesOf(definitions.bands)
  const from = fromPersons(definitions, how)
  const lifecycle = await db.rows<LifecycleCount>(sql`
    select ${lifecycleSql(edges)} as state, count(*)::int as persons, coalesce(sum(st.spent_cents), 0)::bigint as "spentCents"
    ${from} group by 1`)
  const month = startOfDay(how.zone, `${dayFromNumber(dayNumber(how.zone, how.now)).slice(0, 7)}-01`)
  const single = await db.row<Omit<Overview, 'asOf' | 'lifecycle' | Spread>>(sql`
    select count(*) filter (where st.purchases = 1)::int as "oneTimeBuyers",
      count(*) filter (where st.interaction_silent)::int as "interactionSilent",
      count(*) filter (where d.bought < ${edges[0]}::int and d.bought + 30 >= ${edges[0]}::int)::int as "fallingAsleep30Days",
      count(*) filter (where p.joined_at >= ${month} and p.joined_at <= ${how.now})::int as "newThisMonth",
      count(*) filter (where st.woken_at >= ${month} and st.woken_at <= ${how.now})::int as "wokenThisMonth"
    ${from}`)
  return { asOf: how.now, lifecycle, ...single }
}

function fromPersons(definitions: Parameters<typeof personsFrom>[0], { now, visible }: OverviewHow): Sql {
  return sql`from ${personsFrom(definitions, now.getTime())} where p.state = 'live' and ${visible ?? sql`true`}`
}

/** The share that went on from each stage to a later one: first → second purchase, and so on. */
export function withConversion(rows: readonly Count<'stage', OrderStage>[]): Overview['stages'] {
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
