/** SQL of exports: a page of persons as one text, which costs the driver next to nothing. */
import type { Db } from '../../platform/postgres/database.ts'
import { join, type Sql, sql } from '../../platform/postgres/sql.ts'
import { FIELD_END, ROW_END } from './export-rows.ts'

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
  return sql`translate(${text}, ${`${FIELD_END}${ROW_END}`}, '')`
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
 * The persons of the query whose numbers are from `from` to before `before`, ascending, as `rowsOfPage` reads them.
 * The number is the one that lists show: a valid mobile before others, the latest first.
 */
export async function exportPage(
  db: Db,
  { where, joins, fields, phones }: ExportQuery,
  { from, before }: { from: number; before: number },
): Promise<{ rows: number; text: string }> {
  const sealed = phones
    ? sql`ph.profile_id::text, encode(ph.data_key, 'hex'), encode(ph.secret, 'hex'), ph.digest`
    : sql`null, null, null, null`
  const lateral = phones
    ? sql`left join lateral (
        select pr.id as profile_id, pr.data_key, pr.secret, encode(i.digest, 'hex') as digest
        from profile pr join identifier i on i.profile_id = pr.id
        where pr.person_id = person.id and i.kind = 'phone' and i.state = 'active'
          and pr.data_key is not null and pr.secret is not null
        order by i.valid desc, (i.form = 'mobile') desc nulls last, i.at desc, i.digest limit 1
      ) ph on person.phone <> 'none'`
    : sql``
  const all = [sealed, ...fields.map((field) => sql`(${field})::text`)]
  const row = await db.row<{ rows: number; text: string | null }>(sql`
    select count(*)::int as rows, string_agg(line, ${ROW_END}) as text
    from (
      select array_to_string(array[${join(all, ', ')}], ${FIELD_END}, '') as line
      from person ${joins} ${lateral}
      where person.id >= ${from} and person.id < ${before} and ${where}
      order by person.id
    ) lines`)
  return { rows: row.rows, text: row.text ?? '' }
}
