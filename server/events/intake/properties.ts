/**
 * Properties as they are kept: flat, bounded, and without personal data. Pure.
 *
 * Always true: no phone number, e-mail address or number of an identity card leaves this file in clear, wherever in a
 * text it stands, nor the value of a field that bears a name of theirs, of a person's name or of an address. In its
 * place stands its blind index, so that equal values stay equal.
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

type Walk = Flattened & { index: BlindIndex; count: number; cut: Set<Flag['flag']> }

/** The properties of `value`, nested ones under their path ('address.city'), lists as JSON text; nulls are left out. */
export function flatten(value: unknown, index: BlindIndex, under = ''): Flattened {
  const walk: Walk = { properties: {}, found: [], flags: [], size: 0, index, count: 0, cut: new Set() }
  if (isObject(value)) walkObject(walk, value, under, 0)
  return { properties: walk.properties, found: walk.found, flags: [...walk.cut], size: walk.size }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function walkObject(walk: Walk, value: Record<string, unknown>, under: string, depth: number): void {
  for (const key of Object.keys(value)) {
    const inner = value[key]
    if (inner === null || inner === undefined) continue
    const path = storable(under === '' ? key : `${under}.${key}`).slice(0, LONGEST_NAME)
    walk.size += key.length
    if (walk.size > LONGEST_EVENT) return
    if (isObject(inner)) {
      if (depth >= DEEPEST) walk.cut.add('left_out')
      else walkObject(walk, inner, path, depth + 1)
    } else if (walk.count >= MOST_PROPERTIES) {
      walk.cut.add('left_out')
    } else {
      walk.count += 1
      put(walk, path, key, inner)
    }
  }
}

function put(walk: Walk, path: string, key: string, value: unknown): void {
  if (typeof value === 'number' || typeof value === 'bigint') {
    walk.size += 8
    const number = Number(value)
    if (!Number.isFinite(number)) return
    // A phone that was sent as a number.
    const mobile = Number.isInteger(number) && number > 1.3e10 && number < 2e10
    if (mobile || personalKind(key)) walk.properties[path] = shown(walk, key, String(value))
    else walk.properties[path] = number
  } else if (typeof value === 'boolean') {
    walk.properties[path] = value
  } else if (typeof value === 'string') {
    walk.size += value.length
    walk.properties[path] = shown(walk, key, value)
  } else if (Array.isArray(value)) {
    const text = JSON.stringify(value, (inner, item) =>
      typeof item === 'string' ? shown(walk, inner || key, item) : item,
    )
    walk.size += text.length
    if (text.length > LONGEST_LIST) walk.cut.add('cut')
    walk.properties[path] = storable(text.slice(0, LONGEST_LIST))
  }
}

/** The text as it may be kept. */
function shown(walk: Walk, key: string, text: string): string {
  const kind = personalKind(key)
  if (kind !== undefined && text.trim() !== '') {
    if (kind !== 'text') walk.found.push({ kind, value: text, hint: true })
    walk.cut.add('hidden')
    return blind(walk.index, kind, text)
  }
  let result = text
  if (SUSPICIOUS.test(text)) result = hideWithin(walk, text)
  if (result.length > LONGEST_TEXT) walk.cut.add('cut')
  return storable(result.slice(0, LONGEST_TEXT))
}

const SUSPICIOUS = /@|\d{11}/
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,4}/gu
const MOBILE = /(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)/g
const IDENTITY_CARD =
  /(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])/g

function hideWithin(walk: Walk, text: string): string {
  const hide = (kind: PersonalKind) => (value: string) => {
    if (kind !== 'text') walk.found.push({ kind, value, hint: true })
    walk.cut.add('hidden')
    return blind(walk.index, kind, value)
  }
  return text
    .replace(IDENTITY_CARD, hide('text'))
    .replace(EMAIL, hide('email'))
    .replace(MOBILE, hide('phone'))
}

type PersonalKind = 'phone' | 'email' | 'text'

/** '#phone:…', '#email:…' or '#:…': the first half of the blind index of the value in its usual form. */
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

function personalKind(key: string): PersonalKind | undefined {
  if (key.length > 20) return undefined
  const known = kinds.get(key)
  if (known !== undefined || kinds.has(key)) return known
  if (kinds.size >= MOST_KINDS) kinds.clear()
  const kind = PERSONAL.get(plainName(key))
  kinds.set(key, kind)
  return kind
}

/** 'Phone_Number' and '$phone-number' are 'phonenumber'. */
export function plainName(key: string): string {
  return key.toLowerCase().replace(/[$_\-\s]/g, '')
}

/** Text that PostgreSQL takes: without U+0000 and half surrogates. */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '') : whole
}
