/** SQL of how people can be reached. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type ReachableRow = {
  personId: number
  demo: boolean
  consents: Record<string, 'granted' | 'withdrawn'>
  phone: string
  contactResults: Record<string, string>
  ownerStaffId: string | null
}

export async function reachablesOf(db: Db, personIds: readonly number[]): Promise<ReachableRow[]> {
  return db.rows(sql`
    select id as "personId", demo, consents, phone, contact_results as "contactResults", owner_staff_id as "ownerStaffId"
    from person where id = any(${personIds}::int[]) and state = 'live'`)
}

/** Staff whom they follow now. */
export async function contactsOf(
  db: Db,
  personIds: readonly number[],
): Promise<
  {
    personId: number
    staffId: string
    wecomUserId: string | null
    externalUserId: string
    addedAt: Date
  }[]
> {
  return db.rows(sql`
    select p.person_id as "personId", r.staff_id as "staffId", s.wecom_user_id as "wecomUserId",
      r.external_userid as "externalUserId", r.added_at as "addedAt"
    from profile p join relation r on r.profile_id = p.id join staff s on s.id = r.staff_id
    where p.person_id = any(${personIds}::int[]) and r.standing and s.state = 'active'`)
}

/** Valid mobile numbers, the latest first. Demo numbers have a scope of their own. */
export async function mobilesOf(
  db: Db,
  personIds: readonly number[],
): Promise<{ personId: number; profileId: number; digest: string }[]> {
  return db.rows(sql`
    select p.person_id as "personId", i.profile_id as "profileId", encode(i.digest, 'hex') as digest
    from profile p join identifier i on i.profile_id = p.id
    where p.person_id = any(${personIds}::int[]) and i.kind = 'phone' and i.form = 'mobile' and i.valid and i.state = 'active'
    order by p.person_id, i.at desc, i.digest`)
}
