/**
 * The eight kinds of identifier and what each may do. Digests stand for values everywhere but in a profile's secret.
 */

export const identifierKinds = [
  'phone',
  'unionid',
  'oa_openid',
  'mp_openid',
  'external_userid',
  'card',
  'email',
  'device',
] as const
export type IdentifierKind = (typeof identifierKinds)[number]

/**
 * level: in which round it joins profiles, the surest first (partition.ts).
 * onePerPerson: a person has one value in a scope; two different ones are two people until somebody says otherwise.
 * known: whoever has one is more than a visitor.
 */
export const identifierRules: Readonly<
  Record<IdentifierKind, { level: 1 | 2 | 3; onePerPerson: boolean; known: boolean }>
> = {
  card: { level: 1, onePerPerson: true, known: true },
  external_userid: { level: 1, onePerPerson: true, known: true },
  unionid: { level: 1, onePerPerson: true, known: false },
  mp_openid: { level: 1, onePerPerson: true, known: false },
  oa_openid: { level: 1, onePerPerson: true, known: false },
  phone: { level: 2, onePerPerson: false, known: true },
  email: { level: 2, onePerPerson: false, known: true },
  device: { level: 3, onePerPerson: false, known: false },
}

/** Which identifier names a record that its source gave no number: the first of these kinds that it has. */
export const namingOrder: readonly IdentifierKind[] = [
  'card',
  'external_userid',
  'unionid',
  'mp_openid',
  'oa_openid',
  'phone',
  'email',
  'device',
]

/** An identifier that more profiles than this use (a shop's own number, a till's device) tells nobody apart. */
export const MOST_PROFILES_OF_AN_IDENTIFIER = 100

export type ClaimState = 'active' | 'superseded' | 'disowned' | 'hint' | 'worn'
/** What a phone number is for: SMS goes to mobiles only. */
export type PhoneForm = 'mobile' | 'landline'

/** One profile's word that an identifier is its own. `digest` is hex. */
export type Claim = {
  readonly kind: IdentifierKind
  readonly scope: string
  readonly digest: string
  readonly state: ClaimState
  readonly valid: boolean
  readonly form: PhoneForm | null
}

/** Whether the claim may join its profile to others. */
export function linksProfiles(claim: Pick<Claim, 'state' | 'valid'>): boolean {
  return claim.state === 'active' && claim.valid
}

/** What the identifier is called in maps: one text per (kind, scope, digest). */
export function claimKey(claim: Pick<Claim, 'kind' | 'scope' | 'digest'>): string {
  return `${claim.kind}|${claim.scope}|${claim.digest}`
}
