/** SQL of what SOPs ask about persons. Reads tables of earlier ranks, never writes them. */
import { reachableForMarketing } from '../members/members.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

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

export async function sizeOf(db: Db, segmentId: number): Promise<number> {
  const { persons } = await db.row<{ persons: number }>(
    sql`select count(*)::int as persons from person_segment where segments @> array[${segmentId}::int]`,
  )
  return persons
}

/** How many of a segment marketing can reach on a channel: by the facts that the person's row folds. */
export async function reachableIn(db: Db, segmentId: number, channel: 'wecom' | 'sms'): Promise<number> {
  const { persons } = await db.row<{ persons: number }>(sql`
    select count(*)::int as persons from person_segment s join person p on p.id = s.person_id
    where s.segments @> array[${segmentId}::int] and p.state = 'live' and ${reachableForMarketing(channel, 'p')}`)
  return persons
}

/** Whether every live segment's answer about everybody is that of its present rule; not so while a recompute is due. */
export async function answersStand(db: Db): Promise<boolean> {
  const { stand } = await db.row<{ stand: boolean }>(
    sql`select done >= wanted as stand from recompute where id = 1`,
  )
  return stand
}

/** The group of that code or name, while it is in use. */
export async function tagGroupCalled(db: Db, name: string): Promise<number | undefined> {
  const row = await db.maybe<{ id: number }>(sql`
    select id from tag_group where state = 'active' and (code = ${name} or name = ${name}) order by (code = ${name}) desc nulls last limit 1`)
  return row?.id
}
