/** All SQL by which reach follows merges. */
import type { Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type MergeRow = { mergeId: string; kept: number; absorbed: number }

/** Moves the rows of persons who are absorbed. No person may stand in two of these merges: see `inRounds`. */
export async function mergeRows(tx: Tx, merges: readonly MergeRow[]): Promise<void> {
  const persons = merges.flatMap(({ kept, absorbed }) => [kept, absorbed])
  const pairs = sql`unnest(${merges.map((one) => one.mergeId)}::uuid[], ${merges.map((one) => one.kept)}::int[],
    ${merges.map((one) => one.absorbed)}::int[]) as m (merge_id, kept, absorbed)`
  await lockPersons(tx, persons)
  await tx.run(sql`
    with moved as (
      update touch t set person_id = m.kept from ${pairs} where t.person_id = m.absorbed
      returning m.merge_id, t.id, m.absorbed)
    insert into reach_moved (merge_id, kind, id, from_person) select merge_id, 'touch', id, absorbed from moved`)
  await tx.run(sql`
    with moved as (
      update touch_ledger l set person_id = m.kept from ${pairs} where l.person_id = m.absorbed
      returning m.merge_id, l.touch_id, m.absorbed)
    insert into reach_moved (merge_id, kind, id, from_person) select merge_id, 'ledger', touch_id, absorbed from moved`)
  // What the kept person had before, to be set back by the undo; null where there was nothing.
  await tx.run(sql`
    insert into reach_moved (merge_id, kind, id, from_person, held, share_permille, decided_at)
    select m.merge_id, 'holdout', a.scope, m.kept, k.held, k.share_permille, k.decided_at
    from ${pairs} join holdout a on a.person_id = m.absorbed
    left join holdout k on k.person_id = m.kept and k.scope = a.scope`)
  await tx.run(sql`
    insert into holdout (person_id, scope, held, share_permille, decided_at)
    select m.kept, a.scope, a.held, a.share_permille, a.decided_at
    from ${pairs} join holdout a on a.person_id = m.absorbed
    order by 1, 2
    on conflict (person_id, scope) do update set held = holdout.held or excluded.held`)
  await wake(tx, persons)
}

/** Moves back what these merges moved. No person may stand in two of them: see `inRounds`. */
export async function splitRows(tx: Tx, mergeIds: readonly string[]): Promise<void> {
  const persons = await tx.rows<{ id: number }>(sql`
    select from_person as id from reach_moved where merge_id = any(${mergeIds}::uuid[])
    union
    select t.person_id from touch t join reach_moved m on m.kind = 'touch' and m.id = t.id
    where m.merge_id = any(${mergeIds}::uuid[])`)
  const ids = persons.map((one) => one.id)
  await lockPersons(tx, ids)
  await tx.run(sql`
    update touch t set person_id = m.from_person from reach_moved m
    where m.merge_id = any(${mergeIds}::uuid[]) and m.kind = 'touch' and t.id = m.id`)
  await tx.run(sql`
    update touch_ledger l set person_id = m.from_person from reach_moved m
    where m.merge_id = any(${mergeIds}::uuid[]) and m.kind = 'ledger' and l.touch_id = m.id`)
  await tx.run(sql`
    update holdout h set held = m.held, share_permille = m.share_permille, decided_at = m.decided_at from reach_moved m
    where m.merge_id = any(${mergeIds}::uuid[]) and m.kind = 'holdout' and m.held is not null
      and h.person_id = m.from_person and h.scope = m.id`)
  await tx.run(sql`
    delete from holdout h using reach_moved m
    where m.merge_id = any(${mergeIds}::uuid[]) and m.kind = 'holdout' and m.held is null
      and h.person_id = m.from_person and h.scope = m.id`)
  await tx.run(sql`delete from reach_moved where merge_id = any(${mergeIds}::uuid[])`)
  await wake(tx, ids)
}

async function lockPersons(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.run(sql`
    insert into person_cap (person_id) select id from unnest(${ids}::int[]) as p (id) order by id on conflict do nothing`)
  await tx.rows(
    sql`select person_id from person_cap where person_id = any(${ids}::int[]) order by person_id for update`,
  )
}

async function wake(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.run(sql`
    update person_cap c set due_at = (select min(t.due_at) from touch t
      where t.person_id = c.person_id and t.state in ('offered', 'deferred'))
    where c.person_id = any(${ids}::int[])`)
}

export async function waitingTouchIds(tx: Tx, personIds: readonly number[]): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(sql`
    select id from touch
    where person_id = any(${personIds}::int[]) and state in ('offered', 'deferred', 'planned', 'sending')`)
  return rows.map((row) => row.id)
}

/**
 * What was said to persons: facts, addresses, and the text of messages that had them alone as receiver. What a provider
 * holds at this moment keeps its address, by which its result is told apart.
 */
export async function forgetTexts(tx: Tx, personIds: readonly number[]): Promise<void> {
  await tx.run(sql`
    update outbox o set body = '', attachments = '[]', sms = null
    where o.size = 1 and o.state in ('closed', 'failed', 'unknown')
      and o.id in (select t.outbox_id from touch t where t.person_id = any(${personIds}::int[]))`)
  await tx.run(sql`
    update touch set facts = '{}',
      recipient = case when state in ('sending', 'asked', 'created', 'confirmed', 'unknown') then recipient end
    where person_id = any(${personIds}::int[])`)
}
