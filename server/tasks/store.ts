/** Every statement of the tasks. Reads tables of earlier ranks (person, person_state, document, staff, store), never writes them. */
import type { Task, TaskKind, TaskState } from '../../contract/tasks.ts'
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql } from '../platform/postgres/sql.ts'
import type { NewTask } from './new-task.ts'

export type TaskRow = {
  id: string
  kind: TaskKind
  state: TaskState
  person_id: number | null
  staff_id: string | null
  store_id: string | null
  journey_id: string | null
  enrolment_id: string | null
  outbox_id: string | null
  members: number
  title: Task['title']
  reason: Task['reason']
  script: string | null
  tag_group_id: number | null
  feedback_needed: boolean
  due_at: Date
  created_at: Date
  ended_at: Date | null
  done_by: string | null
  outcome: string | null
  feedback: string | null
  /** A text to copy: the touch of the same id counts as sent when it is done. */
  copied: boolean
  staff_name: string | null
  store_name: string | null
  journey_name: string | null
  tag: Task['tag']
  member: MemberFactsRow | null
}

export type MemberFactsRow = {
  id: string
  name: string | null
  gender: string | null
  birthday: string | null
  lifecycle: string | null
  lastPurchaseAt: string | null
  purchases: number
  spentCents: number
  lastItems: string[]
  tags: string[]
}

