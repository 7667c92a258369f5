/** Every statement of the SOPs. Reads tables of earlier ranks (person, person_state, document, touch), never writes them. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { JourneyTemplate } from '../../contract/journeys.ts'
import type { Db } from '../platform/postgres/database.ts'
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

export async function allJourneys(db: Db): Promise<JourneyRow[]> {
  return db.rows<JourneyRow>(
    sql`select ${journeyColumns} from journey j ${newestVersion} order by j.created_at, j.id`,
  )
}

export type LiveJourney = {
  id: string
  number: number
  enter_present: boolean
  definition: JourneyDefinition
  demo: boolean
}

/** What new members enter now. */
export async function liveJourneys(db: Db): Promise<LiveJourney[]> {
  return db.rows<LiveJourney>(sql`
    select j.id, v.number, j.enter_present, v.definition, j.demo
    from journey j join journey_version v on v.journey_id = j.id and v.number = j.live_version
    where j.state = 'live' order by j.id`)
}

/** Locks the journey and writes state and name where the version is still the expected one; false where it is not. */
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
  },
): Promise<boolean> {
  const touched = await db.run(sql`
    update journey set
      name = coalesce(${change.name ?? null}, name),
      state = coalesce(${change.state ?? null}, state),
      live_version = coalesce(${change.liveVersion ?? null}::int, live_version),
      live_since = case when ${change.liveVersion ?? null}::int is null then live_since else coalesce(live_since, ${change.at ?? null}) end,
      present_after = coalesce(${change.presentAfter ?? null}::int, present_after),
      version = version + 1
    where id = ${id} and (${expected}::int is null or version = ${expected}::int)`)
  return touched === 1
}

export async function markVersionLive(db: Db, journeyId: string, number: number, at: Date): Promise<void> {
  await db.run(
    sql`update journey_version set live_at = coalesce(live_at, ${at}) where journey_id = ${journeyId} and number = ${number}`,
  )
}

export type NewEnrolment = {
  id: string
  journeyId: string
  number: number
  personId: number
  nodeId: string
  anchorAt: Date
  facts: Record<string, unknown>
  heldOut: boolean
}

/**
 * Lets persons in who are not in now and whose last stay is long enough ago; those let in.
 * The unique indexes are the judges between workers.
 */
export async function enrol(
  db: Db,
  entries: readonly NewEnrolment[],
  again: { journeyId: string; since: Date | null },
  at: Date,
): Promise<{ id: string; personId: number }[]> {
  return db.rows<{ id: string; personId: number }>(sql`
    insert into enrolment (id, journey_id, number, person_id, node_id, due_at, anchor_at, facts, held_out, entered_at)
    select e.id, e."journeyId", e.number, e."personId", e."nodeId", ${at}, e."anchorAt", e.facts, e."heldOut", ${at}
    from json_to_recordset(${JSON.stringify(entries)}::json)
      as e(id uuid, "journeyId" uuid, number int, "personId" int, "nodeId" text, "anchorAt" timestamptz, facts jsonb, "heldOut" boolean)
    where exists (select 1 from person p where p.id = e."personId" and p.state = 'live')
      and not exists (
        select 1 from enrolment o
        where o.journey_id = ${again.journeyId} and o.person_id = e."personId" and (${again.since}::timestamptz is null or o.entered_at > ${again.since}))
    order by e."personId"
    on conflict do nothing
    returning id, person_id as "personId"`)
}

export type DueEnrolment = {
  id: string
  journey_id: string
  journey_name: string
  number: number
  person_id: number
  node_id: string
  stop: number
  waits_for: string | null
  answer: string | null
  anchor_at: Date
  entered_at: Date
  facts: Record<string, unknown>
  held_out: boolean
  returned_at: Date | null
  /** The SOP is live and the person stands; else it is left. */
  goes_on: boolean
}

