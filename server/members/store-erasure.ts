/** SQL of erasing a person. Digests travel as hex. */
import { type Db, sqlState, type Tx } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'

const RESOLVING_LOCK = 7_300_020
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * To the end of the transaction nobody is erased: who is marked stays so from here to the claims that are written.
 * A statement of its own: the next one sees what an erasure committed while this one waited.
 */
export const RESOLVING = trusted(`select pg_advisory_xact_lock_shared(${RESOLVING_LOCK})`)

export async function enterResolving(tx: Tx): Promise<void> {
  await tx.run(RESOLVING)
}

/**
 * Waits until nobody resolves and keeps others out until the transaction ends. Only for some seconds, since everybody
 * who comes waits behind it. Errors: `unavailable` where that was not enough.
 */
export async function closeResolving(tx: Tx): Promise<void> {
  await tx.run(sql`set local lock_timeout = '10s'`)
  try {
    await tx.run(sql`select pg_advisory_xact_lock(${RESOLVING_LOCK})`)
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    throw new Problem('unavailable', 'Members are being brought in just now: try again in a moment.')
  }
  await tx.run(sql`set local lock_timeout to default`)
}

/** Every number that the person ever had: its own and those of persons that went on under it. Locked. */
export async function numbersOf(tx: Tx, personId: number): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(sql`
    with recursive own (id) as (
      select ${personId}::int union select p.id from person p join own on p.merged_into = own.id
    )
    select id from person where id in (select id from own) order by id for update`)
  return rows.map(({ id }) => id)
}

/**
 * Marks the keys of these profiles, and those of their identifiers that tell who somebody is and that nobody else claims:
 * a number that a family shares must go on to stand for the others.
 */
export async function insertMarks(
  tx: Tx,
  profiles: readonly number[],
  how: { erasure: string; at: Date },
): Promise<void> {
  await tx.run(sql`
    insert into erased_mark (digest, erasure, at)
    select digest, ${how.erasure}, ${how.at} from (
      select key as digest from profile where id = any(${profiles}::int[])
      union
      select i.digest from identifier i
      where i.profile_id = any(${profiles}::int[]) and i.valid and i.state in ('active', 'superseded')
        and not exists (select from identifier o where o.kind = i.kind and o.scope = i.scope and o.digest = i.digest
          and o.state not in ('hint', 'disowned') and o.profile_id <> all(${profiles}::int[]))
    ) own
    order by digest
    on conflict (digest) do update set erasure = excluded.erasure, at = excluded.at`)
}

export type TakenHint = { profileId: number; digest: string }

/**
 * Takes the hints away by which remarks about others would go on to propose these profiles' marked identifiers. Answers
 * them: whose record each was, and what stood for the value.
 */
export async function deleteMarkedHints(tx: Tx, profiles: readonly number[]): Promise<TakenHint[]> {
  return tx.rows<TakenHint>(sql`
    delete from identifier h using identifier i, erased_mark m
    where i.profile_id = any(${profiles}::int[]) and m.digest = i.digest
      and h.kind = i.kind and h.scope = i.scope and h.digest = i.digest and not h.first and h.state = 'hint'
    returning h.profile_id as "profileId", encode(h.digest, 'hex') as digest`)
}

/** Which of the digests belong to somebody who was erased. */
export async function markedAmong(db: Db, digests: readonly string[]): Promise<Set<string>> {
  if (digests.length === 0) return new Set()
  const rows = await db.rows<{ digest: string }>(sql`
    select asked.digest from unnest(${digests}::text[]) as asked (digest)
    join erased_mark m on m.digest = decode(asked.digest, 'hex')`)
  return new Set(rows.map(({ digest }) => digest))
}

/** Takes the marks away that one of these digests belongs to, with all that were made with it. Answers how many. */
export async function deleteMarks(tx: Tx, digest: string): Promise<number> {
  return tx.run(sql`
    delete from erased_mark where erasure = (select erasure from erased_mark where digest = decode(${digest}, 'hex'))`)
}

/** What people and machines decided about these persons: questions, merges, how they were joined. */
export async function forgetDecisions(
  tx: Tx,
  { persons, profiles }: { persons: readonly number[]; profiles: readonly number[] },
): Promise<void> {
  await tx.run(sql`delete from review where profiles && ${profiles}::int[]`)
  await tx.run(
    sql`delete from merge where kept_person = any(${persons}::int[]) or absorbed_person = any(${persons}::int[])`,
  )
}

/** The rows stay, so that numbers in the log and in orders still mean one somebody; nothing stands in them. */
export async function emptyPersons(tx: Tx, persons: readonly number[], at: Date): Promise<void> {
  await tx.run(sql`
    update person set state = 'erased', merged_into = null, kind = 'customer', name = null, gender = null, birthday = null,
      birthday_lunar = false, city = null, joined_at = null, register_channel = null, registration = null, source = 'organic',
      source_side = null, source_channel = null, home_store_id = null, owner_staff_id = null, attributes = '{}', phone = 'none',
      identifiers = '{}', follower_ids = '{}', wecom = 'none', consents = '{}', contact_results = '{}', in_erp = false,
      completeness = 0, changed_at = ${at}
    where id = any(${persons}::int[])`)
}
