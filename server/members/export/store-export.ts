/** SQL of exports: a page of persons as whole columns, which costs neither side an object for a row. */

import { copyRow, int4s, written } from '../../platform/postgres/copy-out.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../../platform/postgres/sql.ts'
import { type ExportPage, FIELD_END } from './export-rows.ts'

/** Which persons, and what of each: all in terms of `person` and of what `joins` adds. */
export type ExportQuery = {
  /** A condition over `person`. */
  where: Sql
  /** Further tables, each joined at most once to a person: `left join …`. */
  joins: Sql
  /** One expression a column; null is an empty cell. For phones anything: they are opened apart. */
  fields: readonly Sql[]
  /** Whether numbers are wanted. */
  phones: boolean
}

/** Text that people wrote may hold anything, also what separates fields. */
export function cleared(text: Sql): Sql {
  return sql`translate(${text}, ${FIELD_END}, '')`
}

/** How many persons an export will write now. */
export async function countExported(db: Db, { where }: Pick<ExportQuery, 'where'>): Promise<number> {
  return (await db.row<{ persons: number }>(sql`select count(*)::int as persons from person where ${where}`))
    .persons
}

/** The first number of a person behind `after`; undefined where there is none. */
export async function nextPerson(db: Db, after: number): Promise<number | undefined> {
  const row = await db.row<{ id: number | null }>(
    sql`select min(id) as id from person where id > ${after} and state = 'live'`,
  )
  return row.id ?? undefined
}

/**
 * The persons of the query whose numbers are from `from` to before `before`, ascending, as `cellsOfPage` reads them.
 * The number is the one that lists show: a valid mobile before others, the latest first.
 */
export async function exportPage(
  db: Database,
  { where, joins, fields, phones }: ExportQuery,
  { from, before }: { from: number; before: number },
): Promise<ExportPage> {
  const names = fields.map((_, index) => trusted(`f${index}`))
  const columns = fields.map(
    (field, index) => sql`coalesce((${field})::text, '') as ${names[index] ?? field}`,
  )
  const sealed = phones ? sealedOf(from, before) : undefined
  const [rows, persons, ...rest] = await copyRow(
    db,
    written(sql`
      with page as materialized (
        select person.id, person.phone <> 'none' as has_phone, ${join(columns, ', ')}
        from person ${joins}
        where person.id >= ${from} and person.id < ${before} and ${where}
        order by person.id
      )
      select * from (
        select count(*)::int, string_agg(int4send(id), ''),
          ${join(
            names.map((name) => sql`string_agg(${name}, ${FIELD_END})`),
            ', ',
          )}
        from page
      ) pages ${sealed ? sql`cross join (${sealed}) phones` : sql``}`),
  )
  const fieldBytes = rest.slice(0, fields.length).map((bytes) => bytes ?? NOTHING)
  const [owners, profiles, keySizes, secretSizes, digestSizes, bytes] = rest.slice(fields.length)
  return {
    rows: int4s(rows)[0] ?? 0,
    fields: fieldBytes,
    numbers: phones
      ? {
          persons: int4s(persons),
          owners: int4s(owners),
          profiles: int4s(profiles),
          sizes: [int4s(keySizes), int4s(secretSizes), int4s(digestSizes)],
          bytes: bytes ?? NOTHING,
        }
      : undefined,
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * The sealed numbers of the page, one a person at most. Nearly every person has the number of a profile, so that both
 * tables are read by the same range; profiles from elsewhere (merged ones) come one by one, which `offset 0` keeps so.
 */
function sealedOf(from: number, before: number): Sql {
  const active = sql`i.kind = 'phone' and i.state = 'active'`
  const within = (column: Sql): Sql => sql`${column} >= ${from} and ${column} < ${before}`
  const profiles = sql`page join profile pr on pr.person_id = page.id and ${within(sql`pr.person_id`)}`
  const judged = sql`pr.person_id, pr.id as profile_id, pr.data_key, pr.secret, i.digest, i.valid, i.form, i.at`
  const wanted = sql`page.has_phone and pr.data_key is not null and pr.secret is not null`
  return sql`
    select string_agg(int4send(person_id), ''), string_agg(int4send(profile_id), ''),
      string_agg(int4send(length(data_key)), ''), string_agg(int4send(length(secret)), ''),
      string_agg(int4send(length(digest)), ''), string_agg(data_key || secret || digest, '')
    from (
      select distinct on (person_id) person_id, profile_id, data_key, secret, digest
      from (
        select ${judged} from ${profiles} join identifier i on i.profile_id = pr.id and ${within(sql`i.profile_id`)}
        where ${wanted} and ${active}
        union all
        select ${judged} from ${profiles}
          cross join lateral (select * from identifier i where i.profile_id = pr.id and ${active} offset 0) i
        where ${wanted} and not (${within(sql`pr.id`)})
      ) known
      order by person_id, valid desc, (form = 'mobile') desc nulls last, at desc, digest
    ) numbers`
}
