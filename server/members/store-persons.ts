/** SQL of persons: their folded rows, by COPY or in one statement, and who was absorbed by whom. */
import { intArray } from '../platform/postgres/binary.ts'
import { copyField, copyIn } from '../platform/postgres/copy.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { prepared, sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import type { PersonFold } from './fold.ts'

/** Locks the persons in order of id, so that two transactions never wait for each other in a ring. */
export async function lockPersons(tx: Tx, persons: readonly number[]): Promise<void> {
  await tx.run(sql`select id from person where id = any(${persons}::int[]) order by id for no key update`)
}

/** A person's row: the fold of its profiles and what is not folded. */
export type PersonRow = PersonFold & { id: number; publicId: string; changedAt: number }

type Column = { name: string; type: string; of: (person: PersonRow) => unknown }
const time = (ms: number | null): string | null => (ms === null ? null : instant(ms).toISOString())

/** Every column that a fold decides, in one place for COPY, insert, update and comparison. */
const columns: readonly Column[] = [
  { name: 'kind', type: 'text', of: (p) => p.kind },
  { name: 'name', type: 'text', of: (p) => p.name },
  { name: 'gender', type: 'text', of: (p) => p.gender },
  { name: 'birthday', type: 'text', of: (p) => p.birthday },
  { name: 'birthday_lunar', type: 'boolean', of: (p) => p.birthdayLunar },
  { name: 'city', type: 'text', of: (p) => p.city },
  { name: 'joined_at', type: 'timestamptz', of: (p) => time(p.joinedAt) },
  { name: 'register_channel', type: 'text', of: (p) => p.registerChannel },
  { name: 'registration', type: 'text', of: (p) => p.registration },
  { name: 'source', type: 'text', of: (p) => p.source },
  { name: 'source_side', type: 'text', of: (p) => p.sourceSide },
  { name: 'source_channel', type: 'text', of: (p) => p.sourceChannel },
  { name: 'home_store_id', type: 'uuid', of: (p) => p.homeStoreId },
  { name: 'owner_staff_id', type: 'uuid', of: (p) => p.ownerStaffId },
  { name: 'attributes', type: 'jsonb', of: (p) => p.attributes },
  { name: 'phone', type: 'text', of: (p) => p.phone },
  { name: 'identifiers', type: 'text[]', of: (p) => p.identifiers },
  { name: 'follower_ids', type: 'uuid[]', of: (p) => p.followerIds },
  { name: 'wecom', type: 'text', of: (p) => p.wecom },
  { name: 'consents', type: 'jsonb', of: (p) => p.consents },
  { name: 'contact_results', type: 'jsonb', of: (p) => p.contactResults },
  { name: 'in_erp', type: 'boolean', of: (p) => p.inErp },
  { name: 'completeness', type: 'smallint', of: (p) => p.completeness },
  { name: 'demo', type: 'boolean', of: (p) => p.demo },
  { name: 'first_seen_at', type: 'timestamptz', of: (p) => time(p.firstSeenAt) },
  { name: 'changed_at', type: 'timestamptz', of: (p) => time(p.changedAt) },
]
const names = columns.map(({ name }) => name).join(', ')

/** Writes persons that are new for certain, by COPY. */
export async function copyPersons(tx: Tx, persons: readonly PersonRow[]): Promise<void> {
  if (persons.length === 0) return
  await copyIn(tx, `copy person (id, public_id, ${names}) from stdin`, personLines(persons))
}

function* personLines(persons: readonly PersonRow[]): Generator<string> {
  for (const person of persons) {
    let line = `${person.id}\t${person.publicId}`
    for (const { of } of columns) line += `\t${copyValue(of(person))}`
    yield `${line}\n`
  }
}

function copyValue(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'number') return copyField(value)
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (Array.isArray(value)) return copyField(`{${value.join(',')}}`)
  return copyField(JSON.stringify(value))
}

/** Inserts persons or writes their fold anew; they are live afterwards. */
export async function putPersons(tx: Tx, persons: readonly PersonRow[]): Promise<void> {
  if (persons.length === 0) return
  const documents = persons.map((person) => ({
    id: person.id,
    public_id: person.publicId,
    ...Object.fromEntries(columns.map(({ name, of }) => [name, of(person)])),
  }))
  const shape = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
  const changes = columns.map(({ name }) => `${name} = excluded.${name}`).join(', ')
  await tx.run(sql`
    insert into person (id, public_id, ${trusted(names)})
    select id, public_id, ${trusted(names)}
    from jsonb_to_recordset(${JSON.stringify(documents)}::jsonb) as n (id int, public_id uuid, ${trusted(shape)})
    on conflict (id) do update set state = 'live', merged_into = null, ${trusted(changes)}`)
}

