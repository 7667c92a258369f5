/**
 * The person that a set of profiles is: a pure function. The row of a person is this fold and nothing else, so a merge
 * or its undo only changes the set and folds again, and what came after a merge stays with the profile it came with.
 */
import type { SourceChannel } from '../../contract/import-fields.ts'
import { type Attributes, type AttributeValue, latest, personalFields, type Said } from './attributes.ts'
import { type Claim, identifierRules } from './identifier.ts'
import { type MemberSource, type Registration, type Side, sourceOf } from './source.ts'

export type FoldProfile = {
  readonly id: number
  readonly attributes: Attributes
  readonly claims: readonly Pick<Claim, 'kind' | 'state' | 'valid' | 'form'>[]
  readonly relations: readonly { readonly staffId: string; readonly standing: boolean }[]
  readonly createdAt: Date
  readonly demo: boolean
}

export type PersonKind = 'member' | 'customer' | 'contact' | 'visitor'
export type PhoneState = 'mobile' | 'landline' | 'invalid' | 'none'
export type WecomState = 'followed' | 'lost' | 'unfollowed' | 'none'

/** The columns of a person that follow from its profiles. Times in ms since 1970. */
export type PersonFold = {
  readonly kind: PersonKind
  readonly name: string | null
  readonly gender: string | null
  readonly birthday: string | null
  readonly birthdayLunar: boolean
  readonly city: string | null
  readonly joinedAt: number | null
  readonly registerChannel: Side | null
  readonly registration: Registration | null
  readonly source: MemberSource
  readonly sourceSide: Side | null
  readonly sourceChannel: SourceChannel | null
  readonly homeStoreId: string | null
  readonly ownerStaffId: string | null
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly phone: PhoneState
  readonly identifiers: readonly string[]
  readonly followerIds: readonly string[]
  readonly wecom: WecomState
  readonly consents: Readonly<Record<string, string>>
  readonly contactResults: Readonly<Record<string, string>>
  readonly inErp: boolean
  readonly completeness: number
  readonly demo: boolean
  readonly firstSeenAt: number
}

/** Fields with a column of their own, and those that are not shown as attributes. */
const OWN_COLUMN = new Set([
  'gender',
  'birthday',
  'birthdayLunar',
  'city',
  'joinedAt',
  'registerChannel',
  'registration',
  'source',
  'side',
  'sourceChannel',
  'homeStoreId',
  'ownerStaffId',
])
/** Where somebody came from: the first word counts, not the latest. */
const ORIGIN = new Set(['joinedAt', 'registerChannel', 'registration', 'source', 'side', 'sourceChannel'])
const CONSENT = 'consent.'
const RESULT = 'result.'

/**
 * The words of a profile that somebody preferred at `at` (ms since 1970), when it was joined to others by hand: they count
 * as said again then, so they win over what the others said before, and yield to what is said later. What people agreed
 * to, what channels told and where somebody came from is nobody's choice.
 */
export function preferred(attributes: Attributes, at: number): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([field, said]) => {
      const chosen = !ORIGIN.has(field) && !field.startsWith(CONSENT) && !field.startsWith(RESULT)
      return [field, chosen && said[1] <= at ? ([said[0], at + 1] as const) : said]
    }),
  )
}

/** Folds at least one profile; the order does not matter. */
export function foldPerson(profiles: readonly FoldProfile[]): PersonFold {
  const text = (field: string): string | null => asText(latest(profiles, field))
  const claims = profiles.flatMap((profile) => profile.claims.filter(({ state }) => state === 'active'))
  const origin = originOf(profiles)
  const birthday = latest(profiles, 'birthday')
  const followerIds = [
    ...new Set(
      profiles.flatMap(({ relations }) => relations.filter((one) => one.standing).map((one) => one.staffId)),
    ),
  ].sort()
  const person = {
    name: text('name') ?? text('nickname'),
    gender: text('gender'),
    birthday: asText(birthday),
    birthdayLunar: birthday !== undefined && lunarOf(profiles, birthday),
    city: text('city'),
    joinedAt: joinedAtOf(profiles),
    homeStoreId: text('homeStoreId'),
    ownerStaffId: text('ownerStaffId'),
    phone: phoneOf(claims),
    identifiers: [...new Set(claims.filter(({ valid }) => valid).map(({ kind }) => kind))].sort(),
    followerIds,
    wecom: wecomOf(profiles, claims, followerIds),
  }
  const joined = person.joinedAt !== null
  const { source, side, channel } = sourceOf({
    ...origin,
    followed: person.wecom === 'followed' || person.wecom === 'lost',
    joined,
  })
  return {
    ...person,
    kind: kindOf(joined, origin.registration, claims, person.wecom),
    registerChannel: origin.registerChannel,
    registration: origin.registration,
    source,
    sourceSide: side,
    sourceChannel: channel,
    attributes: furtherOf(profiles),
    consents: prefixed(profiles, CONSENT, (value) => value !== 'unknown'),
    contactResults: prefixed(profiles, RESULT, () => true),
    inErp: profiles.some(isOfTheBrand),
    completeness: completenessOf(person, latest(profiles, 'address') !== undefined),
    demo: profiles.some(({ demo }) => demo),
    firstSeenAt: Math.min(...profiles.map(({ createdAt }) => createdAt.getTime())),
  }
}

/** What a complete member has, in points of 100. Under `COMPLETE_FROM` a person counts as incomplete. */
export const completenessPoints = {
  phone: 30,
  name: 20,
  birthday: 15,
  gender: 10,
  homeStore: 10,
  wecom: 10,
  place: 5,
} as const
export const COMPLETE_FROM = 60

