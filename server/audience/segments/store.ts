import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Day } from '../../platform/time/zone.ts'
import type { PersonState } from '../lifecycle/person-state.ts'

export type MembershipRow = {
  personId: number
  segments: number[]
  nextAt: Date | null
  reading: number
  evaluatedAt: Date
}
const membership = sql`person_id as "personId", segments, next_at as "nextAt", reading, evaluated_at as "evaluatedAt"`

/** Answers with definitions of another revision must not be written: holds the revision until the end. */
export async function lockRevision(tx: Tx): Promise<number> {
  return (
    await tx.row<{ revision: number }>(sql`select revision from audience_revision where id = 1 for share`)
  ).revision
}

/** `nextAt` in ms since 1970, Infinity for never. */
export type MembershipAnswer = { personId: number; segments: readonly number[]; nextAt: number }

/**
 * Rows as they are to be for persons that have none, which locks them. Answers whose were made: others may have made
 * some of them meanwhile.
 */
export async function insertMissing(
  tx: Tx,
  missing: readonly MembershipAnswer[],
  { reading, now }: { reading: number; now: Date },
): Promise<Set<number>> {
  if (missing.length === 0) return new Set()
  const rows = await tx.rows<{ id: number }>(sql`
    insert into person_segment (person_id, segments, next_at, reading, evaluated_at)
    select person_id, segments::int[], next_at, ${reading}, ${now}
    from unnest(${missing.map(({ personId }) => personId)}::int[], ${missing.map(segmentsText)}::text[],
      ${missing.map(nextOf)}::timestamptz[]) as t (person_id, segments, next_at)
    order by person_id
    on conflict (person_id) do nothing returning person_id as id`)
  return new Set(rows.map((row) => row.id))
}

const segmentsText = ({ segments }: Pick<MembershipAnswer, 'segments'>): string => `{${segments.join(',')}}`
const nextOf = ({ nextAt }: Pick<MembershipAnswer, 'nextAt'>): Date | null =>
  Number.isFinite(nextAt) ? instant(nextAt) : null

export type LockedMembership = Pick<MembershipRow, 'personId' | 'segments' | 'nextAt' | 'reading'>

/** Locked in id order. */
export async function lockMembership(tx: Tx, ids: readonly number[]): Promise<LockedMembership[]> {
  if (ids.length === 0) return []
  return tx.rows<LockedMembership>(sql`
    select person_id as "personId", segments, next_at as "nextAt", reading from person_segment
    where person_id = any(${ids}::int[]) order by person_id for update`)
}

export async function selectMembership(db: Db, ids: readonly number[]): Promise<MembershipRow[]> {
  return db.rows<MembershipRow>(
    sql`select ${membership} from person_segment where person_id = any(${ids}::int[])`,
  )
}

