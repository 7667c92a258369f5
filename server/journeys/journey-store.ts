/** SQL of SOPs and their versions. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { JourneyTemplate } from '../../contract/journeys.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type JourneyRow = {
  id: string
  name: string
  template: JourneyTemplate
  state: 'draft' | 'live' | 'paused' | 'ended'
  live_version: number | null
  version: number
  enter_present: boolean
  live_since: Date | null
  demo: boolean
  number: number
  definition: JourneyDefinition
}

const journeyColumns = sql`j.id, j.name, j.template, j.state, j.live_version, j.version, j.enter_present, j.live_since, j.demo, v.number, v.definition`
const newestVersion = sql`join lateral (select number, definition from journey_version v where v.journey_id = j.id order by number desc limit 1) v on true`

export async function insertJourney(
  db: Db,
  journey: {
    id: string
    name: string
    template: JourneyTemplate
    enterPresent: boolean
    by: string | null
    demo: boolean
  },
  at: Date,
): Promise<void> {
  await db.run(sql`
    insert into journey (id, name, template, enter_present, created_at, created_by, demo)
    values (${journey.id}, ${journey.name}, ${journey.template}, ${journey.enterPresent}, ${at}, ${journey.by}, ${journey.demo})`)
}

export async function insertVersion(
  db: Db,
  journeyId: string,
  number: number,
  definition: JourneyDefinition,
  at: Date,
): Promise<void> {
  await db.run(
    sql`insert into journey_version (journey_id, number, definition, made_at) values (${journeyId}, ${number}, ${JSON.stringify(definition)}, ${at})`,
  )
}

export async function replaceDraft(
  db: Db,
  journeyId: string,
  number: number,
  definition: JourneyDefinition,
): Promise<void> {
  await db.run(
    sql`update journey_version set definition = ${JSON.stringify(definition)} where journey_id = ${journeyId} and number = ${number}`,
  )
}

export async function journeyById(db: Db, id: string): Promise<JourneyRow | undefined> {
  return db.maybe<JourneyRow>(
    sql`select ${journeyColumns} from journey j ${newestVersion} where j.id = ${id}`,
  )
}

export async function lockJourney(tx: Tx, id: string): Promise<void> {
  await tx.run(sql`select from journey where id = ${id} for update`)
}

/** Names by id, of all that ever were. */
export async function journeyNames(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.rows<{ id: string; name: string }>(sql`select id, name from journey`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export async function allJourneys(db: Db): Promise<JourneyRow[]> {
  return db.rows<JourneyRow>(
    sql`select ${journeyColumns} from journey j ${newestVersion} order by j.created_at, j.id`,
  )
}

export type LiveJourney = {
  id: string
  number: number
  definition: JourneyDefinition
  demo: boolean
}

/** What new members enter now. */
export async function liveJourneys(db: Db): Promise<LiveJourney[]> {
  return db.rows<LiveJourney>(sql`
    select j.id, v.number, v.definition, j.demo
    from journey j join journey_version v on v.journey_id = j.id and v.number = j.live_version
    where j.state = 'live' order by j.id`)
}

/** Writes state and name where the version is still the expected one; false where it is not. */
export async function writeJourney(
  db: Db,
  id: string,
  expected: number | null,
  change: {
    name?: string
    state?: JourneyRow['state']
    liveVersion?: number
    at?: Date
    presentAfter?: number
    withdrawing?: boolean
  },
): Promise<boolean> {
  const touched = await db.run(sql`
    update journey set
      name = coalesce(${change.name ?? null}, name),
      state = coalesce(${change.state ?? null}, state),
      live_version = coalesce(${change.liveVersion ?? null}::int, live_version),
      live_since = case when ${change.liveVersion ?? null}::int is null then live_since else coalesce(live_since, ${change.at ?? null}) end,
      present_after = coalesce(${change.presentAfter ?? null}::int, present_after),
      withdrawing = coalesce(${change.withdrawing ?? null}::boolean, withdrawing),
      version = version + 1
    where id = ${id} and (${expected}::int is null or version = ${expected}::int)`)
  return touched === 1
}

export async function markVersionLive(db: Db, journeyId: string, number: number, at: Date): Promise<void> {
  await db.run(
    sql`update journey_version set live_at = coalesce(live_at, ${at}) where journey_id = ${journeyId} and number = ${number}`,
  )
}

export async function definitionsOf(
  db: Db,
  versions: readonly { journeyId: string; number: number }[],
): Promise<Map<string, JourneyDefinition>> {
  const rows = await db.rows<{ journey_id: string; number: number; definition: JourneyDefinition }>(sql`
    select v.journey_id, v.number, v.definition from journey_version v
    where (v.journey_id, v.number) in (select * from unnest(${versions.map((v) => v.journeyId)}::uuid[], ${versions.map((v) => v.number)}::int[]))`)
  return new Map(rows.map((row) => [`${row.journey_id}:${row.number}`, row.definition]))
}

export type Withdrawing = { id: string; state: 'paused' | 'ended' }

/** The SOP, locked, while messages of it are still to be withdrawn. */
export async function lockWithdrawing(tx: Tx, id: string): Promise<Withdrawing | undefined> {
  return tx.maybe<Withdrawing>(sql`select id, state from journey where id = ${id} and withdrawing for update`)
}

/** Any SOP whose messages are still to be withdrawn and that nobody is at, locked. */
export async function claimWithdrawing(tx: Tx): Promise<Withdrawing | undefined> {
  return tx.maybe<Withdrawing>(
    sql`select id, state from journey where withdrawing order by id limit 1 for update skip locked`,
  )
}

export async function setWithdrawn(tx: Tx, id: string): Promise<void> {
  await tx.run(sql`update journey set withdrawing = false where id = ${id}`)
}

/** The next SOP that still takes in those who were in its segment before, locked; undefined where none does. */
export async function claimPresent(db: Db): Promise<(LiveJourney & { present_after: number }) | undefined> {
  return db.maybe(sql`
    select j.id, v.number, v.definition, j.demo, j.present_after
    from journey j join journey_version v on v.journey_id = j.id and v.number = j.live_version
    where j.state = 'live' and j.present_after is not null order by j.id limit 1 for update of j skip locked`)
}

export async function movePresent(db: Db, journeyId: string, after: number | null): Promise<void> {
  await db.run(sql`update journey set present_after = ${after} where id = ${journeyId}`)
}

/** Stays whose time has come and that were not stepped yet, and for how long the oldest of them waits. */
export async function backlogOf(db: Db, now: Date): Promise<{ due: number; oldestSeconds: number }> {
  return db.row(sql`
    select count(*)::int as due,
      coalesce(extract(epoch from ${now}::timestamptz - min(e.due_at)), 0)::float8 as "oldestSeconds"
    from enrolment e join journey j on j.id = e.journey_id
    where e.state = 'active' and e.due_at <= ${now} and j.state = 'live'`)
}

export async function countLive(db: Db): Promise<number> {
  const { live } = await db.row<{ live: number }>(
    sql`select count(*)::int as live from journey where state = 'live'`,
  )
  return live
}
