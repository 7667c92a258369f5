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
import { daysAgoSql, lifecycleSql, type Today } from '../rule/person-sql.ts'
import { ZoneDays } from '../rule/zone-days.ts'

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

/** Everybody who is alike in all that the page counts. */
type Alike = {
  state: LifecycleState
  ownCycle: OwnCycleState
  stage: OrderStage
  joinRecency: JoinRecency
  aipl: AiplStage
  once: boolean
  interactionSilent: boolean
  falling: boolean
  joined: boolean
  woken: boolean
  persons: number
  spentCents: number
}

/** As of now, from the stored states: everybody is read once. */
export async function lifecycleOverview(db: Database, how: OverviewHow): Promise<Overview> {
  const alike = await countAlike(db, how)
  return {
    ...figuresOf(alike, how.now),
    ownCycle: spread(alike, 'ownCycle', 'state'),
    stages: withConversion(spread(alike, 'stage', 'stage')),
    joinRecency: spread(alike, 'joinRecency', 'state'),
    aipl: spread(alike, 'aipl', 'stage'),
  }
}

/** The part of it that the home page shows. */
export async function lifecycleFigures(db: Database, how: OverviewHow): Promise<Omit<Overview, Spread>> {
  return figuresOf(await countAlike(db, how), how.now)
}

async function countAlike(db: Database, how: OverviewHow): Promise<Alike[]> {
  const { definitions } = await presentEvaluator(db, how.zone)
  const edges = edgesOf(definitions.bands)
  const today = todayOf(how)
  const month = startOfDay(how.zone, `${dayFromNumber(dayNumber(how.zone, how.now)).slice(0, 7)}-01`)
  const within = (column: string): Sql =>
    sql`coalesce(${trusted(column)} >= ${month} and ${trusted(column)} <= ${how.now}, false)`
  return db.rows<Alike>(sql`
    select ${lifecycleSql(edges, today)} as state, coalesce(st.own_cycle, 'unknown') as "ownCycle", coalesce(st.order_stage, 'new') as stage,
      coalesce(st.join_recency, 'unknown') as "joinRecency", coalesce(st.aipl, 'awareness') as aipl,
      coalesce(st.purchases = 1, false) as once, coalesce(st.interaction_silent, false) as "interactionSilent",
      coalesce(${daysAgoSql(bought, edges[0] - FALLING_DAYS, today)} and not ${daysAgoSql(bought, edges[0], today)}, false) as falling,
      ${within('p.joined_at')} as joined, ${within('st.woken_at')} as woken,
      count(*)::int as persons, coalesce(sum(st.spent_cents), 0)::bigint as "spentCents"
    ${fromPersons(how)} group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`)
}

function figuresOf(alike: readonly Alike[], asOf: Date): Omit<Overview, Spread> {
  const personsWhere = (is: (one: Alike) => boolean): number =>
    alike.reduce((sum, one) => sum + (is(one) ? one.persons : 0), 0)
  const lifecycle = [...Map.groupBy(alike, (one) => one.state)].map(([state, own]) => ({
    state,
    persons: own.reduce((sum, { persons }) => sum + persons, 0),
    spentCents: own.reduce((sum, { spentCents }) => sum + spentCents, 0),
  }))
  return {
    asOf,
    lifecycle,
    oneTimeBuyers: personsWhere((one) => one.once),
    interactionSilent: personsWhere((one) => one.interactionSilent),
    fallingAsleep30Days: personsWhere((one) => one.falling),
    newThisMonth: personsWhere((one) => one.joined),
    wokenThisMonth: personsWhere((one) => one.woken),
  }
}

/** Persons by one of the things that they have in common, the most first. */
function spread<By extends 'ownCycle' | 'stage' | 'joinRecency' | 'aipl', Name extends string>(
  alike: readonly Alike[],
  by: By,
  name: Name,
): Count<Name, Alike[By]>[] {
  return [...Map.groupBy(alike, (one) => one[by])]
    .map(
      ([value, own]) =>
        ({ [name]: value, persons: own.reduce((sum, { persons }) => sum + persons, 0) }) as Count<
          Name,
          Alike[By]
        >,
    )
    .sort((left, right) => right.persons - left.persons)
}

const FALLING_DAYS = 30
const bought = sql`st.last_purchase_at`

function todayOf({ zone, now }: OverviewHow): Today {
  return { days: new ZoneDays(zone), now: now.getTime() }
}

/** Nothing of it asks for days or scores, so that a row costs little more than being read. */
function fromPersons({ visible }: OverviewHow): Sql {
  return sql`from person p left join person_state st on st.person_id = p.id where p.state = 'live' and ${visible ?? sql`true`}`
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
  const alike = await db.rows<RfmOverview['cells'][number] & { group: RfmGroup }>(sql`
    select st.r as recency, st.f as frequency, st.rfm_group as "group", count(*)::int as persons,
      coalesce(sum(st.spent_cents), 0)::bigint as "spentCents"
    from person_state st join person p on p.id = st.person_id
    where p.state = 'live' and st.r is not null and ${visible} group by 1, 2, 3 order by 1, 2`)
  const summed = <Row extends { persons: number; spentCents: number }>(rows: readonly Row[]) => ({
    persons: rows.reduce((sum, { persons }) => sum + persons, 0),
    spentCents: rows.reduce((sum, { spentCents }) => sum + spentCents, 0),
  })
  return {
    published: await presentCuts(db),
    cells: [...Map.groupBy(alike, ({ recency, frequency }) => recency * 10 + frequency).values()].flatMap(
      (own) => (own[0] ? [{ recency: own[0].recency, frequency: own[0].frequency, ...summed(own) }] : []),
    ),
    groups: [...Map.groupBy(alike, (one) => one.group)]
      .map(([group, own]) => ({ group, ...summed(own) }))
      .sort((left, right) => right.persons - left.persons),
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
    select p.source, p.source_side as side, ${lifecycleSql(edgesOf(definitions.bands), todayOf(how))} as state, count(*)::int as persons
    ${fromPersons(how)} group by 1, 2, 3 order by 4 desc`)
}