export async function updateMembership(
  tx: Tx,
  rows: readonly (MembershipAnswer & { idle: boolean })[],
  how: { reading: number; now: Date; day: Day },
): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    update person_segment p set segments = t.segments::int[], next_at = t.next_at, reading = ${how.reading}, evaluated_at = ${how.now},
      idle_day = case when t.idle then ${how.day}::date else p.idle_day end,
      idle_wakes = case when not t.idle then 0
        when p.idle_day = ${how.day}::date then least(p.idle_wakes + 1, 10000) else 1 end
    from unnest(${rows.map((row) => row.personId)}::int[], ${rows.map(segmentsText)}::text[],
      ${rows.map(nextOf)}::timestamptz[], ${rows.map((row) => row.idle)}::boolean[])
      as t (person_id, segments, next_at, idle)
    where p.person_id = t.person_id`)
}

/**
 * Puts the entries of the index by segments that still wait into their order. Answers how many pages they took. Without it
 * who changes members does so once 64 MB wait, and looking for the members of a segment reads all that waits.
 */
export async function orderMembership(db: Db): Promise<number> {
  const { pages } = await db.row<{ pages: number }>(
    sql`select gin_clean_pending_list('person_segment_segments')::int as pages`,
  )
  return pages
}

/** Persons who became active again. */
export async function noteWoken(tx: Tx, ids: readonly number[], at: Date): Promise<void> {
  if (ids.length === 0) return
  await tx.run(sql`update person_state set woken_at = ${at} where person_id = any(${ids}::int[])`)
}

/** `otherwise`: what changed the size without anybody entering or leaving (merges). */
export type Moved = { segmentId: number; entered: number; left: number; otherwise: number }

/** Adds to what a day has seen. The rows are shared by all who write: call it last. */
export async function countMoved(tx: Tx, day: Day, moved: readonly Moved[]): Promise<void> {
  if (moved.length === 0) return
  await tx.run(sql`
    insert into segment_day as d (segment_id, day, entered, "left", otherwise)
    select id, ${day}::date, entered, gone, otherwise
    from unnest(${moved.map((one) => one.segmentId)}::int[], ${moved.map((one) => one.entered)}::int[],
      ${moved.map((one) => one.left)}::int[], ${moved.map((one) => one.otherwise)}::int[]) as t (id, entered, gone, otherwise)
    order by id
    on conflict (segment_id, day) do update set entered = d.entered + excluded.entered, "left" = d."left" + excluded."left",
      otherwise = d.otherwise + excluded.otherwise`)
}

/** Takes the membership of persons away who are erased, and tells the size of their segments of the day of the brand. */
export async function eraseMembership(tx: Tx, persons: readonly number[], at: Date): Promise<void> {
  await tx.run(sql`
    delete from segment_member m using profile pr where pr.id = m.profile_id and pr.person_id = any(${persons}::int[])`)
  await tx.run(sql`
    with gone as (delete from person_segment where person_id = any(${persons}::int[]) returning segments),
      lost as (select id, count(*)::int as persons from gone, unnest(gone.segments) id group by id order by id)
    insert into segment_day as d (segment_id, day, otherwise)
    select lost.id, (${at}::timestamptz at time zone coalesce(nullif(r.zone, ''), 'UTC'))::date, -lost.persons
    from lost, audience_revision r
    on conflict (segment_id, day) do update set otherwise = d.otherwise + excluded.otherwise`)
}

export async function deleteMembership(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await tx.run(sql`delete from person_segment where person_id = any(${ids}::int[])`)
  await tx.run(sql`delete from person_state where person_id = any(${ids}::int[])`)
}

/**
 * Written only where something is different. Answers the life cycle that stood there before, by person, of those that were
 * written; null where nothing stood. To be called once the membership is locked.
 */
export async function upsertStates(
  tx: Tx,
  rows: readonly { personId: number; state: PersonState }[],
  how: { reading: number; now: Date },
): Promise<Map<number, string | null>> {
  if (rows.length === 0) return new Map()
  const json = rows.map(({ personId, state }) => ({
    person_id: personId,
    lifecycle: state.lifecycle,
    own_cycle: state.ownCycle,
    order_stage: state.orderStage,
    aipl: state.aipl,
    join_recency: state.joinRecency,
    interaction_silent: state.interactionSilent,
    purchases: state.purchases,
    spent_cents: state.spentCents,
    first_purchase_at: time(state.firstPurchaseAt),
    last_purchase_at: time(state.lastPurchaseAt),
    median_gap_days: state.medianGapDays,
    last_interaction_at: time(state.lastInteractionAt),
    r: state.r,
    f: state.f,
    m: state.m,
    rfm_group: state.rfmGroup,
  }))
  const written = await tx.rows<{ id: number; before: string | null }>(sql`
    insert into person_state as s (person_id, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent,
      purchases, spent_cents, first_purchase_at, last_purchase_at, median_gap_days, last_interaction_at, r, f, m, rfm_group, reading, changed_at)
    select person_id, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent,
      purchases, spent_cents, first_purchase_at, last_purchase_at, median_gap_days, last_interaction_at, r, f, m, rfm_group, ${how.reading}, ${how.now}
    from json_to_recordset(${JSON.stringify(json)}::json) as t (person_id int, lifecycle text, own_cycle text, order_stage text, aipl text,
      join_recency text, interaction_silent boolean, purchases int, spent_cents bigint, first_purchase_at timestamptz,
      last_purchase_at timestamptz, median_gap_days double precision, last_interaction_at timestamptz, r smallint, f smallint, m smallint, rfm_group text)
    order by person_id
    on conflict (person_id) do update set lifecycle = excluded.lifecycle, own_cycle = excluded.own_cycle,
      order_stage = excluded.order_stage, aipl = excluded.aipl, join_recency = excluded.join_recency,
      interaction_silent = excluded.interaction_silent, purchases = excluded.purchases, spent_cents = excluded.spent_cents,
      first_purchase_at = excluded.first_purchase_at, last_purchase_at = excluded.last_purchase_at,
      median_gap_days = excluded.median_gap_days, last_interaction_at = excluded.last_interaction_at,
      r = excluded.r, f = excluded.f, m = excluded.m, rfm_group = excluded.rfm_group,
      reading = excluded.reading, changed_at = excluded.changed_at
    where (s.lifecycle, s.own_cycle, s.order_stage, s.aipl, s.join_recency, s.interaction_silent, s.purchases, s.spent_cents,
        s.first_purchase_at, s.last_purchase_at, s.median_gap_days, s.last_interaction_at, s.r, s.f, s.m, s.rfm_group)
      is distinct from (excluded.lifecycle, excluded.own_cycle, excluded.order_stage, excluded.aipl, excluded.join_recency,
        excluded.interaction_silent, excluded.purchases, excluded.spent_cents, excluded.first_purchase_at, excluded.last_purchase_at,
        excluded.median_gap_days, excluded.last_interaction_at, excluded.r, excluded.f, excluded.m, excluded.rfm_group)
    returning s.person_id as id, old.lifecycle as before`)
  return new Map(written.map(({ id, before }) => [id, before]))
}

function time(ms: number | null): string | null {
  return ms === null ? null : instant(ms).toISOString()
}

export type StateRow = Omit<PersonState, 'firstPurchaseAt' | 'lastPurchaseAt' | 'lastInteractionAt'> & {
  personId: number
  firstPurchaseAt: Date | null
  lastPurchaseAt: Date | null
  lastInteractionAt: Date | null
}

export async function selectStates(db: Db, ids: readonly number[]): Promise<Map<number, StateRow>> {
  const rows = await db.rows<StateRow>(sql`
    select person_id as "personId", lifecycle, own_cycle as "ownCycle", order_stage as "orderStage", aipl,
      join_recency as "joinRecency", interaction_silent as "interactionSilent", purchases, spent_cents as "spentCents",
      first_purchase_at as "firstPurchaseAt", last_purchase_at as "lastPurchaseAt", median_gap_days as "medianGapDays",
      last_interaction_at as "lastInteractionAt", r, f, m, rfm_group as "rfmGroup"
    from person_state where person_id = any(${ids}::int[])`)
  return new Map(rows.map((row) => [row.personId, row]))
}
