/** One person in full, and the look at a full number that leaves a trace. */
import { type Actor, audit, type Viewer } from '../org/org.ts'
import { idOf } from '../platform/ids.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { latest } from './attributes.ts'
import type { ClaimState, IdentifierKind } from './identifier.ts'
import { maskIdentifier, maskName } from './mask.ts'
import { type Channel, channels, type ReachReason, type ReachState, reachReasons } from './reachability.ts'
import { type Found, membersByIds } from './search.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle-world.ts'
import { type MergeRow, mergePage } from './store-merges.ts'
import { presentPersonsOf } from './store-persons.ts'
import {
  allReasonsOf,
  identifiersOf,
  personByPublicId,
  profileFacts,
  type RelationRow,
  relationsOfPerson,
} from './store-reads.ts'
import { visibleTo } from './visible.ts'

export type ShownIdentifier = {
  /** Of the value, the same at every look. */
  id: string
  kind: IdentifierKind
  /** The system, app or corp it belongs to. */
  scope: string
  masked: string
  valid: boolean
  state: ClaimState
  /** Whether this viewer may ask for the whole value. */
  revealable: boolean
}

export type MemberCard = Found & {
  identifiers: ShownIdentifier[]
  reachability: { channel: Channel; state: ReachState; reason: ReachReason }[]
  consents: { channel: string; state: string; at: Date }[]
  relations: RelationRow[]
  /** The brand's own attributes. */
  attributes: Record<string, string | number | boolean>
  sources: { source: string; since: Date }[]
  merges: MergeRow[]
}

/**
 * Everything that members knows of one person. A public id of somebody who was absorbed leads to whom they became.
 * Errors: `not_found` also where the viewer may not see the person.
 */
export async function memberCard(
  deps: MembersDeps,
  db: Db,
  publicId: string,
  viewer: Viewer,
): Promise<MemberCard> {
  const id = await personOf(db, publicId)
  const [found] = id === undefined ? [] : await membersByIds(deps, db, [id], viewer)
  if (id === undefined || !found) throw new Problem('not_found', 'There is no such member.')
  const profiles = await profileFacts(db, id)
  const reasons = await allReasonsOf(db, id, { real: false })
  const { attributes } = await db.row<{ attributes: MemberCard['attributes'] }>(
    sql`select attributes from person where id = ${id}`,
  )
  const relations = await relationsOfPerson(db, id)
  return {
    ...found,
    identifiers: await shownIdentifiers(deps, db, id, viewer),
    reachability: channels.map((channel) => {
      const reason = reasons[channel] as ReachReason
      return { channel, state: reachReasons[reason], reason }
    }),
    consents: consentsOf(profiles),
    relations: viewer.maySeePersonal
      ? relations
      : relations.map((one) => ({ ...one, remark: one.remark && maskName(one.remark) })),
    attributes,
    sources: profiles.map(({ source, createdAt }) => ({ source, since: createdAt })),
    merges: await mergePage(db, { after: null, limit: 50, person: id }),
  }
}

/** The live person of a public id, also where it was absorbed; undefined where there is none. */
export async function personOf(db: Db, publicId: string): Promise<number | undefined> {
  const id = await personByPublicId(db, publicId)
  return id === undefined ? undefined : (await presentPersonsOf(db, [id])).get(id)
}

/**
 * A whole identifier of a person, for whoever may see personal data: of several of the kind the one with the id
 * `identifier`, else the standing one. The look is written to the audit trail in the same transaction. Errors: `not_found`, `not_allowed`.
 */
export async function reveal(
  deps: MembersDeps,
  tx: Tx,
  asked: { publicId: string; kind: string; identifier?: string | undefined; reason?: string | undefined },
  actor: Actor,
): Promise<string> {
  if (!actor.viewer.maySeePersonal) throw new Problem('not_allowed', 'Your role may not see personal data.')
  const id = await personOf(tx, asked.publicId)
  const seen =
    id === undefined
      ? undefined
      : await tx.maybe(sql`select from person where person.id = ${id} and ${visibleTo(actor.viewer)}`)
  if (id === undefined || !seen) throw new Problem('not_found', 'There is no such member.')
  const claims = (await identifiersOf(tx, id)).filter(
    (claim) =>
      claim.kind === asked.kind && (asked.identifier === undefined || idOfValue(claim) === asked.identifier),
  )
  const secrets = await openSecrets(tx, deps.keys, [...new Set(claims.map(({ profileId }) => profileId))])
  const value = [
    ...claims.filter(({ state }) => state === 'active'),
    ...claims.filter(({ state }) => state !== 'active'),
  ]
    .map(({ profileId, digest }) => secrets.get(profileId)?.[digest])
    .find((whole) => whole !== undefined)
  if (value === undefined) throw new Problem('not_found', 'The member has no such identifier.')
  await audit(tx, actor, {
    action: `member.${asked.kind}_revealed`,
    objectKind: 'member',
    objectId: asked.publicId,
    reason: asked.reason,
  })
  return value
}

/** The digest is keyed, and stays here all the same. */
function idOfValue({ kind, digest }: { kind: string; digest: string }): string {
  return idOf('identifier', kind, digest)
}

/** A person's identifiers, masked; each value once, the standing claim before others. */
export async function shownIdentifiers(
  deps: MembersDeps,
  db: Db,
  person: number,
  viewer: Viewer,
): Promise<ShownIdentifier[]> {
  const rows = await identifiersOf(db, person)
  const secrets = await openSecrets(db, deps.keys, [...new Set(rows.map(({ profileId }) => profileId))])
  const shown = new Map<string, ShownIdentifier>()
  for (const { profileId, kind, scope, digest, state, valid } of rows) {
    const value = secrets.get(profileId)?.[digest]
    const known = shown.get(digest)
    if (known && (known.state === 'active' || state !== 'active')) continue
    shown.set(digest, {
      id: idOfValue({ kind, digest }),
      kind,
      scope: scope.replace(/^demo:/, ''),
      masked: value === undefined ? '****' : maskIdentifier(kind, value),
      valid,
      state,
      revealable: viewer.maySeePersonal && value !== undefined,
    })
  }
  return [...shown.values()]
}

function consentsOf(profiles: Parameters<typeof latest>[0]): MemberCard['consents'] {
  const fields = new Set(
    profiles.flatMap(({ attributes }) =>
      Object.keys(attributes).filter((field) => field.startsWith('consent.')),
    ),
  )
  return [...fields].sort().flatMap((field) => {
    const said = latest(profiles, field)
    return said
      ? [{ channel: field.slice('consent.'.length), state: String(said[0]), at: instant(said[1]) }]
      : []
  })
}