function completenessOf(
  person: Pick<PersonFold, 'phone' | 'name' | 'birthday' | 'gender' | 'homeStoreId' | 'wecom' | 'city'>,
  address: boolean,
): number {
  const points = completenessPoints
  return (
    (person.phone === 'mobile' || person.phone === 'landline' ? points.phone : 0) +
    (person.name === null ? 0 : points.name) +
    (person.birthday === null ? 0 : points.birthday) +
    (person.gender === null ? 0 : points.gender) +
    (person.homeStoreId === null ? 0 : points.homeStore) +
    (person.wecom === 'followed' ? points.wecom : 0) +
    (person.city === null && !address ? 0 : points.place)
  )
}

/** A member has joined; a customer is known to a system of the brand; a contact only to a guide's WeCom. */
function kindOf(
  joined: boolean,
  registration: Registration | null,
  claims: readonly Pick<Claim, 'kind' | 'valid'>[],
  wecom: WecomState,
): PersonKind {
  if (joined || registration === 'registered' || registration === 'registered_before') return 'member'
  const has = (kinds: readonly string[]): boolean => claims.some(({ kind }) => kinds.includes(kind))
  if (registration === 'bought_unregistered' || has(['phone', 'email', 'card'])) return 'customer'
  if (wecom !== 'none' || has(['external_userid'])) return 'contact'
  return has(['unionid', 'oa_openid', 'mp_openid', 'device']) ? 'visitor' : 'customer'
}

/** Where they first came from counts: the words of the profile that joined, or was known, first. */
function originOf(profiles: readonly FoldProfile[]): {
  source: MemberSource | null
  side: Side | null
  registerChannel: Side | null
  sourceChannel: SourceChannel | null
  registration: Registration | null
} {
  const first = <Value extends string>(field: string): Value | null => {
    let best: { value: string; since: number } | undefined
    for (const { attributes } of profiles) {
      const value = asText(attributes[field])
      if (value === null) continue
      const since = numberOf(attributes['joinedAt']) ?? attributes[field]?.[1] ?? 0
      if (!best || since < best.since || (since === best.since && value < best.value)) best = { value, since }
    }
    return (best?.value as Value | undefined) ?? null
  }
  return {
    source: first<MemberSource>('source'),
    side: first<Side>('side'),
    registerChannel: first<Side>('registerChannel'),
    sourceChannel: first<SourceChannel>('sourceChannel'),
    registration: first<Registration>('registration'),
  }
}

function joinedAtOf(profiles: readonly FoldProfile[]): number | null {
  const times = profiles.flatMap(({ attributes }) => numberOf(attributes['joinedAt']) ?? [])
  return times.length === 0 ? null : Math.min(...times)
}

/** Whether the birthday that holds was told as a lunar one: the word that came with it. */
function lunarOf(profiles: readonly FoldProfile[], birthday: Said): boolean {
  return profiles.some(
    ({ attributes }) =>
      attributes['birthday']?.[0] === birthday[0] &&
      attributes['birthday'][1] === birthday[1] &&
      attributes['birthdayLunar']?.[0] === true,
  )
}

function phoneOf(claims: readonly Pick<Claim, 'kind' | 'valid' | 'form'>[]): PhoneState {
  const phones = claims.filter(({ kind }) => kind === 'phone')
  if (phones.some(({ valid, form }) => valid && form === 'mobile')) return 'mobile'
  if (phones.some(({ valid }) => valid)) return 'landline'
  return phones.length > 0 ? 'invalid' : 'none'
}

function wecomOf(
  profiles: readonly FoldProfile[],
  claims: readonly Pick<Claim, 'kind'>[],
  followerIds: readonly string[],
): WecomState {
  if (followerIds.length > 0) return 'followed'
  if (profiles.some(({ relations }) => relations.length > 0)) return 'lost'
  return claims.some(({ kind }) => kind === 'external_userid') ? 'unfollowed' : 'none'
}

/** Told by a system of the brand (ERP, CRM, shop, till), not only by a guide's WeCom or a visit. */
function isOfTheBrand({ attributes, claims }: FoldProfile): boolean {
  const has = (...kinds: string[]): boolean =>
    claims.some(({ kind, state }) => state !== 'hint' && kinds.includes(kind))
  if (attributes['joinedAt'] !== undefined || attributes['registration'] !== undefined || has('card'))
    return true
  if (has('external_userid')) return false
  return has('phone', 'email') || claims.every(({ kind }) => identifierRules[kind].known)
}

function furtherOf(profiles: readonly FoldProfile[]): Record<string, AttributeValue> {
  const fields = new Set(profiles.flatMap(({ attributes }) => Object.keys(attributes)))
  const further: Record<string, AttributeValue> = {}
  for (const field of [...fields].sort()) {
    if (OWN_COLUMN.has(field) || personalFields.has(field)) continue
    if (field.startsWith(CONSENT) || field.startsWith(RESULT)) continue
    const said = latest(profiles, field)
    if (said && said[0] !== '') further[field] = said[0]
  }
  return further
}

function prefixed(
  profiles: readonly FoldProfile[],
  prefix: string,
  counts: (value: string) => boolean,
): Record<string, string> {
  const fields = new Set(
    profiles.flatMap(({ attributes }) => Object.keys(attributes).filter((field) => field.startsWith(prefix))),
  )
  const found: Record<string, string> = {}
  for (const field of [...fields].sort()) {
    const value = asText(latest(profiles, field))
    if (value !== null && counts(value)) found[field.slice(prefix.length)] = value
  }
  return found
}

function asText(said: Said | undefined): string | null {
  return typeof said?.[0] === 'string' ? said[0] : null
}

function numberOf(said: Said | undefined): number | undefined {
  return typeof said?.[0] === 'number' ? said[0] : undefined
}
