/** SQL of the search for duplicates. */
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'

export type LikelyPerson = {
  id: number
  demo: boolean
  name: string | null
  birthday: string | null
  lunar: boolean
  city: string | null
  gender: string | null
}

/** What one profile says; `address` and the claims' digests (hex) name values of its sealed part. */
export type Said = {
  id: number
  personId: number
  name: string | null
  nickname: string | null
  address: string | null
  claims: { kind: string; digest: string }[]
  remarks: string[]
}

const columns = sql`id, demo, name, birthday, birthday_lunar as lunar, city, gender`
const comparable = sql`state = 'live' and (name is not null or birthday is not null)`

/** How many persons are looked at. */
export async function countLikely(db: Db): Promise<number> {
  const { persons } = await db.row<{ persons: number }>(
    sql`select count(*)::int as persons from person where ${comparable}`,
  )
  return persons
}

/** Live persons that have a name or a birthday, in order of id. */
export async function likelyPage(db: Db, after: number, limit: number): Promise<LikelyPerson[]> {
  return persons(db, sql`id > ${after}`, sql`order by id limit ${limit}`)
}

export async function likelyOf(db: Db, ids: readonly number[]): Promise<LikelyPerson[]> {
  return persons(db, sql`id = any(${ids}::int[])`, sql`order by id`)
}

function persons(db: Db, which: Sql, page: Sql): Promise<LikelyPerson[]> {
  return db.rows<LikelyPerson>(sql`select ${columns} from person where ${comparable} and ${which} ${page}`)
}

/** What the profiles of these persons say, the oldest first. */
export async function saidOf(db: Db, persons: readonly number[]): Promise<Said[]> {
  return db.rows<Said>(sql`
    select p.id, p.person_id as "personId", p.attributes->'name'->>0 as name, p.attributes->'nickname'->>0 as nickname,
      p.attributes->'address'->>0 as address,
      coalesce((
        select json_agg(json_build_object('kind', i.kind, 'digest', encode(i.digest, 'hex')) order by i.digest)
        from identifier i
        where i.profile_id = p.id and i.kind in ('phone', 'email', 'card') and i.state in ('active', 'superseded')
      ), '[]') as claims,
      coalesce((
        select json_agg(r.remark order by r.staff_id) from relation r
        where r.profile_id = p.id and r.remark is not null
      ), '[]') as remarks
    from profile p where p.person_id = any(${persons}::int[])
    order by p.id`)
}
