/**
 * All SQL that takes the demo brand out, table by table. The people of the demo carry the bit 2^29 in their numbers
 * (0004-members.sql), so a row is theirs by its number alone; everything else says so in a column or hangs on one that
 * does. A test asks the catalogue for every table that can hold such a row, and wants each of them empty.
 */
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql, trusted } from '../platform/postgres/sql.ts'

/** The bit that says demo. */
export const DEMO_BIT = 2 ** 29
const mine = (column: string): Sql => trusted(`(${column} & ${DEMO_BIT}) <> 0`)

export type Step = { table: string; where: Sql; order?: Sql; rows: number }

/** Rows at a time: what cascades to many others goes in smaller steps. */
const MANY = 20_000
const SOME = 2000

/** In an order in which no step needs a row that a former one took. */
export const steps: readonly Step[] = [
  { table: 'evaluation_due', where: mine('person_id'), rows: MANY },
  { table: 'dead_letter', where: mine('person_id'), rows: MANY },
  { table: 'task', where: sql`demo or ${mine('person_id')}`, rows: MANY },
  {
    table: 'enrolment',
    where: sql`${mine('person_id')} or journey_id in (select id from journey where demo)`,
    rows: MANY,
  },
  {
    table: 'node_count',
    where: sql`not exists (select from enrolment e where e.journey_id = t.journey_id)`,
    rows: MANY,
  },
  { table: 'reach_moved', where: sql`${mine('from_person')}`, rows: MANY },
  { table: 'touch', where: mine('person_id'), rows: MANY },
  {
    table: 'receipt',
    where: sql`not exists (select from outbox o join touch c on c.outbox_id = o.id
      where o.channel = t.channel and (o.provider_id = t.provider_id or o.id::text = t.provider_id))`,
    rows: MANY,
  },
  {
    table: 'task',
    where: sql`outbox_id in (select id from outbox o where not exists (select from touch c where c.outbox_id = o.id))`,
    rows: MANY,
  },
  { table: 'outbox', where: sql`not exists (select from touch c where c.outbox_id = t.id)`, rows: MANY },
  { table: 'holdout', where: mine('person_id'), rows: MANY },
  { table: 'person_cap', where: mine('person_id'), rows: MANY },
  {
    table: 'usage',
    where: sql`user_kind = 'journey' and user_id in (select id::text from journey where demo)`,
    rows: MANY,
  },
  { table: 'journey', where: trusted('demo'), rows: SOME },
  { table: 'person_segment', where: mine('person_id'), rows: MANY },
  { table: 'person_state', where: mine('person_id'), rows: MANY },
  {
    table: 'segment_day',
    where: sql`not exists (select from segment s where s.id = t.segment_id)`,
    rows: MANY,
  },
  { table: 's_tag', where: mine('person_id'), rows: MANY },
  {
    table: 'document',
    where: sql`${mine('person_id')} or ${mine('profile_id')} or source like 'demo-%'`,
    rows: MANY,
  },
  { table: 'review', where: sql`exists (select from unnest(profiles) id where ${mine('id')})`, rows: MANY },
  {
    table: 'merge_carried',
    where: sql`merge_id in (select id from merge m where ${mine('m.kept_person')})`,
    rows: MANY,
  },
  { table: 'merge', where: mine('kept_person'), rows: MANY },
  { table: 'profile_home', where: sql`${mine('person_id')} or ${mine('abs(profile_id)')}`, rows: MANY },
  { table: 'profile', where: mine('id'), rows: SOME },
  // Whoever was absorbed has the greater number: first them, then those they went to.
  { table: 'person', where: mine('id'), order: trusted('order by id desc'), rows: SOME },
  { table: 'demo_born', where: trusted('true'), rows: MANY },
  { table: 'demo_message', where: trusted('true'), rows: MANY },
]

/** One step in the caller's transaction; how many rows went. */
export async function takeOut(db: Db, step: Step): Promise<number> {
  const { table, where, order = sql``, rows } = step
  if (table === 'person') return takeOutPersons(db, step)
  return db.run(sql`
    delete from ${trusted(table)} where ctid = any (array(
      select ctid from ${trusted(table)} t where ${where} ${order} limit ${rows}))`)
}

