/** What the home page counts, over tables of earlier ranks; read only. */
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import type { Zone } from '../platform/time/zone.ts'

export type BaseCounts = { persons: number; members: number; reachable: number }

/** Living persons, members among them, and those whom at least one channel can reach. */
export async function baseCounts(db: Db): Promise<BaseCounts> {
  return db.row<BaseCounts>(sql`
    select count(*)::int as persons, count(*) filter (where kind = 'member')::int as members,
      count(*) filter (where (wecom = 'followed' and consents ->> 'wecom' is distinct from 'withdrawn')
        or (phone = 'mobile' and consents ->> 'sms' is distinct from 'withdrawn' and contact_results ->> 'sms' is distinct from 'blocked'))::int as reachable
    from person where state = 'live'`)
}

export type DayCounts = { day: string; joined: number; bought: number; touched: number }

/** Joined, bought and touched persons by day of the brand, from `from` on. */
export async function dayCounts(db: Db, zone: Zone, from: Date): Promise<DayCounts[]> {
  return db.rows<DayCounts>(sql`
    select to_char(day, 'YYYY-MM-DD') as day, sum(joined)::int as joined, sum(bought)::int as bought, sum(touched)::int as touched
    from (
      select (joined_at at time zone ${zone})::date as day, count(*) as joined, 0 as bought, 0 as touched
      from person where state = 'live' and joined_at >= ${from} group by 1
      union all
      select (at at time zone ${zone})::date, 0, count(distinct profile_id), 0
      from document where kind = 'order' and not deleted and at >= ${from} and profile_id is not null and body ->> 'status' = 'paid' group by 1
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

export type CardRow = {
  gender: string | null
  birthday: string | null
  birthday_lunar: boolean
  source: 'referral_fission' | 'returning' | 'member_get_member' | 'guide_recruited' | 'organic'
  source_side: 'online' | 'offline' | null
  register_channel: string | null
  registration: 'registered' | 'registered_before' | 'bought_unregistered' | null
  next_at: Date | null
}

export async function cardRow(db: Db, personId: number): Promise<CardRow> {
  return db.row<CardRow>(sql`
    select p.gender, p.birthday::text as birthday, p.birthday_lunar, p.source, p.source_side, p.register_channel, p.registration, ps.next_at
    from person p left join person_segment ps on ps.person_id = p.id where p.id = ${personId}`)
}

export async function profilesOf(db: Db, personId: number): Promise<number[]> {
  return (await db.rows<{ id: number }>(sql`select id from profile where person_id = ${personId}`)).map(
    (row) => row.id,
  )
}

export async function relationsOfPerson(
  db: Db,
  personId: number,
): Promise<
  { guide: string; store: string | null; added_at: Date; lost_at: Date | null; remark: string | null }[]
> {
  return db.rows(sql`
    select s.name as guide, (select min(store.name) from staff_store ss join store on store.id = ss.store_id where ss.staff_id = s.id) as store,
      r.added_at, case when r.standing then null else r.lost_at end as lost_at, r.remark
    from relation r join profile p on p.id = r.profile_id join staff s on s.id = r.staff_id
    where p.person_id = ${personId} order by r.added_at desc`)
}

export async function mergesOf(db: Db, personId: number): Promise<{ id: string; at: Date; cause: string }[]> {
  return db.rows(
    sql`select id, at, cause from merge where kept_person = ${personId} and undone_at is null order by at desc limit 50`,
  )
}

export async function placeNames(db: Db, storeIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ id: string; name: string }>(
    sql`select id, name from store where id = any(${storeIds}::uuid[])`,
  )
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** The living person of a public id that the viewer may see. */
export async function personOf(db: Db, publicId: string, visible: Sql): Promise<number | undefined> {
  return (
    await db.maybe<{ id: number }>(
      sql`select p.id from person p where p.public_id = ${publicId} and p.state = 'live' and ${visible}`,
    )
  )?.id
}
