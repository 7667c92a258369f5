/** SQL of what pages show of SOPs. Reads only, tables of earlier ranks too. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

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
