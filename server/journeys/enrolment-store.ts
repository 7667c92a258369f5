/** SQL of enrolments: who enters, who is due, where each stands. Reads `person`, never writes it. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

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
  /** Why the stay ends here, whatever the step says. */
  leaves: 'person_gone' | 'ended' | null
}

const dueColumns = sql`e.id, e.journey_id, j.name as journey_name, e.number, e.person_id, e.node_id, e.stop, e.waits_for, e.answer,
  e.anchor_at, e.entered_at, e.facts, e.held_out, e.returned_at`

/**
 * Claims what is due in live SOPs, soonest first: of each SOP the next ones, so that those of paused SOPs are not walked
 * over. A SOP is held until the end: whoever pauses it waits, and then withdraws also what this step offers.
 */
export async function claimDue(db: Db, now: Date, limit: number): Promise<DueEnrolment[]> {
  return db.rows<DueEnrolment>(sql`
    select ${dueColumns}, case when p.state <> 'live' then 'person_gone' end as leaves
    from enrolment e join journey j on j.id = e.journey_id join person p on p.id = e.person_id
    where e.state = 'active' and e.due_at <= ${now} and j.state = 'live' and e.id = any(array(
      select next.id from journey l cross join lateral (
        select d.id, d.due_at from enrolment d
        where d.journey_id = l.id and d.state = 'active' and d.due_at <= ${now} order by d.due_at limit ${limit}) next
      where l.state = 'live' order by next.due_at limit ${limit}))
    order by e.due_at, e.id
    for update of e skip locked for share of j skip locked`)
}

/** Claims stays in SOPs that have ended; they leave, due or not. */
export async function claimEnded(db: Db, limit: number): Promise<DueEnrolment[]> {
  return db.rows<DueEnrolment>(sql`
    select ${dueColumns}, 'ended' as leaves
    from journey j join enrolment e on e.journey_id = j.id and e.state = 'active'
    where j.state = 'ended' order by e.id limit ${limit}
    for update of e skip locked`)
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

/** Answers that were awaited: the enrolments become due at once, also those that a merge set aside and its undo brings back. */
export async function writeAnswers(
  db: Db,
  answers: readonly { waitsFor: string; answer: string }[],
  now: Date,
): Promise<number> {
  return db.run(sql`
    update enrolment e set answer = a.answer, due_at = ${now}
    from json_to_recordset(${JSON.stringify(answers)}::json) as a("waitsFor" uuid, answer text)
    where e.waits_for = a."waitsFor" and e.answer is null and (e.state = 'active' or e.reason = 'merged')`)
}

/**
 * Stays whose message was withdrawn, or whose task was cancelled, wait for it no more: when they go on, their node offers
 * or asks anew. That nobody wanted it for a while is no answer. The ids of those stays.
 */
export async function askAnew(
  db: Db,
  which: { journeyId?: string; enrolmentIds?: readonly string[]; touchIds?: readonly string[] },
  now: Date,
): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    update enrolment e set waits_for = null, stop = e.stop + 1, due_at = case when e.state = 'active' then ${now}::timestamptz end
    where (e.id = any(${which.enrolmentIds ?? []}::uuid[]) or e.waits_for = any(${which.touchIds ?? []}::uuid[])
        or (e.journey_id = ${which.journeyId ?? null}::uuid and e.state = 'active'))
      and e.waits_for is not null and e.answer is null and (
        exists (select from touch t where t.id = e.waits_for and t.state = 'dropped' and t.reason in ('paused', 'merged'))
        or exists (select from task k where k.id = e.waits_for and k.state = 'cancelled'))
    returning e.id`)
  return rows.map((row) => row.id)
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

/** Which of these persons are, or ever were, in a SOP: an imported purchase of anybody else changes nothing. */
export async function everInSops(db: Db, persons: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await db.rows<{ id: number }>(sql`
    select distinct person_id as id from enrolment where person_id = any(${persons}::int[])`)
  return new Set(rows.map(({ id }) => id))
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
    update enrolment e set returned_at = r.at
    from (
      select s.id, min(b.at) as at
      from json_to_recordset(${JSON.stringify(purchases)}::json) as b("personId" int, at timestamptz)
      join enrolment s on s.person_id = b."personId" and b.at > s.entered_at
      join journey_version v on v.journey_id = s.journey_id and v.number = s.number
        and b.at <= s.entered_at + make_interval(days => (v.definition ->> 'returnWindowDays')::int)
      group by s.id) r
    where e.id = r.id and (e.returned_at is null or e.returned_at > r.at)`)
}