/** Claims what is due in live SOPs, soonest first. */
export async function claimDue(db: Db, now: Date, limit: number): Promise<DueEnrolment[]> {
  return db.rows<DueEnrolment>(sql`
    select e.id, e.journey_id, j.name as journey_name, e.number, e.person_id, e.node_id, e.stop, e.waits_for, e.answer, e.anchor_at, e.entered_at, e.facts,
           e.held_out, e.returned_at, p.state = 'live' as goes_on
    from enrolment e join journey j on j.id = e.journey_id join person p on p.id = e.person_id
    where e.state = 'active' and e.due_at <= ${now} and j.state = 'live'
    order by e.due_at, e.id limit ${limit}
    for update of e skip locked`)
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

export type Standing = {
  id: string
  state: 'active' | 'finished' | 'left'
  nodeId: string
  stop: number
  dueAt: Date | null
  waitsFor: string | null
  reason: string | null
  contentNode?: string
}

/** Writes where each stands after a step, in one statement. */
export async function writeStandings(db: Db, standings: readonly Standing[], at: Date): Promise<void> {
  await db.run(sql`
    update enrolment e set state = s.state, node_id = s."nodeId", stop = s.stop, due_at = s."dueAt", waits_for = s."waitsFor",
           answer = null, reason = s.reason, ended_at = case when s.state = 'active' then null else ${at}::timestamptz end
    from json_to_recordset(${JSON.stringify(standings)}::json)
      as s(id uuid, state text, "nodeId" text, stop int, "dueAt" timestamptz, "waitsFor" uuid, reason text)
    where e.id = s.id`)
}

export async function countPassed(
  db: Db,
  passed: readonly { journeyId: string; number: number; nodeId: string; times: number }[],
): Promise<void> {
  await db.run(sql`
    insert into node_count (journey_id, number, node_id, passed)
    select c."journeyId", c.number, c."nodeId", c.times
    from json_to_recordset(${JSON.stringify(passed)}::json) as c("journeyId" uuid, number int, "nodeId" text, times bigint)
    order by 1, 2, 3
    on conflict (journey_id, number, node_id) do update set passed = node_count.passed + excluded.passed`)
}

/** Answers that were awaited: the enrolments become due at once. */
export async function writeAnswers(
  db: Db,
  answers: readonly { waitsFor: string; answer: string }[],
  now: Date,
): Promise<number> {
  return db.run(sql`
    update enrolment e set answer = a.answer, due_at = ${now}
    from json_to_recordset(${JSON.stringify(answers)}::json) as a("waitsFor" uuid, answer text)
    where e.waits_for = a."waitsFor" and e.state = 'active' and e.answer is null`)
}

export type ActiveStay = {
  id: string
  journey_id: string
  number: number
  person_id: number
  node_id: string
  facts: Record<string, unknown>
  entered_at: Date
  definition: JourneyDefinition
}

/** Stays that a purchase can change, locked in id order. */
export async function activeStays(db: Db, personIds: readonly number[]): Promise<ActiveStay[]> {
  return db.rows<ActiveStay>(sql`
    select e.id, e.journey_id, e.number, e.person_id, e.node_id, e.facts, e.entered_at, v.definition
    from enrolment e join journey_version v on v.journey_id = e.journey_id and v.number = e.number
    where e.person_id = any(${personIds}::int[]) and e.state = 'active'
    order by e.id for update of e`)
}

export async function endStays(
  db: Db,
  ids: readonly string[],
  state: 'finished' | 'left',
  reason: string,
  at: Date,
): Promise<void> {
  await db.run(sql`
    update enrolment set state = ${state}, reason = ${reason}, ended_at = ${at}, due_at = null, waits_for = null, answer = null
    where id = any(${ids}::uuid[]) and state = 'active'`)
}

export async function moveStays(
  db: Db,
  moves: readonly { id: string; nodeId: string; anchorAt: Date; facts: Record<string, unknown> }[],
  now: Date,
): Promise<void> {
  await db.run(sql`
    update enrolment e set node_id = m."nodeId", anchor_at = m."anchorAt", facts = e.facts || m.facts, due_at = ${now}, waits_for = null,
           answer = null, stop = e.stop + 1
    from json_to_recordset(${JSON.stringify(moves)}::json) as m(id uuid, "nodeId" text, "anchorAt" timestamptz, facts jsonb)
    where e.id = m.id and e.state = 'active'`)
}

/** Notes the first purchase after entry within the window, for stays of any state. */
export async function noteReturns(
  db: Db,
  purchases: readonly { personId: number; at: Date }[],
): Promise<void> {
  await db.run(sql`
    update enrolment e set returned_at = least(e.returned_at, b.at)
    from (select "personId", min(at) as at from json_to_recordset(${JSON.stringify(purchases)}::json) as b("personId" int, at timestamptz) group by 1, at) b,
         journey_version v
    where e.person_id = b."personId" and v.journey_id = e.journey_id and v.number = e.number and b.at > e.entered_at
      and b.at <= e.entered_at + make_interval(days => (v.definition ->> 'returnWindowDays')::int)
      and (e.returned_at is null or e.returned_at > b.at)`)
}

export type PersonFacts = {
  personId: number
  name: string | null
  gender: string | null
  joinedAt: Date | null
  spentCents: number
  lastPurchaseAt: Date | null
  lastItems: string[]
  store: string | null
  guide: string | null
}

/** What scripts may name about each person. */
export async function factsOf(db: Db, personIds: readonly number[]): Promise<Map<number, PersonFacts>> {
  const rows = await db.rows<PersonFacts>(sql`
    select p.id as "personId", p.name, p.gender, p.joined_at as "joinedAt", coalesce(s.spent_cents, 0) as "spentCents",
           o.at as "lastPurchaseAt", coalesce(o.items, '{}') as "lastItems", store.name as store, staff.name as guide
    from person p
    left join person_state s on s.person_id = p.id
    left join store on store.id = p.home_store_id
    left join lateral (
      select st.name from staff st where st.state = 'active' and (st.id = p.owner_staff_id or st.id = any(p.follower_ids))
      order by (st.id = p.owner_staff_id) desc nulls last, st.id limit 1) staff on true
    left join lateral (
      select d.at, array(select line ->> 'name' from jsonb_array_elements(d.body -> 'lines') line limit 3) as items
      from document d where d.kind = 'order' and not d.deleted and d.profile_id in (select id from profile where person_id = p.id)
        and d.body ->> 'paidAt' is not null
      order by d.at desc limit 1) o on true
    where p.id = any(${personIds}::int[])`)
  return new Map(rows.map((row) => [row.personId, row]))
}

export type BuyerFacts = { personId: number; joinedAt: Date | null; purchases: number; boughtSince: boolean }

/** For triggers: how many paid orders stand for each person, whether one was paid since, when the person joined. */
export async function buyersOf(
  db: Db,
  personIds: readonly number[],
  since: Date,
): Promise<Map<number, BuyerFacts>> {
  const rows = await db.rows<BuyerFacts>(sql`
    select p.id as "personId", p.joined_at as "joinedAt", coalesce(o.purchases, 0)::int as purchases, coalesce(o.recent, false) as "boughtSince"
    from person p left join lateral (
      select count(*) as purchases, bool_or((d.body ->> 'paidAt')::timestamptz >= ${since}) as recent
      from document d where d.kind = 'order' and not d.deleted and d.profile_id in (select id from profile where person_id = p.id)
        and d.body ->> 'status' = 'paid' and (d.refunded_cents < d.total_cents or d.total_cents = 0)) o on true
    where p.id = any(${personIds}::int[])`)
  return new Map(rows.map((row) => [row.personId, row]))
}

/** The next SOP that still takes in those who were in its segment before, locked; undefined where none does. */
export async function claimPresent(db: Db): Promise<(LiveJourney & { present_after: number }) | undefined> {
  return db.maybe(sql`
    select j.id, v.number, j.enter_present, v.definition, j.demo, j.present_after
    from journey j join journey_version v on v.journey_id = j.id and v.number = j.live_version
    where j.state = 'live' and j.present_after is not null order by j.id limit 1 for update of j skip locked`)
}

export async function movePresent(db: Db, journeyId: string, after: number | null): Promise<void> {
  await db.run(sql`update journey set present_after = ${after} where id = ${journeyId}`)
}

export async function presentIn(db: Db, segmentId: number, after: number, limit: number): Promise<number[]> {
  const rows = await db.rows<{ person_id: number }>(sql`
    select person_id from person_segment where segments @> array[${segmentId}::int] and person_id > ${after} order by person_id limit ${limit}`)
  return rows.map((row) => row.person_id)
}

export async function membersOf(
  db: Db,
  segmentId: number,
  personIds: readonly number[],
): Promise<Set<number>> {
  const rows = await db.rows<{ person_id: number }>(sql`
    select person_id from person_segment where person_id = any(${personIds}::int[]) and segments @> array[${segmentId}::int]`)
  return new Set(rows.map((row) => row.person_id))
}

export async function moveEnrolments(
  db: Db,
  mergeId: string,
  kept: number,
  absorbed: number,
  at: Date,
): Promise<void> {
  await db.run(sql`
    insert into enrolment_moved (merge_id, enrolment_id, from_person, was_active)
    select ${mergeId}, id, person_id, state = 'active' from enrolment where person_id = ${absorbed} on conflict do nothing`)
  await db.run(sql`
    update enrolment e set state = 'left', reason = 'merged', ended_at = ${at}, due_at = null
    where e.person_id = ${absorbed} and e.state = 'active'
      and exists (select 1 from enrolment k where k.person_id = ${kept} and k.journey_id = e.journey_id and k.state = 'active')`)
  await db.run(sql`update enrolment set person_id = ${kept} where person_id = ${absorbed}`)
}

export async function moveEnrolmentsBack(db: Db, mergeId: string, at: Date): Promise<void> {
  await db.run(sql`
    update enrolment e set person_id = m.from_person,
           state = case when m.was_active and e.reason = 'merged' then 'active' else e.state end,
           ended_at = case when m.was_active and e.reason = 'merged' then null else e.ended_at end,
           due_at = case when m.was_active and e.reason = 'merged' then ${at} else e.due_at end,
           reason = case when m.was_active and e.reason = 'merged' then null else e.reason end
    from enrolment_moved m where m.merge_id = ${mergeId} and m.enrolment_id = e.id`)
  await db.run(sql`delete from enrolment_moved where merge_id = ${mergeId}`)
}

export type JourneyCount = {
  enrolled: number
  active: number
  finished: number
  touches: number
  tasks: number
}

export async function journeyCounts(
  db: Db,
  ids: readonly string[],
  today: { from: Date; to: Date },
): Promise<Map<string, JourneyCount>> {
  const rows = await db.rows<JourneyCount & { id: string }>(sql`
    select j.id, coalesce(e.enrolled, 0)::int as enrolled, coalesce(e.active, 0)::int as active, coalesce(e.finished, 0)::int as finished,
           coalesce(t.touches, 0)::int as touches, coalesce(k.tasks, 0)::int as tasks
    from unnest(${ids}::uuid[]) j(id)
    left join lateral (
      select count(*) as enrolled, count(*) filter (where state = 'active') as active, count(*) filter (where state = 'finished') as finished
      from enrolment where journey_id = j.id) e on true
    left join lateral (
      select count(*) as touches from touch
      where journey_id = j.id and outbox_id is not null and decided_at >= ${today.from} and decided_at < ${today.to}) t on true
    left join lateral (select count(*) as tasks from task where journey_id = j.id and created_at >= ${today.from} and created_at < ${today.to}) k on true`)
  return new Map(rows.map((row) => [row.id, row]))
}

export async function nodeCounts(
  db: Db,
  journeyId: string,
  number: number,
): Promise<{ passed: Map<string, number>; waiting: Map<string, number> }> {
  const passed = await db.rows<{ node_id: string; times: number }>(
    sql`select node_id, passed as times from node_count where journey_id = ${journeyId} and number = ${number}`,
  )
  const waiting = await db.rows<{ node_id: string; times: number }>(sql`
    select node_id, count(*)::int as times from enrolment where journey_id = ${journeyId} and number = ${number} and state = 'active' group by node_id`)
  return {
    passed: new Map(passed.map((row) => [row.node_id, row.times])),
    waiting: new Map(waiting.map((row) => [row.node_id, row.times])),
  }
}

export type Results = {
  treated: number
  treatedReturned: number
  heldOut: number
  heldOutReturned: number
  tasksDone: number
}

/** Treated and held out who entered, and of each who bought within the window. */
export async function results(db: Db, journeyId: string): Promise<Results> {
  return db.row<Results>(sql`
    select count(*) filter (where not held_out)::int as treated, count(*) filter (where not held_out and returned_at is not null)::int as "treatedReturned",
           count(*) filter (where held_out)::int as "heldOut", count(*) filter (where held_out and returned_at is not null)::int as "heldOutReturned",
           (select count(distinct person_id)::int from task where journey_id = ${journeyId} and state in ('done', 'done_late')) as "tasksDone"
    from enrolment where journey_id = ${journeyId}`)
}

export async function sizeOf(db: Db, segmentId: number): Promise<number> {
  const { persons } = await db.row<{ persons: number }>(
    sql`select count(*)::int as persons from person_segment where segments @> array[${segmentId}::int]`,
  )
  return persons
}

/** How many of a segment a channel can reach: by the facts that the person's row folds. */
export async function reachableIn(db: Db, segmentId: number, channel: 'wecom' | 'sms'): Promise<number> {
  const can =
    channel === 'wecom'
      ? sql`p.wecom = 'followed' and p.consents ->> 'wecom' is distinct from 'withdrawn'`
      : sql`p.phone = 'mobile' and p.consents ->> 'sms' = 'granted'`
  const { persons } = await db.row<{ persons: number }>(sql`
    select count(*)::int as persons from person_segment s join person p on p.id = s.person_id
    where s.segments @> array[${segmentId}::int] and p.state = 'live' and ${can}`)
  return persons
}

export type EnrolmentRow = {
  id: string
  public_id: string
  name: string | null
  entered_at: Date
  node_id: string
  number: number
  due_at: Date | null
  state: 'active' | 'finished' | 'left'
  reason: string | null
  held_out: boolean
  definition: JourneyDefinition
}

export async function enrolmentsOf(
  db: Db,
  journeyId: string,
  filter: {
    nodeId?: string | undefined
    after: { at: Date; id: string } | null
    limit: number
    storeIds: readonly string[] | null
  },
): Promise<EnrolmentRow[]> {
  const node = filter.nodeId ? sql`and e.node_id = ${filter.nodeId} and e.state = 'active'` : sql``
  const after = filter.after
    ? sql`and (e.entered_at, e.id) < (${filter.after.at}, ${filter.after.id}::uuid)`
    : sql``
  const stores = filter.storeIds ? sql`and p.home_store_id = any(${filter.storeIds}::uuid[])` : sql``
  return db.rows<EnrolmentRow>(sql`
    select e.id, p.public_id, p.name, e.entered_at, e.node_id, e.number, e.due_at, e.state, e.reason, e.held_out, v.definition
    from enrolment e join person p on p.id = e.person_id join journey_version v on v.journey_id = e.journey_id and v.number = e.number
    where e.journey_id = ${journeyId} ${node} ${after} ${stores}
    order by e.entered_at desc, e.id desc limit ${filter.limit}`)
}

export async function countLive(db: Db): Promise<number> {
  const { live } = await db.row<{ live: number }>(
    sql`select count(*)::int as live from journey where state = 'live'`,
  )
  return live
}