/** Whether two folds say the same; when it was last changed does not count. */
export function sameFold(one: PersonRow, other: PersonRow): boolean {
  return columns.every(
    ({ name, of }) => name === 'changed_at' || JSON.stringify(of(one)) === JSON.stringify(of(other)),
  )
}

/** The stored folds of persons, absorbed ones included. */
export async function personRows(db: Db, ids: readonly number[]): Promise<(PersonRow & { state: string })[]> {
  return db.rows(sql`
    select id, public_id as "publicId", state, kind, name, gender, birthday, birthday_lunar as "birthdayLunar", city,
      (extract(epoch from joined_at) * 1000)::float8 as "joinedAt", register_channel as "registerChannel", registration,
      source, source_side as "sourceSide", source_channel as "sourceChannel", home_store_id as "homeStoreId", owner_staff_id as "ownerStaffId", attributes,
      phone, identifiers, follower_ids as "followerIds", wecom, consents, contact_results as "contactResults",
      in_erp as "inErp", completeness, demo, (extract(epoch from first_seen_at) * 1000)::float8 as "firstSeenAt",
      (extract(epoch from changed_at) * 1000)::float8 as "changedAt"
    from person where id = any(${ids}::int[])`)
}

/** Absorbed persons stand under the person of the profile that names them. */
export async function absorbPersons(
  tx: Tx,
  absorbed: readonly { id: number; into: number }[],
): Promise<void> {
  if (absorbed.length === 0) return
  await tx.run(sql`
    update person p set state = 'absorbed', merged_into = n.kept
    from unnest(${absorbed.map((one) => one.id)}::int[], ${absorbed.map((one) => one.into)}::int[]) as n (id, kept)
    where p.id = n.id`)
}

/**
 * The present person of each number: of the profile that bears it, else of the person that went on under another.
 * Numbers of people who are gone are left out.
 */
export async function presentPersonsOf(db: Db, ids: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.rows<{ asked: number; id: number }>(sql`
    with recursive trail (asked, id, state) as (
      select a.asked, e.id, e.state from unnest(${ids}::int[]) as a (asked)
      join person e on e.id = coalesce((select p.person_id from profile p where p.id = a.asked), a.asked)
      union
      select trail.asked, e.id, e.state from trail join person old on old.id = trail.id
      join person e on e.id = old.merged_into where trail.state = 'absorbed'
    )
    select asked, id from trail where state = 'live'`)
  return new Map(rows.map(({ asked, id }) => [asked, id]))
}

/** Persons without a profile: nothing personal stays. Answers those that really were live. */
export async function removePersons(tx: Tx, ids: readonly number[], at: Date): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(sql`
    update person set state = 'removed', name = null, gender = null, birthday = null, city = null, attributes = '{}',
      identifiers = '{}', follower_ids = '{}', consents = '{}', contact_results = '{}', phone = 'none', wecom = 'none',
      home_store_id = null, owner_staff_id = null, changed_at = ${at}
    where id = any(${ids}::int[]) and state = 'live'
      and not exists (select from profile p where p.person_id = person.id)
    returning id`)
  return rows.map(({ id }) => id)
}
/** Of these profiles those that do not belong to the person given with them: whose they are, null where they are gone. */
export async function strayedOf(
  db: Db,
  given: readonly { profileId: number; personId: number }[],
): Promise<Map<number, number | null>> {
  if (given.length === 0) return new Map()
  const ids = intArray(given.map(({ profileId }) => profileId))
  const persons = intArray(given.map(({ personId }) => personId))
  const rows = await db.rows<{ id: number; personId: number | null }>(
    prepared(
      'members.strayed',
      sql`
    select given.id, p.person_id as "personId"
    from unnest(${ids}::int[], ${persons}::int[]) as given (id, person_id) left join profile p on p.id = given.id
    where p.person_id is distinct from given.person_id`,
    ),
  )
  return new Map(rows.map(({ id, personId }) => [id, personId]))
}

/** The present person of each profile. */
export async function personsOf(db: Db, profiles: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.rows<{ id: number; personId: number }>(
    sql`select id, person_id as "personId" from profile where id = any(${profiles}::int[])`,
  )
  return new Map(rows.map(({ id, personId }) => [id, personId]))
}
