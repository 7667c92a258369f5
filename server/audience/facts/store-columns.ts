/** What PostgreSQL knows of many persons, column by column: no object for any of them. */

import type { PersonSet } from '../../events/events.ts'
import { copyRow, instants, int4s } from '../../platform/postgres/copy-out.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql, trusted } from '../../platform/postgres/sql.ts'
import type { FactNeeds } from '../rule/fact-needs.ts'
import { attributeColumns } from './attribute-columns.ts'
import type { Claim } from './person-facts.ts'

/** Persons from `from` on, before `before`. */
export type PersonRange = { from: number; before: number }

/** Which rows are of these persons, as SQL over a column. Errors: a TypeError for what is no whole number. */
export function ofPersons(column: string, persons: PersonSet): string {
  return 'ids' in persons
    ? `${column} = any('{${persons.ids.map(whole).join(',')}}'::int[])`
    : `${column} >= ${whole(persons.from)} and ${column} < ${whole(persons.before)}`
}

export type PersonColumns = {
  /** Live persons, ascending. */
  ids: Int32Array
  /** ms since 1970, −Infinity for those who have not joined. */
  joinedAt: Float64Array
  /** By name of the language, one value a person; whatever is not text stands as JSON, null where nothing is known. */
  attributes: ReadonlyMap<string, readonly unknown[]>
  /** Empty unless needed, as are the two below. */
  birthdays: readonly (string | null)[]
  lunar: Uint8Array
  /** Pairs of person and tag, ascending by person. */
  tags: Int32Array
}

export async function selectPersonColumns(
  db: Database,
  persons: PersonSet,
  needs: FactNeeds,
): Promise<PersonColumns> {
  const columns = needs.attributes.map(
    (name, place) => `${attributeColumns[name] ?? `attributes -> ${literal(name)}`} as a${place}`,
  )
  const asked = [
    "string_agg(int4send(id), '')",
    "string_agg(timestamptz_send(coalesce(joined_at, '-infinity')), '')",
    ...(needs.birthday ? ['json_agg(birthday)', "string_agg(boolsend(birthday_lunar), '')"] : []),
    ...columns.map((_, place) => `json_agg(a${place})`),
  ]
  const within = ['id', 'joined_at', 'birthday', 'birthday_lunar', ...columns].join(', ')
  const [ids, joined, ...rest] = await copyRow(
    db,
    `select ${asked.join(', ')} from (select ${within} from person
      where ${ofPersons('id', persons)} and state = 'live' order by id) p`,
  )
  const [birthdays, lunar] = needs.birthday ? rest.splice(0, 2) : []
  return {
    ids: int4s(ids),
    joinedAt: instants(joined),
    birthdays: listed(birthdays) as (string | null)[],
    lunar: lunar ?? new Uint8Array(0),
    attributes: new Map(needs.attributes.map((name, place) => [name, listed(rest[place])])),
    tags: needs.tags ? await selectTagPairs(db, persons) : new Int32Array(0),
  }
}

/** Active tags that are set or synced: what a rule decides is an answer, not a fact. */
async function selectTagPairs(db: Database, persons: PersonSet): Promise<Int32Array> {
  const [pairs] = await copyRow(
    db,
    `select string_agg(int4send(person_id) || int4send(tag_id), '') from (
      select pt.person_id, pt.tag_id from person_tag pt join tag t on t.id = pt.tag_id
      where ${ofPersons('pt.person_id', persons)} and t.state = 'active'
        and not (pt.origin = 'auto' and t.rule is not null) order by pt.person_id) p`,
  )
  return int4s(pairs)
}

/** The best claim of each origin, person and group, ascending by person: see `selectClaims`. */
export async function selectClaimsWithin(
  db: Database,
  persons: PersonSet,
): Promise<(Omit<Claim, 'at'> & { personId: number; at: Date })[]> {
  return db.rows(sql`
    select distinct on (c.person_id, c.group_id, c.origin)
      c.person_id as "personId", c.group_id as "group", c.tag_id as tag, c.origin, c.producer, c.at
    from s_tag_claim c join tag t on t.id = c.tag_id
    where ${trusted(ofPersons('c.person_id', persons))} and t.state = 'active'
      and not (c.origin = 'auto' and t.rule is not null)
    order by c.person_id, c.group_id, c.origin, c.at desc, c.tag_id desc`)
}

function listed(bytes: Buffer | undefined): unknown[] {
  return bytes === undefined ? [] : (JSON.parse(bytes.toString('utf8')) as unknown[])
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Errors: a TypeError for what is no whole number. */
function whole(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`no whole number: ${value}`)
  return String(value)
}
