/** SQL of takes: who is in a segment that does not follow what happens. */
import type { Rule } from '../../../contract/rule.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'

export type WantedTake = {
  id: number
  kind: 'live' | 'snapshot' | 'on_demand'
  rule: Rule
  take: number
  askedAt: Date
}

const WANTED = sql`id, kind, rule, wanted_take as take, wanted_at as "askedAt"`

/** The take that was asked for first and is not finished. */
export function selectWanted(db: Db): Promise<WantedTake | undefined> {
  return db.maybe<WantedTake>(sql`
    select ${WANTED} from segment where wanted_take > take and state = 'live' order by wanted_at, id limit 1`)
}

/** Asks for a take; false where one is under way. */
export async function wantTake(tx: Tx, segment: number, at: Date): Promise<boolean> {
  const asked = await tx.run(sql`
    update segment set wanted_take = take + 1, wanted_at = ${at}, looked_at = 0, look_total = 0
    where id = ${segment} and wanted_take = take and state = 'live'`)
  return asked === 1
}

/** The profiles of these persons are in it. Who was absorbed meanwhile is found by the own profile, at the survivor. */
export async function insertMembers(
  tx: Tx,
  { id, take }: Pick<WantedTake, 'id' | 'take'>,
  persons: readonly number[],
): Promise<void> {
  await tx.run(sql`
    insert into segment_member (segment_id, take, profile_id)
    select ${id}, ${take}, pr.id from profile pr
    where pr.person_id = any(${persons}::int[]) or pr.id = any(${persons}::int[])
    on conflict do nothing`)
}

export async function noteLooked(db: Db, segment: number, looked: number, total: number): Promise<void> {
  await db.run(sql`update segment set looked_at = ${looked}, look_total = ${total} where id = ${segment}`)
}

/** Makes the take the one that counts; false where another one was asked for, or none any more. */
export async function finishTake(
  tx: Tx,
  taken: WantedTake & { at: Date; persons: number; reading: number | null },
): Promise<boolean> {
  const finished = await tx.run(sql`
    update segment set take = ${taken.take}, taken_at = ${taken.at}, taken_persons = ${taken.persons},
      kind = case when kind = 'live' then 'snapshot' else kind end, reading = coalesce(${taken.reading}::bigint, reading)
    where id = ${taken.id} and wanted_take = ${taken.take} and take < ${taken.take} and wanted_at = ${taken.askedAt}
      and state = 'live'`)
  return finished === 1
}

/** Rows that count nowhere: of takes before, of those that were broken off, and of segments that follow or are no more. */
export async function deleteStale(db: Db, rows: number): Promise<number> {
  const stale = await db.maybe<{ id: number; least: number; most: number }>(sql`
    select s.id, least, most from segment s,
      lateral (select case when s.state = 'archived' or (s.kind = 'live' and s.wanted_take = s.take) then 2147483647 else s.take end as least,
        s.wanted_take as most) bounds
    where exists (select from segment_member m where m.segment_id = s.id and m.take < least)
      or exists (select from segment_member m where m.segment_id = s.id and m.take > most)
    limit 1`)
  if (!stale) return 0
  return db.run(sql`
    delete from segment_member where ctid = any(array(
      select m.ctid from segment_member m where m.segment_id = ${stale.id} and (m.take < ${stale.least} or m.take > ${stale.most})
      limit ${rows}))`)
}

/** What a take that was broken off left: it is begun anew. Answers how many of at most `rows` went. */
export async function deleteTake(
  db: Db,
  { id, take }: Pick<WantedTake, 'id' | 'take'>,
  rows: number,
): Promise<number> {
  return db.run(sql`
    delete from segment_member where ctid = any(array(
      select m.ctid from segment_member m where m.segment_id = ${id} and m.take = ${take} limit ${rows}))`)
}

/** Ids of persons that meet a condition over `from`, ascending, in pages of 10,000. */
export async function selectPages(db: Db, from: Sql, condition: Sql): Promise<number[][]> {
  const rows = await db.rows<{ ids: number[] }>(sql`
    select array_agg(id order by id) as ids
    from (select p.id, (row_number() over (order by p.id) - 1) / 10000 as page from ${from} where p.state = 'live' and ${condition}) found
    group by page order by page`)
  return rows.map(({ ids }) => ids)
}

/** Whether the person is in the take that counts. */
export async function isInTake(db: Db, segment: number, personId: number): Promise<boolean> {
  const found = await db.maybe(sql`
    select from profile pr join segment_member m on m.profile_id = pr.id join segment s on s.id = m.segment_id and s.take = m.take
    where pr.person_id = ${personId} and m.segment_id = ${segment} limit 1`)
  return found !== undefined
}
