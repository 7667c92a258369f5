/**
 * Members for the measure of freshness, written straight into the tables: an import of a million takes minutes that say
 * nothing about freshness. All have the same facts, so the answers that the program gave for the first hold for all.
 */
import { idOf } from '../server/platform/ids.ts'
import { copyIn } from '../server/platform/postgres/copy.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import type { Stores } from '../server/stores.ts'

/** Long ago, as text: nobody falls asleep while it is measured. */
const JOINED = '2024-01-02 02:00:00+00'
const AT_ONCE = 100_000
/** What imports of files are called, and what the user ids of an event source refer to unless told. */
const SOURCE = 'file'

/** Of the member M<n>. */
export function publicIdOf(n: number): string {
  return idOf('member of the measure', n)
}

/** Writes the members M<from> … M<to - 1>, the first of all with number 1; with the answers of the first where it has some. */
export async function fillMembers(
  { db, keyring }: Pick<Stores, 'db' | 'keyring'>,
  from: number,
  to: number,
): Promise<void> {
  for (let first = from; first < to; first += AT_ONCE) {
    const end = Math.min(to, first + AT_ONCE)
    await db.transaction(async (tx) => {
      await copyIn(
        tx,
        'copy person (id, public_id, kind, joined_at, source, in_erp, first_seen_at, changed_at) from stdin',
        lines(first, end, (n) => `${publicIdOf(n)}\tmember\t${JOINED}\torganic\tt\t${JOINED}\t${JOINED}`),
      )
      await copyIn(
        tx,
        'copy profile (id, person_id, source, key, attributes, created_at) from stdin',
        lines(first, end, (n) => {
          const key = keyring.index.digest('record', 'real', SOURCE, `M${n}`).toString('hex')
          return `${n + 1}\t${SOURCE}\t\\\\x${key}\t{}\t${JOINED}`
        }),
      )
      await tx.run(sql`
        insert into person_segment (person_id, segments, next_at, reading, evaluated_at)
        select n, segments, next_at, reading, evaluated_at from generate_series(${first + 1}::int, ${end}::int) n, person_segment
        where person_id = 1 on conflict do nothing`)
      await tx.run(sql`
        insert into person_state (person_id, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent, purchases, spent_cents, reading, changed_at)
        select n, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent, purchases, spent_cents, reading, changed_at
        from generate_series(${first + 1}::int, ${end}::int) n, person_state where person_id = 1 on conflict do nothing`)
    })
  }
  await db.run(sql`select setval('known_profile', ${to})`)
  for (const table of [sql`person`, sql`profile`, sql`person_segment`, sql`person_state`])
    await db.run(sql`analyze ${table}`)
}

/** Whether the program has answered for so many, by the definitions that hold now. */
export async function isRecomputed(db: Database, members: number): Promise<boolean> {
  const { done } = await db.row<{ done: boolean }>(sql`
    select c.wanted <= c.done and c.running <= c.done and (select count(*) from person_segment) >= ${members} as done
    from recompute c where id = 1`)
  return done
}

function* lines(first: number, end: number, of: (n: number) => string): Generator<string> {
  for (let n = first; n < end; n += 1) yield `${n + 1}\t${of(n)}\n`
}
