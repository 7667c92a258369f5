/** What the doors bring: one row is what one source says about one person. */
import type { SourceChannel } from '../../contract/import-fields.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import { Problem } from '../platform/problem.ts'
import type { Attributes, AttributeValue, Said } from './attributes.ts'
import {
  type ClaimState,
  type IdentifierKind,
  identifierRules,
  namingOrder,
  type PhoneForm,
} from './identifier.ts'
import { normaliseIdentifier, normaliseName, phonesInRemark } from './normalise.ts'
import { channelOfAddWay, type MemberSource, type Registration, type Side } from './source.ts'

export type ConsentState = 'granted' | 'withdrawn' | 'unknown'

export type IncomingIdentifier = {
  kind: IdentifierKind
  value: string
  /** App id (openids), corp id (external_userid), system (card); empty where the kind needs none. */
  scope?: string
  /** Written by a guide into a remark: it proposes, it never joins. */
  hint?: boolean
}

export type IncomingRelation = {
  staffId: string
  externalUserid: string
  remark?: string | null
  addWay?: string | null
  state?: string | null
  addedAt: Date
  lostAt?: Date | null
  lostBy?: 'member' | 'staff' | 'import' | null
}

export type IncomingAttributes = {
  name?: string | null
  /** The name that the person chose in WeChat; shown where there is no name. */
  nickname?: string | null
  gender?: 'female' | 'male' | null
  /** 'YYYY-MM-DD' as it was told; with `birthdayLunar` month and day are of the lunar calendar. Year 0000: unknown. */
  birthday?: string | null
  birthdayLunar?: boolean | null
  province?: string | null
  city?: string | null
  /** Sealed; never shown in lists, in no event. */
  address?: string | null
  joinedAt?: Date | null
  registerChannel?: Side | null
  registration?: Registration | null
  source?: MemberSource | null
  side?: Side | null
  /** Through what kind of place; without it, what the first follow relation's way of adding tells. */
  sourceChannel?: SourceChannel | null
  homeStoreId?: string | null
  ownerStaffId?: string | null
  /** The brand's own: kept as 'custom.<name>'. */
  custom?: Record<string, AttributeValue>
}

export type IncomingPerson = {
  /** The source's own id of the record; null where it has none: then its strongest identifier names it. */
  externalId: string | null
  /** When the source last changed it; without it the time of the call counts. */
  at?: Date
  demo?: boolean
  identifiers: readonly IncomingIdentifier[]
  attributes?: IncomingAttributes
  consents?: readonly { channel: string; state: ConsentState; at?: Date }[]
  relations?: readonly IncomingRelation[]
}

export type ResolveHow = {
  lane: 'live' | 'bulk'
  /** The system that speaks: profiles are unique by (source, externalId). */
  source: string
  at: Date
  importId?: string
}

/** A claim with the digests that stand for it. `digest` and `lookup` are hex. */
export type NewClaim = {
  kind: IdentifierKind
  scope: string
  digest: string
  lookup: string | null
  state: ClaimState
  valid: boolean
  form: PhoneForm | null
  /** ms since 1970: when the source said it. */
  at: number
}

/** A row as the rest of this folder knows it: personal values only in `secret`, everything else as digests. */
export type Facts = {
  /** Hex of the profile's key in its source. */
  key: string
  timed: boolean
  at: number
  demo: boolean
  visitor: boolean
  claims: NewClaim[]
  attributes: Attributes
  secret: Record<string, string>
  relations: readonly IncomingRelation[]
  /** Digests of claims that the profile did not have before; known once they are written. */
  newDigests?: ReadonlySet<string>
}

const LONGEST_TEXT = 500

/** The facts of a row. Errors: `bad_row` with its number where it names nobody. */
export function factsOf(row: IncomingPerson, how: ResolveHow, { index }: Keyring, number: number): Facts {
  const demo = row.demo === true
  const at = (row.at ?? how.at).getTime()
  const secret: Record<string, string> = {}
  const claims = new Map<string, NewClaim>()
  const claim = ({ kind, value, scope = '', hint = false }: IncomingIdentifier): void => {
    const normal = normaliseIdentifier(kind, value)
    if (!normal) return
    const owned = demo ? `demo:${scope}` : scope
    const digest = index.digest(kind, owned, normal.value).toString('hex')
    const known = claims.get(digest)
    if (known && known.state !== 'hint') return
    const lookedUp = kind === 'card' || (kind === 'phone' && normal.value.length >= 4)
    claims.set(digest, {
      kind,
      scope: owned,
      digest,
      lookup: lookedUp ? lookupDigest(index, kind, normal.value) : null,
      state: hint ? 'hint' : 'active',
      valid: normal.valid,
      form: normal.form,
      at,
    })
    secret[digest] = normal.value
  }
  for (const identifier of row.identifiers) claim(identifier)
  for (const { remark } of row.relations ?? []) {
    for (const phone of remark ? phonesInRemark(remark) : [])
      claim({ kind: 'phone', value: phone, hint: true })
  }
  const attributes = attributesOf(row, at, secret, index)
  const known = [...claims.values()]
  return {
    key: keyOf({ row, how, claims: known, attributes, demo }, index, number),
    timed: row.at !== undefined,
    at,
    demo,
    visitor: row.externalId === null && known.every(({ kind }) => !identifierRules[kind].known),
    claims: known,
    attributes,
    secret,
    relations: (row.relations ?? []).map((one) => ({
      ...one,
      externalUserid: storableText(one.externalUserid),
      remark: one.remark ? storableText(one.remark) : null,
    })),
  }
}

