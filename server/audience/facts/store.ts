import type { PersonSet } from '../../events/events.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../../platform/postgres/sql.ts'
import { attributeColumns } from './attribute-columns.ts'
import type { Claim } from './person-facts.ts'
import { ofPersons } from './store-columns.ts'

export type PersonRow = {
  id: number
  /** By attribute name of the rule language, those that were asked for; null where none was. */
  attributes: Record<string, unknown> | null
  birthday: string | null
  lunar: boolean
  joinedAt: Date | null
}

/** With the attributes of these names. */
export async function selectPersons(
  db: Db,
  ids: readonly number[],
  attributes: readonly string[],
): Promise<PersonRow[]> {
  const pairs = attributes.map((name) => sql`${name}::text, ${attributeColumn(name)}`)
  const asked = pairs.length === 0 ? sql`null::json` : sql`json_build_object(${join(pairs, ', ')})`
  return db.rows<PersonRow>(sql`
    select id, birthday, birthday_lunar as lunar, joined_at as "joinedAt", ${asked} as attributes
    from person where id = any(${ids}::int[]) and state = 'live' order by id`)
}

function attributeColumn(name: string): Sql {
  const column = attributeColumns[name]
  return column === undefined ? sql`attributes -> ${name}::text` : trusted(column)
}

/** Active tags that are set or synced: what a rule decides is an answer, not a fact. */
export async function selectTags(
  db: Db,
  ids: readonly number[],
): Promise<{ personId: number; tags: number[] }[]> {
  return db.rows(sql`
    select pt.person_id as "personId", array_agg(distinct pt.tag_id) as tags
    from person_tag pt join tag t on t.id = pt.tag_id
    where pt.person_id = any(${ids}::int[]) and t.state = 'active' and not (pt.origin = 'auto' and t.rule is not null)
    group by pt.person_id`)
}

/** The best claim of each origin, by person and group: the latest, then the greater tag. What a rule claims is an answer. */
export async function selectClaims(
  db: Db,
  ids: readonly number[],
): Promise<(Omit<Claim, 'at'> & { personId: number; at: Date })[]> {
  return db.rows(sql`
    select distinct on (c.person_id, c.group_id, c.origin)
      c.person_id as "personId", c.group_id as "group", c.tag_id as tag, c.origin, c.producer, c.at
    from s_tag_claim c join tag t on t.id = c.tag_id
    where c.person_id = any(${ids}::int[]) and t.state = 'active'
      and not (c.origin = 'auto' and t.rule is not null)
    order by c.person_id, c.group_id, c.origin, c.at desc, c.tag_id desc`)
}

/** The snapshots that the persons are in, by person. */
export function selectSnapshots(db: Db, ids: readonly number[]): Promise<Map<number, number[]>> {
  return snapshotsOf(db, sql`pr.person_id = any(${ids}::int[])`)
}

/** As `selectSnapshots`, of many persons. */
export function selectSnapshotsWithin(db: Db, persons: PersonSet): Promise<Map<number, number[]>> {
  return snapshotsOf(db, trusted(ofPersons('pr.person_id', persons)))
}

/** A brand without snapshots is asked one short question. */
async function snapshotsOf(db: Db, whose: Sql): Promise<Map<number, number[]>> {
  const { any } = await db.row<{ any: boolean }>(sql`
    select exists (select from segment where kind = 'snapshot' and take > 0 and state = 'live') as any`)
  if (!any) return new Map()
  const rows = await db.rows<{ personId: number; segments: number[] }>(sql`
    select pr.person_id as "personId", array_agg(distinct m.segment_id) as segments
    from profile pr join segment_member m on m.profile_id = pr.id
      join segment s on s.id = m.segment_id and s.take = m.take
    where ${whose} and s.kind = 'snapshot' and s.state = 'live'
    group by pr.person_id`)
  return new Map(rows.map(({ personId, segments }) => [personId, segments]))
}

/** The next live persons by id. */
export async function selectNextPersons(db: Db, after: number, limit: number): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(
    sql`select id from person where id > ${after} and state = 'live' order by id limit ${limit}`,
  )
  return rows.map((row) => row.id)
}

export async function countPersons(db: Db): Promise<number> {
  return (await db.row<{ persons: number }>(sql`select count(*) as persons from person where state = 'live'`))
    .persons
}
