/**
 * Properties, and the names of events and pages, as they are kept: flat, bounded, and without personal data. Pure.
 *
 * Always true: no phone number, e-mail address or number of an identity card leaves `flatten` and `labelOf` in clear,
 * wherever in a text or in a name it stands, nor the value of a field that bears a name of theirs, of a person's name
 * or of an address. In its place stands its blind index, so that equal values stay equal.
 */
import type { TrackedProperties } from '../../../contract/events.ts'
import type { BlindIndex } from '../../platform/crypto/blind-index.ts'
import { normalisePhone } from '../../platform/phone.ts'
import type { Flag, Spoken } from './told.ts'

/** Properties of one event; a longer list is cut. */
export const MOST_PROPERTIES = 100
const LONGEST_TEXT = 1000
const LONGEST_LIST = 4000
const LONGEST_NAME = 200
const DEEPEST = 6
/** Characters of one event, names and values together: as the Segment specification has it. */
export const LONGEST_EVENT = 32 * 1024

export type Flattened = {
  properties: TrackedProperties
  /** Identifiers that stood in it, in clear: they are kept with the person as hints. */
  found: Spoken[]
  flags: Flag['flag'][]
  /** Characters seen. */
  size: number
}

type Hiding = { index: BlindIndex; found: Spoken[]; cut: Set<Flag['flag']> }
type Walk = Omit<Flattened, 'flags'> & Hiding & { count: number }

/** The properties of `value`, nested ones under their path ('address.city'), lists as JSON text; nulls are left out. */
export function flatten(value: unknown, index: BlindIndex): Flattened {
  const walk: Walk = { properties: {}, found: [], size: 0, index, count: 0, cut: new Set() }
  if (isObject(value)) walkObject(walk, value, { under: '', parent: '', depth: 0 })
  return { properties: walk.properties, found: walk.found, flags: [...walk.cut], size: walk.size }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Place = { under: string; parent: string; depth: number }

function walkObject(walk: Walk, value: Record<string, unknown>, { under, parent, depth }: Place): void {
  for (const key of Object.keys(value)) {
    const inner = value[key]
    if (inner === null || inner === undefined) continue
    const name = hideWithin(walk, key)
    const path = storable(under === '' ? name : `${under}.${name}`).slice(0, LONGEST_NAME)
    walk.size += key.length
    if (walk.size > LONGEST_EVENT) return
    if (isObject(inner)) {
      if (depth >= DEEPEST) walk.cut.add('left_out')
      else walkObject(walk, inner, { under: path, parent: key, depth: depth + 1 })
    } else if (walk.count >= MOST_PROPERTIES) {
      walk.cut.add('left_out')
    } else {
      walk.count += 1
      const kept = keep(walk, inner, personalKind(key, parent))
      if (kept !== undefined) walk.properties[path] = kept
    }
  }
}

/** A value as it may be kept; undefined for what is none. */
function keep(
  walk: Walk,
  value: unknown,
  kind: PersonalKind | undefined,
): string | number | boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') {
    walk.size += 8
    if (!Number.isFinite(value)) return undefined
    return kind !== undefined || isMobile(value) ? shown(walk, String(value), kind) : value
  }
  if (typeof value === 'string') {
    walk.size += value.length
    return shown(walk, value, kind)
  }
  if (!Array.isArray(value)) return undefined
  const text = JSON.stringify(listed(walk, value, { kind, depth: 0 }))
  walk.size += text.length
  if (text.length > LONGEST_LIST) walk.cut.add('cut')
  return text.slice(0, LONGEST_LIST)
}

/** A list, and what is in it, with every text as it may be kept. */
function listed(
  walk: Walk,
  value: unknown,
  { kind, depth }: { kind: PersonalKind | undefined; depth: number },
): unknown {
  if (typeof value === 'string') return shown(walk, value, kind)
  if (typeof value === 'number')
    return kind !== undefined || isMobile(value) ? shown(walk, String(value), kind) : value
  if (depth >= DEEPEST || typeof value !== 'object' || value === null)
    return typeof value === 'boolean' ? value : null
  if (Array.isArray(value)) return value.map((item) => listed(walk, item, { kind, depth: depth + 1 }))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      storable(hideWithin(walk, key)),
      listed(walk, item, { kind: personalKind(key, ''), depth: depth + 1 }),
    ]),
  )
}

/** A phone that was sent as a number. */
function isMobile(value: number): boolean {
  return Number.isInteger(value) && value > 1.3e10 && value < 2e10
}

