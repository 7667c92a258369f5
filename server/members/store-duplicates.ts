/** SQL of the search for duplicates. */
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'

export type LikelyRow = {
  id: number
  name: string | null
  birthday: string | null
  city: string | null
  /** The keyed hash of the last four digits of a phone, as hex. */
  last4: string | null
  addressProfile: number | null
  addressDigest: string | null
}

/** Live persons that have a name or a birthday, in order of id. */
export async function likelyPage(db: Db, after: number, limit: number): Promise<LikelyRow[]> {
  return select(
    db,
    sql`e.id > ${after} and (e.name is not null or e.birthday is not null)`,
    sql`order by e.id limit ${limit}`,
  )
}

export async function likelyOf(db: Db, ids: readonly number[]): Promise<LikelyRow[]> {
  return select(db, sql`e.id = any(${ids}::int[])`, sql``)
}

function select(db: Db, which: Sql, page: Sql): Promise<LikelyRow[]> {
  return db.rows<LikelyRow>(sql`
    select e.id, e.name, e.birthday, e.city, known.last4, known."addressProfile", known."addressDigest"
    from (select e.id, e.name, e.birthday, e.city from person e where e.state = 'live' and ${which} ${page}) e
    cross join lateral (
      select max(encode(i.lookup, 'hex')) filter (where i.links) as last4,
        max(p.id) filter (where p.attributes ? 'address') as "addressProfile",
        (array_agg(p.attributes->'address'->>0 order by p.id desc) filter (where p.attributes ? 'address'))[1] as "addressDigest"
      from profile p left join identifier i on i.profile_id = p.id and i.kind = 'phone'
      where p.person_id = e.id
    ) known
    order by e.id`)
}
