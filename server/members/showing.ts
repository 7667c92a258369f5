/** Who may see whom, and how much of names and numbers. */
import type { Viewer } from '../org/org.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import type { identifierKinds } from './identifier.ts'
import { lastFourDigest } from './incoming.ts'
import { normaliseIdentifier } from './normalise.ts'
import { mobileNumbers } from './recipients.ts'
import { openSecrets } from './secret.ts'

/**
 * A condition over `person p`: headquarters sees everybody; whoever belongs to stores sees the members whose home store
 * is one of them, or with whom there is an own follow relation.
 */
export function visibleTo(viewer: Pick<Viewer, 'all' | 'storeIds' | 'staffId'>): Sql {
  if (viewer.all) return sql`true`
  return sql`(p.home_store_id = any(${viewer.storeIds}::uuid[]) or p.owner_staff_id = ${viewer.staffId} or ${viewer.staffId}::uuid = any(p.follower_ids))`
}

/** 王** : the first character stays. */
export function maskName(name: string | null): string | null {
  return name === null ? null : `${[...name][0] ?? ''}**`
}

/** +8613812341234 → 138****1234; shorter values keep their ends only. */
export function maskPhone(value: string): string {
  const local = value.replace(/^\+86/, '')
  return local.length >= 8 ? `${local.slice(0, 3)}****${local.slice(-4)}` : maskValue(local)
}

/** Anything else: the first and the last two characters. */
export function maskValue(value: string): string {
  const signs = [...value]
  return signs.length <= 4 ? '****' : `${signs.slice(0, 2).join('')}****${signs.slice(-2).join('')}`
}

/** The latest valid mobile number of each person, in clear: mask it before it is shown. */
export const phonesOf = mobileNumbers

/** A statement that gives the persons who have this phone, card or last four digits; nobody for other texts. */
export function whoHas(keys: Keyring, text: string): Sql {
  const digests = [
    ...new Set((['phone', 'card', 'email'] as const).flatMap((kind) => digestsOf(keys, kind, text))),
  ]
  const lastFour = /^\d{4}$/.test(text) ? sql`or i.last4 = ${Buffer.from(lastFourDigest(keys.index, text), 'hex')}` : sql``
  return sql`
    select pr.person_id from identifier i join profile pr on pr.id = i.profile_id
    where i.state in ('active', 'superseded') and (i.digest = any(${digests.map((digest) => Buffer.from(digest, 'hex'))}::bytea[]) ${lastFour})`
}

/** A card is looked for in every scope that is used; demo values have scopes of their own. */
function digestsOf(keys: Keyring, kind: (typeof identifierKinds)[number], text: string): string[] {
  const value = normaliseIdentifier(kind, text)?.value
  if (value === undefined) return []
  const scopes = kind === 'card' ? CARD_SCOPES : ['']
  return scopes
    .flatMap((scope) => [scope, `demo:${scope}`])
    .map((scope) => keys.index.digest(kind, scope, value).toString('hex'))
}

/** Scopes of cards that imports and the demo give; others are found by the member's page only. */
const CARD_SCOPES = ['', 'file', 'erp', 'demo-erp']

export type ShownIdentifier = { kind: string; masked: string; valid: boolean; revealable: boolean }

/** Identifiers of a person, masked. Values of erased profiles are gone. */
export async function identifiersOf(db: Db, keys: Keyring, personId: number): Promise<ShownIdentifier[]> {
  const found = await clearIdentifiers(db, keys, personId)
  return found.map(({ kind, value, valid }) => ({
    kind,
    masked: kind === 'phone' ? maskPhone(value) : maskValue(value),
    valid,
    revealable: kind === 'phone' || kind === 'email' || kind === 'card',
  }))
}

/** The value in clear, for one look that the caller writes into the audit trail; undefined where there is none. */
export async function revealIdentifier(
  db: Db,
  keys: Keyring,
  personId: number,
  kind: string,
): Promise<string | undefined> {
  return (await clearIdentifiers(db, keys, personId)).find((one) => one.kind === kind)?.value
}

async function clearIdentifiers(
  db: Db,
  keys: Keyring,
  personId: number,
): Promise<{ kind: string; value: string; valid: boolean }[]> {
  const rows = await db.rows<{ profileId: number; kind: string; digest: string; valid: boolean }>(sql`
    select i.profile_id as "profileId", i.kind, encode(i.digest, 'hex') as digest, i.valid
    from identifier i join profile p on p.id = i.profile_id
    where p.person_id = ${personId} and i.state in ('active', 'worn') order by i.valid desc, i.at desc`)
  const secrets = await openSecrets(db, keys, [...new Set(rows.map((row) => row.profileId))])
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const value = secrets.get(row.profileId)?.[row.digest]
    if (value === undefined || seen.has(row.digest)) return []
    seen.add(row.digest)
    return [{ kind: row.kind, value, valid: row.valid }]
  })
}
