/** What the home page counts, over tables of earlier ranks; read only. */
import type { Db } from '../platform/postgres/database.ts'
import { jsonText } from '../platform/postgres/json.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import type { Zone } from '../platform/time/zone.ts'

export type DayCounts = { day: string; joined: number; bought: number; touched: number }

/** Joined, bought and touched persons by day of the brand, from `from` on. */
export async function dayCounts(db: Db, zone: Zone, from: Date): Promise<DayCounts[]> {
  return db.rows<DayCounts>(sql`
    select to_char(day, 'YYYY-MM-DD') as day, sum(joined)::int as joined, sum(bought)::int as bought, sum(touched)::int as touched
    from (
      select (joined_at at time zone ${zone})::date as day, count(*) as joined, 0 as bought, 0 as touched
      from person where state = 'live' and joined_at >= ${from} group by 1
      union all
      select (d.at at time zone ${zone})::date, 0, count(distinct p.person_id), 0
      from document d join profile p on p.id = d.profile_id
      where d.kind = 'order' and not d.deleted and d.at >= ${from} and d.profile_id is not null and d.body ->> 'status' = 'paid' group by 1
      union all
      select (created_at at time zone ${zone})::date, 0, 0, count(distinct person_id)
      from touch where created_at >= ${from} group by 1
    ) each
    group by day order by day`)
}

/** Whether members of the demo brand are there. */
export async function demoPersons(db: Db): Promise<boolean> {
  return (await db.maybe(sql`select 1 from person where demo and state = 'live' limit 1`)) !== undefined
}

type Named = {
  members: Map<number, { id: string; name: string | null }>
  staff: Map<string, string>
  journeys: Map<string, string>
}

/** Names for a page of touches, in three statements. */
export function touchNames(db: Db) {
  return {
    async personId(publicId: string): Promise<number | undefined> {
      return (await db.maybe<{ id: number }>(sql`select id from person where public_id = ${publicId}`))?.id
    },
    async of(
      rows: readonly { personId: number; senderId: string | null; journeyId: string | null }[],
    ): Promise<Named> {
      const members = await db.rows<{ id: number; public_id: string; name: string | null }>(
        sql`select id, public_id, name from person where id = any(${rows.map((row) => row.personId)}::int[])`,
      )
      const staff = await db.rows<{ id: string; name: string }>(
        sql`select id, name from staff where id = any(${rows.flatMap((row) => row.senderId ?? [])}::uuid[])`,
      )
      const journeys = await db.rows<{ id: string; name: string }>(
        sql`select id, name from journey where id = any(${rows.flatMap((row) => row.journeyId ?? [])}::uuid[])`,
      )
      return {
        members: new Map(members.map((row) => [row.id, { id: row.public_id, name: row.name }])),
        staff: new Map(staff.map((row) => [row.id, row.name])),
        journeys: new Map(journeys.map((row) => [row.id, row.name])),
      }
    },
  }
}

export async function profilesOf(db: Db, personId: number): Promise<number[]> {
  return (await db.rows<{ id: number }>(sql`select id from profile where person_id = ${personId}`)).map(
    (row) => row.id,
  )
}

export type Subject = { type: string; numberId: number; subject: string }

/** What events speak of, by `type numberId subject`: the name of the tag, group, segment or SOP; absent where it is gone. */
export async function subjectNames(db: Db, events: readonly Subject[]): Promise<Map<string, string>> {
  const asked = events.filter(({ type }) => /^(tag|segment|journey)_/.test(type))
  const rows = await db.rows<Subject & { name: string }>(sql`
    select e.type, e."numberId", e.subject, coalesce(t.name, s.name, j.name) as name
    from jsonb_to_recordset(${jsonText(asked)}::jsonb) as e (type text, "numberId" int, subject text)
    left join tag t on e.type like 'tag%' and t.id = e."numberId"
    left join segment s on e.type like 'segment%' and s.id = e."numberId" and not s.hidden
    left join journey j on e.type like 'journey%' and j.id::text = e.subject
    where coalesce(t.name, s.name, j.name) is not null`)
  return new Map(rows.map(({ name, ...event }) => [subjectKey(event), name]))
}

/** Names of segments that people see, by id. */
export async function segmentNames(db: Db, ids: readonly number[]): Promise<Map<number, string>> {
  const rows = await db.rows<{ id: number; name: string }>(
    sql`select id, name from segment where id = any(${[...new Set(ids)]}::int[]) and not hidden`,
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export function subjectKey({ type, numberId, subject }: Subject): string {
  return `${type} ${numberId} ${subject}`
}

export async function placeNames(db: Db, storeIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ id: string; name: string }>(
    sql`select id, name from store where id = any(${storeIds}::uuid[])`,
  )
  return new Map(rows.map((row) => [row.id, row.name]))
}

export type Beside = {
  lifecycle: string | null
  last_purchase_at: Date | null
  purchases: number
  spent_cents: number
  store: string | null
  guide: string | null
  tags: string[]
}

/** What stands beside persons in lists. */
export async function besideOf(db: Db, personIds: readonly number[]): Promise<Map<number, Beside>> {
  const rows = await db.rows<Beside & { id: number }>(sql`
    select p.id, st.lifecycle, st.last_purchase_at, coalesce(st.purchases, 0)::int as purchases, coalesce(st.spent_cents, 0)::bigint as spent_cents,
      store.name as store, staff.name as guide,
      coalesce((select array_agg(distinct t.name) from person_tag pt join tag t on t.id = pt.tag_id where pt.person_id = p.id and t.state = 'active'), '{}') as tags
    from person p left join person_state st on st.person_id = p.id left join store on store.id = p.home_store_id left join staff on staff.id = p.owner_staff_id
    where p.id = any(${personIds}::int[])`)
  return new Map(rows.map((row) => [row.id, row]))
}

/** When time alone may change an answer about the person next. */
export async function nextChangeOf(db: Db, personId: number): Promise<Date | null> {
  return (
    (
      await db.maybe<{ next_at: Date | null }>(
        sql`select next_at from person_segment where person_id = ${personId}`,
      )
    )?.next_at ?? null
  )
}

/** Names of staff, with their first store. */
export async function staffNames(
  db: Db,
  staffIds: readonly string[],
): Promise<Map<string, { name: string; store: string | null }>> {
  const rows = await db.rows<{ id: string; name: string; store: string | null }>(sql`
    select s.id, s.name, (select min(store.name) from staff_store ss join store on store.id = ss.store_id where ss.staff_id = s.id) as store
    from staff s where s.id = any(${staffIds}::uuid[])`)
  return new Map(rows.map((row) => [row.id, row]))
}

/** Life cycle of those who were audited, and of those who never bought. */
export async function lifecycleCounts(db: Db, among: Sql): Promise<{ state: string; persons: number }[]> {
  return db.rows(sql`
    select st.lifecycle as state, count(*)::int as persons from person_state st join person on person.id = st.person_id
    where person.state = 'live' and ${among} group by 1`)
}

export async function withoutBuyer(db: Db): Promise<{ orders: number; cents: number }> {
  return db.row(
    sql`select count(*)::int as orders, coalesce(sum(total_cents - refunded_cents), 0)::bigint as cents from document where kind = 'order' and not deleted and profile_id is null`,
  )
}
