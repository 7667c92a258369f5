/** SQL of enrolments that follow persons: merges, their undo, erasure. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

/** Puts the absorbed person's stays under the kept one; where both are in one SOP, the absorbed one's stay is set aside: those. */
export async function moveEnrolments(
  db: Db,
  mergeId: string,
  kept: number,
  absorbed: number,
  at: Date,
): Promise<string[]> {
  await db.run(sql`
    insert into enrolment_moved (merge_id, enrolment_id, from_person, was_active, due_at)
    select ${mergeId}, id, person_id, state = 'active', due_at from enrolment where person_id = ${absorbed} on conflict do nothing`)
  const setAside = await db.rows<{ id: string }>(sql`
    update enrolment e set state = 'left', reason = 'merged', ended_at = ${at}, due_at = null
    where e.person_id = ${absorbed} and e.state = 'active'
      and exists (select 1 from enrolment k where k.person_id = ${kept} and k.journey_id = e.journey_id and k.state = 'active')
    returning e.id`)
  await db.run(sql`update enrolment set person_id = ${kept} where person_id = ${absorbed}`)
  return setAside.map((row) => row.id)
}

/** The undo lets these go on at once. */
export async function dueWithTheUndo(
  db: Db,
  mergeId: string,
  enrolmentIds: readonly string[],
  at: Date,
): Promise<void> {
  await db.run(sql`
    update enrolment_moved set due_at = ${at}
    where merge_id = ${mergeId} and enrolment_id = any(${enrolmentIds}::uuid[])`)
}

/** A stay that was set aside goes on where it stood: due when it was due, or at once where its answer has come meanwhile. */
export async function moveEnrolmentsBack(db: Db, mergeId: string, at: Date): Promise<void> {
  await db.run(sql`
    update enrolment e set person_id = m.from_person,
           state = case when m.was_active and e.reason = 'merged' then 'active' else e.state end,
           ended_at = case when m.was_active and e.reason = 'merged' then null else e.ended_at end,
           due_at = case when not (m.was_active and e.reason = 'merged') then e.due_at
                         when e.answer is null then m.due_at else ${at} end,
           reason = case when m.was_active and e.reason = 'merged' then null else e.reason end
    from enrolment_moved m where m.merge_id = ${mergeId} and m.enrolment_id = e.id`)
  await db.run(sql`delete from enrolment_moved where merge_id = ${mergeId}`)
}

/** Ends the stays of persons and empties what was noted of them; answers those that were active. */
export async function endStaysOf(
  db: Db,
  personIds: readonly number[],
  at: Date,
): Promise<{ id: string; person_id: number; journey_id: string; number: number }[]> {
  const ended = await db.rows<{ id: string; person_id: number; journey_id: string; number: number }>(sql`
    update enrolment set state = 'left', reason = 'erased', ended_at = ${at}, due_at = null, waits_for = null
    where person_id = any(${personIds}::int[]) and state = 'active' returning id, person_id, journey_id, number`)
  await db.run(sql`
    update enrolment set facts = '{}', answer = null where person_id = any(${personIds}::int[])`)
  return ended
}

/** Makes active stays due: the next step finds that the person is gone, lets them leave and cancels their tasks. */
export async function wakeStaysOf(db: Db, personIds: readonly number[], at: Date): Promise<void> {
  await db.run(sql`
    update enrolment set due_at = ${at} where person_id = any(${personIds}::int[]) and state = 'active'`)
}