/**
 * What people look an identifier up by: the last four digits of a phone, the whole number of a card whatever its
 * system, an e-mail not at all. Hex.
 */
export function lookupDigest(index: Keyring['index'], kind: 'phone' | 'card', value: string): string {
  return index.digest('lookup', kind, kind === 'phone' ? value.slice(-4) : value).toString('hex')
}

type Named = {
  row: IncomingPerson
  how: ResolveHow
  claims: readonly NewClaim[]
  attributes: Attributes
  demo: boolean
}

/** Hex of what the record is known by in its source. Errors: `bad_row`. */
function keyOf(
  { row, how, claims, attributes, demo }: Named,
  index: Keyring['index'],
  number: number,
): string {
  const world = demo ? 'demo' : 'real'
  if (row.externalId !== null && row.externalId !== '') {
    return index.digest('record', world, how.source, row.externalId).toString('hex')
  }
  const own = claims.filter(({ state }) => state === 'active')
  for (const kind of namingOrder) {
    const digests = own.filter((claim) => claim.kind === kind && claim.valid).map((claim) => claim.digest)
    const first = digests.sort()[0]
    if (first !== undefined) return index.digest('named', world, how.source, kind, first).toString('hex')
  }
  // Only wrong ones, which many type: it is known by all that it says, so that the same row is the same record.
  if (own.length > 0) {
    const said = Object.entries(attributes).map(([field, [value]]) => `${field}=${value}`)
    const digests = own.map(({ digest }) => digest)
    return index.digest('said', world, how.source, ...digests.sort(), ...said.sort()).toString('hex')
  }
  throw new Problem('bad_row', 'The row names nobody: it has neither an id nor an identifier.', {
    row: number,
  })
}

function attributesOf(
  row: IncomingPerson,
  at: number,
  secret: Record<string, string>,
  index: Keyring['index'],
): Attributes {
  const found: Record<string, Said> = {}
  const say = (field: string, value: AttributeValue | null | undefined): void => {
    if (value === null || value === undefined || value === '') return
    found[field] = [typeof value === 'string' ? storableText(value) : value, at]
  }
  const given = row.attributes
  if (given) {
    say('name', given.name ? normaliseName(given.name) : null)
    say('nickname', given.nickname ? normaliseName(given.nickname) : null)
    say('gender', given.gender)
    say(
      'birthday',
      given.birthday && isDate(given.birthday, given.birthdayLunar === true) ? given.birthday : null,
    )
    if (found['birthday'] !== undefined) say('birthdayLunar', given.birthdayLunar === true)
    say('province', given.province)
    say('city', given.city)
    if (given.address) {
      const digest = index.digest('address', given.address).toString('hex')
      secret[digest] = given.address.slice(0, LONGEST_TEXT)
      say('address', digest)
    }
    say('joinedAt', given.joinedAt?.getTime())
    say('registerChannel', given.registerChannel)
    say('registration', given.registration)
    say('source', given.source)
    say('side', given.side)
    say('homeStoreId', given.homeStoreId)
    say('ownerStaffId', given.ownerStaffId)
    for (const [name, value] of Object.entries(given.custom ?? {})) say(`custom.${name.slice(0, 60)}`, value)
  }
  say('sourceChannel', given?.sourceChannel ?? channelOfRelations(row.relations ?? []))
  for (const { channel, state, at: when } of row.consents ?? []) {
    found[`consent.${channel}`] = [state, (when ?? row.at)?.getTime() ?? at]
  }
  return found
}

/** The channel of the earliest relation that tells one. */
function channelOfRelations(relations: readonly IncomingRelation[]): SourceChannel | null {
  const byTime = [...relations].sort((a, b) => a.addedAt.getTime() - b.addedAt.getTime())
  for (const { addWay } of byTime) {
    const channel = addWay ? channelOfAddWay(addWay) : null
    if (channel !== null) return channel
  }
  return null
}

/** Text that PostgreSQL takes: without U+0000 and half surrogates. */
function storableText(text: string): string {
  return text.slice(0, LONGEST_TEXT).toWellFormed().replaceAll('\u0000', '')
}

/** Whether 'YYYY-MM-DD' is a day; lunar months have up to 30, year 0000 stands for an unknown one. */
function isDate(text: string, lunar: boolean): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!parts) return false
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number)
  if (month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return day <= (lunar ? 30 : (lengths[month - 1] ?? 0))
}