/** Evaluation may have given them tags again meanwhile: whoever is locked gets none, and those that are there go along. */
async function takeOutPersons(db: Db, { where, order = sql``, rows }: Step): Promise<number> {
  const persons = await db.rows<{ id: number }>(
    sql`select id from person t where ${where} ${order} limit ${rows} for update`,
  )
  const ids = persons.map(({ id }) => id)
  await db.run(sql`delete from s_tag where person_id = any(${ids}::int[])`)
  return db.run(sql`delete from person where id = any(${ids}::int[])`)
}

/** The partitions of the log. What is archived stays as it is until it is dropped. */
export async function logParts(db: Db): Promise<string[]> {
  const rows = await db.rows<{ name: string }>(
    sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'event_log'::regclass order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Events of the demo in one part of the log: of its people, from its sources, of its staff, and of cut points over its base. */
export function logStep(part: string): Step {
  return {
    table: part,
    where: sql`(${mine('person_id')} or ${mine('profile_id')} or source like 'demo-%' or type = 'cut_points_published'
        or (person_id is null and data->>'staffId' in (select id::text from staff where demo)))
      and day in (select day from log_day where state <> 'archived')`,
    rows: MANY,
  }
}

export function demoJourneys(db: Db): Promise<{ id: string; state: string }[]> {
  return db.rows(sql`select id, state from journey where demo order by id`)
}

export function demoSegments(db: Db): Promise<{ id: number; version: number; state: string }[]> {
  return db.rows(sql`select id, version, state from segment where demo order by id desc`)
}

/** Tags of the demo; `kept`: a real member carries it. */
export function demoTags(db: Db): Promise<{ id: number; state: string; kept: boolean }[]> {
  return db.rows(sql`
    select id, state, exists (select from person_tag p where p.tag_id = tag.id and (p.person_id & ${DEMO_BIT}) = 0) as kept
    from tag where demo order by id desc`)
}

/** What may be used by something real and is then left to it, from what hangs on others to what others hang on. */
export const shared = [
  'segment',
  'tag',
  'tag_group',
  'content',
  'staff',
  'store',
  'region',
  'product',
  'calendar_entry',
] as const
export type Shared = (typeof shared)[number]

export async function demoIds(db: Db, table: Shared): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    sql`select id::text as id from ${trusted(table)} where demo order by id desc`,
  )
  return rows.map(({ id }) => id)
}

export async function deleteShared(db: Db, table: Shared, id: string): Promise<void> {
  await db.run(sql`delete from ${trusted(table)} where id::text = ${id} and demo`)
}

/** Something real uses it: it stays, and is not of the demo any more. */
export async function leaveToReal(db: Db, table: Shared, id: string): Promise<void> {
  await db.run(sql`update ${trusted(table)} set demo = false where id::text = ${id}`)
}

export async function disableStaff(db: Db, id: string): Promise<void> {
  await db.run(sql`update staff set state = 'disabled', password_hash = null where id = ${id}`)
  await db.run(sql`delete from session where staff_id = ${id}`)
}

/** Retirements of tags that are gone, and cut points: they were those of the demo's base. */
export async function forgetMeasures(db: Db): Promise<void> {
  await db.run(sql`
    delete from tag_retirement r where not exists (select from tag t where t.id = any(r.tag_ids))`)
  await db.run(sql`delete from cut_points`)
}

/** Orders of the demo without a buyer. Their lines, which have no source, go by them. */
export const ordersOfNobody = "select distinct id from orders where source like 'demo-%' and person_id = 0"

/**
 * Rows of the demo in ClickHouse. `given`: what `where` asks for beside them. Ids of orders are given and not looked up by
 * the delete itself, which could find others on each replica of a cluster.
 */
export const clickhouseRows: readonly {
  table: string
  where: string
  given: 'nothing' | 'orders' | 'brand'
}[] = [
  { table: 'order_lines', where: `bitAnd(person_id, ${DEMO_BIT}) != 0`, given: 'nothing' },
  { table: 'order_lines', where: 'person_id = 0 and order_id in {orders: Array(UUID)}', given: 'orders' },
  { table: 'orders', where: `bitAnd(person_id, ${DEMO_BIT}) != 0 or source like 'demo-%'`, given: 'nothing' },
  {
    table: 'events',
    where: `bitAnd(person_id, ${DEMO_BIT}) != 0 or bitAnd(abs(profile_id), ${DEMO_BIT}) != 0 or source like 'demo-%'
      or (type = 'cut_points_published' and events.at <= {until: DateTime64(3, 'UTC')})
      or (person_id = 0 and has({staff: Array(UUID)}, staff_id))`,
    given: 'brand',
  },
]