/** Writes tasks that are not there yet; the ids of those written. */
export async function insertTasks(db: Db, tasks: readonly NewTask[], at: Date): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    insert into task (id, kind, person_id, staff_id, store_id, journey_id, enrolment_id, node_id, outbox_id, members, journey_name,
                      title, reason, script, tag_group_id, feedback_needed, due_at, created_at, demo)
    select t.id, t.kind, t.person_id, t.staff_id, t.store_id, t.journey_id, t.enrolment_id, t.node_id, t.outbox_id, t.members, t.journey_name,
           t.title, t.reason, t.script, t.tag_group_id, t.feedback_needed, t.due_at, ${at}, t.demo
    from json_to_recordset(${JSON.stringify(tasks.map(asRow))}::json) as t(
      id uuid, kind text, person_id int, staff_id uuid, store_id uuid, journey_id uuid, enrolment_id uuid, node_id text,
      outbox_id uuid, members int, journey_name text, title jsonb, reason jsonb, script text, tag_group_id int, feedback_needed boolean,
      due_at timestamptz, demo boolean)
    on conflict do nothing
    returning id`)
  return rows.map((row) => row.id)
}

function asRow(task: NewTask): Record<string, unknown> {
  return {
    id: task.id,
    kind: task.kind,
    person_id: task.personId,
    staff_id: task.staffId,
    store_id: task.storeId,
    journey_id: task.journeyId,
    enrolment_id: task.enrolmentId,
    node_id: task.nodeId,
    outbox_id: task.outboxId,
    members: task.members,
    journey_name: task.journeyName,
    title: task.title,
    reason: task.reason,
    script: task.script,
    tag_group_id: task.tagGroupId,
    feedback_needed: task.feedbackNeeded,
    due_at: task.dueAt,
    demo: task.demo,
  }
}

const whole = sql`
  select t.id, t.kind, t.state, t.person_id, t.staff_id, t.store_id, t.journey_id, t.enrolment_id, t.outbox_id, t.members,
         t.title, t.reason, t.script, t.tag_group_id, t.feedback_needed, t.due_at, t.created_at, t.ended_at, t.done_by,
         t.outcome, t.feedback, staff.name as staff_name, store.name as store_name, t.journey_name,
         exists (select from touch where touch.id = t.id) as copied,
         case when t.tag_group_id is null then null else (select json_build_object('groupId', g.id, 'group', g.name, 'options', coalesce((
           select json_agg(json_build_object('tagId', o.id, 'name', o.name) order by o.position, o.id) from tag o where o.group_id = g.id and o.state = 'active'), '[]'::json))
           from tag_group g where g.id = t.tag_group_id) end as tag,
         case when p.id is null then null else json_build_object(
           'id', p.public_id, 'name', p.name, 'gender', p.gender, 'birthday', p.birthday, 'lifecycle', s.lifecycle,
           'lastPurchaseAt', s.last_purchase_at, 'purchases', coalesce(s.purchases, 0), 'spentCents', coalesce(s.spent_cents, 0),
           'lastItems', coalesce((
             select json_agg(line ->> 'name')
             from (select d.body from document d
                   where d.kind = 'order' and not d.deleted
                     and d.profile_id in (select id from profile where person_id = p.id)
                   order by d.at desc limit 1) d, jsonb_array_elements(d.body -> 'lines') line), '[]'::json),
           'tags', coalesce((
             select json_agg(distinct tag.name) from person_tag pt join tag on tag.id = pt.tag_id
             where pt.person_id = p.id and tag.state = 'active'), '[]'::json)) end as member
  from task t
  left join staff on staff.id = t.staff_id
  left join store on store.id = t.store_id
  left join person p on p.id = t.person_id
  left join person_state s on s.person_id = p.id`

export async function taskById(db: Db, id: string): Promise<TaskRow | undefined> {
  return db.maybe<TaskRow>(sql`${whole} where t.id = ${id}`)
}

/** Open and late tasks of one member of staff, and those of the stores that nobody in particular has; soonest first. */
export async function openTasksOf(db: Db, staffId: string, storeIds: readonly string[]): Promise<TaskRow[]> {
  return db.rows<TaskRow>(sql`${whole}
    where t.state in ('open', 'late')
      and (t.staff_id = ${staffId} or (t.staff_id is null and t.store_id = any(${storeIds}::uuid[])))
    order by t.due_at, t.id
    limit 200`)
}

export type TaskFilter = {
  state?: TaskState | undefined
  doneWithin?: { from: Date; to: Date } | undefined
  kind?: TaskKind | undefined
  storeId?: string | undefined
  guideId?: string | undefined
  /** Null: all stores. */
  storeIds: readonly string[] | null
  after: { at: Date; id: string } | null
  limit: number
}

export async function listTasks(db: Db, filter: TaskFilter): Promise<TaskRow[]> {
  const conditions: Sql[] = [sql`true`]
  if (filter.state) conditions.push(sql`t.state = ${filter.state}`)
  if (filter.doneWithin) {
    const { from, to } = filter.doneWithin
    conditions.push(sql`t.state in ('done', 'done_late') and t.ended_at >= ${from} and t.ended_at < ${to}`)
  }
  if (filter.kind) conditions.push(sql`t.kind = ${filter.kind}`)
  if (filter.storeId) conditions.push(sql`t.store_id = ${filter.storeId}`)
  if (filter.guideId) conditions.push(sql`t.staff_id = ${filter.guideId}`)
  if (filter.storeIds) conditions.push(sql`t.store_id = any(${filter.storeIds}::uuid[])`)
  if (filter.after)
    conditions.push(sql`(t.created_at, t.id) < (${filter.after.at}, ${filter.after.id}::uuid)`)
  return db.rows<TaskRow>(
    sql`${whole} where ${join(conditions, ' and ')} order by t.created_at desc, t.id desc limit ${filter.limit}`,
  )
}

export type EndedTask = {
  id: string
  kind: TaskKind
  person_id: number | null
  staff_id: string | null
  store_id: string | null
  enrolment_id: string | null
}

/** Ends an open or late task; undefined where it has ended already. */
export async function endTask(
  db: Db,
  id: string,
  end: { outcome: string; feedback: string | null; by: string | null; at: Date },
): Promise<(EndedTask & { state: TaskState }) | undefined> {
  return db.maybe(sql`
    update task set state = case when state = 'late' or due_at < ${end.at} then 'done_late' else 'done' end,
           ended_at = ${end.at}, outcome = ${end.outcome}, feedback = ${end.feedback}, done_by = ${end.by}
    where id = ${id} and state in ('open', 'late')
    returning id, kind, state, person_id, staff_id, store_id, enrolment_id`)
}

/** Opens a task again that was done not earlier than `since`. False where it is too late, another's, or of somebody who is gone. */
export async function reopenTask(db: Db, id: string, by: string, since: Date, now: Date): Promise<boolean> {
  const touched = await db.run(sql`
    update task set state = case when due_at < ${now} then 'late' else 'open' end, ended_at = null, outcome = null, feedback = null, done_by = null
    where id = ${id} and state in ('done', 'done_late') and done_by = ${by} and ended_at >= ${since}
      and not exists (select from person where person.id = task.person_id and person.state <> 'live')`)
  return touched === 1
}

export async function cancelOpen(
  db: Db,
  which: {
    outboxIds?: readonly string[]
    enrolmentIds?: readonly string[]
    personIds?: readonly number[]
  },
  at: Date,
): Promise<EndedTask[]> {
  const { outboxIds, personIds, enrolmentIds = [] } = which
  let match = sql`enrolment_id = any(${enrolmentIds}::uuid[])`
  if (outboxIds) match = sql`outbox_id = any(${outboxIds}::uuid[])`
  else if (personIds) match = sql`person_id = any(${personIds}::int[])`
  return db.rows<EndedTask>(sql`
    update task set state = 'cancelled', ended_at = ${at} where state in ('open', 'late') and ${match}
    returning id, kind, person_id, staff_id, store_id, enrolment_id`)
}

/** Title, reason, script and feedback of tasks about these persons: they name them. What came of the tasks stays. */
export async function forgetWords(db: Db, personIds: readonly number[]): Promise<void> {
  await db.run(sql`
    update task set title = '{"zh": "已删除的会员", "en": "An erased member"}', reason = '{"zh": "", "en": ""}', script = null,
      feedback = case when feedback is null then null else '—' end
    where person_id = any(${personIds}::int[])`)
}

export async function endBroadcast(db: Db, outboxIds: readonly string[], at: Date): Promise<EndedTask[]> {
  return db.rows<EndedTask>(sql`
    update task set state = case when state = 'late' or due_at < ${at} then 'done_late' else 'done' end, ended_at = ${at}, outcome = 'confirmed'
    where state in ('open', 'late') and outbox_id = any(${outboxIds}::uuid[])
    returning id, kind, person_id, staff_id, store_id, enrolment_id`)
}

export async function makeLate(db: Db, now: Date, limit: number): Promise<EndedTask[]> {
  return db.rows<EndedTask>(sql`
    update task set state = 'late'
    where id in (select id from task where state = 'open' and due_at < ${now} order by due_at limit ${limit} for update skip locked)
    returning id, kind, person_id, staff_id, store_id, enrolment_id`)
}

export type ScoreRow = {
  id: string
  name: string
  store: string | null
  open: number
  done: number
  done_late: number
  late: number
  with_feedback: number
}

/** Counts by guide or store of the tasks that fell due from `since` to `now`; open ones are those not due yet. */
export async function countsBy(
  db: Db,
  by: 'guide' | 'store',
  since: Date,
  now: Date,
  storeIds: readonly string[] | null,
  staffId?: string,
): Promise<ScoreRow[]> {
  const within = storeIds ? sql`and t.store_id = any(${storeIds}::uuid[])` : sql``
  const one = staffId ? sql`and t.staff_id = ${staffId}` : sql``
  const counts = sql`
    count(*) filter (where t.state = 'open')::int as open, count(*) filter (where t.state = 'done')::int as done,
    count(*) filter (where t.state = 'done_late')::int as done_late, count(*) filter (where t.state = 'late')::int as late,
    count(*) filter (where t.feedback is not null)::int as with_feedback`
  const window = sql`t.state <> 'cancelled' and ((t.due_at > ${since} and t.due_at <= ${now}) or t.state = 'open' or (t.ended_at > ${since}))`
  if (by === 'guide') {
    return db.rows<ScoreRow>(sql`
      select staff.id, staff.name, min(store.name) as store, ${counts}
      from task t join staff on staff.id = t.staff_id left join store on store.id = t.store_id
      where ${window} ${within} ${one} group by staff.id, staff.name order by staff.name collate "zh-Hans-CN-x-icu" limit 500`)
  }
  return db.rows<ScoreRow>(sql`
    select store.id, store.name, null::text as store, ${counts}
    from task t join store on store.id = t.store_id
    where ${window} ${within} group by store.id, store.name order by store.name collate "zh-Hans-CN-x-icu" limit 500`)
}

export async function doneSince(db: Db, staffId: string, since: Date): Promise<number> {
  const { done } = await db.row<{ done: number }>(
    sql`select count(*)::int as done from task where done_by = ${staffId} and ended_at >= ${since}`,
  )
  return done
}

export async function dayCounts(
  db: Db,
  since: Date,
  until: Date,
): Promise<{ open: number; done: number; late: number }> {
  return db.row(sql`
    select count(*) filter (where state = 'open')::int as open,
           count(*) filter (where state in ('done', 'done_late') and ended_at >= ${since} and ended_at < ${until})::int as done,
           count(*) filter (where state = 'late')::int as late
    from task where state in ('open', 'late') or ended_at >= ${since}`)
}

/** Puts tasks of an absorbed person under the kept one and remembers which. */
export async function moveTasks(db: Db, mergeId: string, kept: number, absorbed: number): Promise<void> {
  await db.run(sql`
    with moved as (update task set person_id = ${kept} where person_id = ${absorbed} returning id)
    insert into task_moved (merge_id, task_id, from_person) select ${mergeId}, id, ${absorbed} from moved on conflict do nothing`)
}

export async function moveTasksBack(db: Db, mergeId: string): Promise<void> {
  await db.run(
    sql`update task set person_id = m.from_person from task_moved m where m.merge_id = ${mergeId} and m.task_id = task.id`,
  )
  await db.run(sql`delete from task_moved where merge_id = ${mergeId}`)
}

/** For each person: who is asked. The owner while active, else a follower, else nobody (the store is asked). */
export async function guidesOf(
  db: Db,
  personIds: readonly number[],
): Promise<Map<number, { staffId: string | null; storeId: string | null; demo: boolean }>> {
  const rows = await db.rows<{
    id: number
    staff_id: string | null
    store_id: string | null
    demo: boolean
  }>(sql`
    select p.id, p.demo, g.staff_id, coalesce(p.home_store_id, (select min(ss.store_id::text)::uuid from staff_store ss where ss.staff_id = g.staff_id)) as store_id
    from person p
    left join lateral (
      select staff.id as staff_id from staff
      where staff.state = 'active' and (staff.id = p.owner_staff_id or staff.id = any(p.follower_ids))
      order by (staff.id = p.owner_staff_id) desc nulls last, staff.id limit 1) g on true
    where p.id = any(${personIds}::int[]) and p.state = 'live'`)
  return new Map(
    rows.map((row) => [row.id, { staffId: row.staff_id, storeId: row.store_id, demo: row.demo }]),
  )
}

/** Open tag tasks of each member of staff; who has none is left out. */
export async function openTagTasks(db: Db, staffIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.rows<{ staff_id: string; tasks: number }>(sql`
    select staff_id, count(*)::int as tasks from task
    where kind = 'tag' and state in ('open', 'late') and staff_id = any(${staffIds}::uuid[]) group by 1`)
  return new Map(rows.map((row) => [row.staff_id, row.tasks]))
}

/** The first store of each member of staff, for the score of the store. */
export async function storesOfStaff(db: Db, staffIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ staff_id: string; store_id: string }>(sql`
    select distinct on (staff_id) staff_id, store_id from staff_store where staff_id = any(${staffIds}::uuid[]) order by staff_id, store_id`)
  return new Map(rows.map((row) => [row.staff_id, row.store_id]))
}