/** The text as it may be kept. */
function shown(walk: Walk, text: string, kind: PersonalKind | undefined): string {
  if (kind !== undefined && text.trim() !== '') return hidden(walk, kind, text)
  const result = hideWithin(walk, text)
  if (result.length > LONGEST_TEXT) walk.cut.add('cut')
  return storable(result.slice(0, LONGEST_TEXT))
}

/** The name of an event, a page or a thing from a text or a number, without personal data; undefined where there is none. */
export function labelOf(value: unknown, index: BlindIndex): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = hideWithin({ index, found: [], cut: new Set() }, String(value).slice(0, LONGEST_TEXT))
  const label = storable(text.trim().slice(0, LONGEST_NAME))
  return label === '' ? undefined : label
}

/** An id from a text or a number; undefined where there is none, and for one too long to be one: two must never look alike. */
export function idText(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = storable(String(value).trim())
  return text === '' || text.length > LONGEST_NAME ? undefined : text
}

const SUSPICIOUS = /@|\d{11}|1[3-9]\d[\s-]\d{4}|[０-９]{3}/u
const FULL_WIDTH = /[０-９]/u
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,4}/gu
const MOBILE = /(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)/g
const IDENTITY_CARD =
  /(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])/g

/** The text with blind indexes where numbers and addresses of people stood in it. */
function hideWithin(hiding: Hiding, text: string): string {
  if (!SUSPICIOUS.test(text)) return text
  const hide = (kind: PersonalKind) => (value: string) => hidden(hiding, kind, value)
  return (FULL_WIDTH.test(text) ? text.normalize('NFKC') : text)
    .replace(IDENTITY_CARD, hide('text'))
    .replace(EMAIL, hide('email'))
    .replace(MOBILE, hide('phone'))
}

function hidden({ index, found, cut }: Hiding, kind: PersonalKind, text: string): string {
  if (kind !== 'text') found.push({ kind, value: text, hint: true })
  cut.add('hidden')
  return blind(index, kind, text)
}

type PersonalKind = 'phone' | 'email' | 'text'

/** '#phone:…', '#email:…' or '#:…': the blind index of the value in its usual form. */
function blind(index: BlindIndex, kind: PersonalKind, text: string): string {
  const usual = kind === 'phone' ? (normalisePhone(text)?.value ?? text) : text.trim().toLowerCase()
  const digest = index
    .digest(kind === 'text' ? 'hidden' : kind, '', usual.slice(0, LONGEST_TEXT))
    .toString('hex')
  return `#${kind === 'text' ? '' : kind}:${digest}`
}

const PERSONAL = new Map<string, PersonalKind>([
  ...[
    'phone',
    'mobile',
    'tel',
    'telephone',
    'mobilephone',
    'phonenumber',
    'mobilenumber',
    'cellphone',
    'phoneno',
    'mobileno',
    '手机',
    '手机号',
    '手机号码',
    '电话',
    '联系电话',
  ].map((name) => [name, 'phone'] as const),
  ...['email', 'mail', 'emailaddress', '邮箱', '电子邮箱'].map((name) => [name, 'email'] as const),
  ...[
    'idcard',
    'idcardno',
    'idno',
    'identitycard',
    'idnumber',
    'passport',
    'ip',
    'clientip',
    'firstname',
    'lastname',
    'fullname',
    'realname',
    'truename',
    'nickname',
    'username',
    'receivername',
    'contactname',
    'customername',
    'address',
    'street',
    'detailaddress',
    'shippingaddress',
    '身份证',
    '身份证号',
    '姓名',
    '真实姓名',
    '昵称',
    '收货人',
    '收件人',
    '地址',
    '详细地址',
    '收货地址',
  ].map((name) => [name, 'text'] as const),
])

/** Names of properties are few, and the same over and over. */
const kinds = new Map<string, PersonalKind | undefined>()
const MOST_KINDS = 10_000

function personalKind(key: string, parent: string): PersonalKind | undefined {
  if (key.length > 20) return undefined
  if (!kinds.has(key)) {
    if (kinds.size >= MOST_KINDS) kinds.clear()
    kinds.set(key, PERSONAL.get(plainName(key)))
  }
  return kinds.get(key) ?? (plainName(key) === 'name' && PEOPLE.has(plainName(parent)) ? 'text' : undefined)
}

/** What has a `name` that is a person's. */
const PEOPLE = new Set([
  'user',
  'member',
  'customer',
  'buyer',
  'receiver',
  'consignee',
  'contact',
  'recipient',
  'person',
  'traits',
])

/** 'Phone_Number' and '$phone-number' are 'phonenumber'. */
export function plainName(key: string): string {
  return key.toLowerCase().replace(/[$_\-\s]/g, '')
}

/** Text that PostgreSQL takes: without U+0000 and half surrogates. */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '') : whole
}
