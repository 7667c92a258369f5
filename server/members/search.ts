/** Finding people: by name, phone (whole or its last four digits), card, or filters; in pages that a cursor continues. */
import { z } from 'zod'
import type { Viewer } from '../org/org.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import { decodeCursor, encodeCursor } from '../platform/cursor.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { lookupDigest } from './incoming.ts'
import { maskIdentifier, maskName } from './mask.ts'
import { normaliseIdentifier, normaliseName } from './normalise.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle-world.ts'
import { type ListRow, listPersons, type Order, personsWith, shownPhones } from './store-reads.ts'
import { visibleTo } from './visible.ts'

export type MemberQuery = {
  /** A name or its beginning, a phone, its last four digits, a card number. */
  q?: string | undefined
  kind?: ListRow['kind'] | undefined
  source?: string | undefined
  storeId?: string | undefined
  guideId?: string | undefined
  sort?: 'joined' | 'name' | undefined
  /** Further conditions on `person`, of a later capability: a segment, a tag, a state. */
  where?: readonly Sql[]
  /** Another order, of a later capability: by last purchase, by spending. */
  order?: Order
}

/** A person in a list. Name masked for whoever may not see personal data, the phone always. */
export type Found = Omit<ListRow, 'sortKey' | 'phone'> & { phone: string | null }

const Cursor = z.tuple([z.string(), z.int()])
const BY_JOINING: Order = {
  by: sql`coalesce(person.joined_at, '-infinity')`,
  type: 'timestamptz',
  down: true,
}
const BY_NAME: Order = { by: sql`coalesce(person.name, '')`, type: 'text', down: false, collation: 'zh' }

/**
 * One page of the people that `viewer` may see and that meet the query.
 * Errors: `bad_input` for a cursor that no page gave.
 */
export async function searchMembers(
  deps: MembersDeps,
  db: Db,
  query: MemberQuery,
  who: { viewer: Viewer; cursor?: string | undefined; limit: number },
): Promise<{ items: Found[]; next: string | null }> {
  const after = decodeCursor(who.cursor, Cursor)
  const order = query.order ?? (query.sort === 'name' ? BY_NAME : BY_JOINING)
  const conditions = [visibleTo(who.viewer), ...conditionsOf(deps.keys, query), ...(query.where ?? [])]
  const rows = await listPersons(db, conditions, order, {
    after: after && { key: after[0], id: after[1] },
    limit: who.limit + 1,
  })
  const shown = rows.slice(0, who.limit)
  const last = shown.at(-1)
  return {
    items: await show(deps, db, shown, who.viewer),
    next: rows.length > who.limit && last ? encodeCursor([last.sortKey, last.id]) : null,
  }
}

/** These persons as a list shows them, in the given order; those that the viewer may not see are left out. */
export async function membersByIds(
  deps: MembersDeps,
  db: Db,
  ids: readonly number[],
  viewer: Viewer,
): Promise<Found[]> {
  const rows = await listPersons(db, [visibleTo(viewer), sql`person.id = any(${ids}::int[])`], BY_JOINING, {
    after: undefined,
    limit: ids.length,
  })
  const found = new Map((await show(deps, db, rows, viewer)).map((one) => [one.id, one]))
  return ids.flatMap((id) => found.get(id) ?? [])
}

/** The shown phone of each person, masked. */
export async function maskedPhones(
  deps: MembersDeps,
  db: Db,
  persons: readonly number[],
): Promise<Map<number, string>> {
  const phones = await shownPhones(db, persons)
  const secrets = await openSecrets(
    db,
    deps.keys,
    phones.map(({ profileId }) => profileId),
  )
  return new Map(
    phones.flatMap(({ personId, profileId, digest }) => {
      const value = secrets.get(profileId)?.[digest]
      return value === undefined ? [] : [[personId, maskIdentifier('phone', value)] as const]
    }),
  )
}

async function show(deps: MembersDeps, db: Db, rows: readonly ListRow[], viewer: Viewer): Promise<Found[]> {
  const phones = await maskedPhones(
    deps,
    db,
    rows.filter(({ phone }) => phone !== 'none').map(({ id }) => id),
  )
  return rows.map(({ sortKey: _, ...row }) => ({
    ...row,
    name: row.name === null || viewer.maySeePersonal ? row.name : maskName(row.name),
    phone: phones.get(row.id) ?? null,
  }))
}

function conditionsOf(keys: Keyring, query: MemberQuery): Sql[] {
  const { kind, source, storeId, guideId } = query
  return [
    ...(kind ? [sql`person.kind = ${kind}`] : []),
    ...(source ? [sql`person.source = ${source}`] : []),
    ...(storeId ? [sql`person.home_store_id = ${storeId}::uuid`] : []),
    ...(guideId
      ? [sql`(person.owner_staff_id = ${guideId}::uuid or ${guideId}::uuid = any(person.follower_ids))`]
      : []),
    ...matching(keys, query.q ?? ''),
  ]
}

/** What a search text can mean: digits are a phone or a card; anything else may be a name or a card. */
function matching({ index }: Keyring, q: string): Sql[] {
  const text = q.normalize('NFKC').trim()
  if (text === '') return []
  const digits = text.replace(/[\s-]/g, '')
  const card = normaliseIdentifier('card', text)?.value
  const lookups = [
    ...(/^\d{4}$/.test(digits) ? [lookupDigest(index, 'phone', digits)] : []),
    ...(card === undefined ? [] : [lookupDigest(index, 'card', card)]),
  ]
  const named = personsWith(possibleIdentifiers(index, text), lookups)
  const name = normaliseName(text)
  if (name === undefined || /^[\d+\s-]+$/.test(text)) return [among(named)]
  return [sql`(${nameMatches(name)} or ${among(named)})`]
}

/** As an array that is asked for first, so that beside a name both indexes are used. */
function among(persons: Sql): Sql {
  return sql`person.id = any(array(${persons}))`
}

/**
 * Names that begin with the text, from two signs on also those that end with it, from three on those that contain it:
 * more the trigram index cannot find. What stands in the text never becomes a pattern.
 */
function nameMatches(name: string): Sql {
  const literal = name.replace(/[\\%_]/g, (sign) => `\\${sign}`)
  const signs = [...name].length
  if (signs >= 3) return sql`person.name ilike ${`%${literal}%`}`
  if (signs === 1) return sql`person.name ilike ${`${literal}%`}`
  return sql`(person.name ilike ${`${literal}%`} or person.name ilike ${`%${literal}`})`
}

function possibleIdentifiers(
  index: Keyring['index'],
  text: string,
): { kind: string; scope: string; digest: string }[] {
  return (['phone', 'email'] as const).flatMap((kind) => {
    const value = normaliseIdentifier(kind, text)?.value
    if (value === undefined) return []
    return ['', 'demo:'].map((scope) => ({
      kind,
      scope,
      digest: index.digest(kind, scope, value).toString('hex'),
    }))
  })
}
