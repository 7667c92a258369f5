/**
 * The 神策 (Sensors Analytics) protocol: what its SDKs post to `/sa`, `/sa.gif` and `/debug`. Pure.
 * Source: its published data format (数据格式) and the Apache-licensed SDKs for Node 1.2 and for the web 1.27.
 */
import { gunzipSync } from 'node:zlib'
import type { RefusedReason } from '../../../contract/intake.ts'
import { idOf } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { flatten, idText, isObject, LONGEST_EVENT, labelOf } from './properties.ts'
import type { ReadHow } from './segment.ts'
import { type Flag, type Parsed, refusedTime, type Spoken, type Told, type ToldPerson } from './told.ts'
import { readTraits, timeOf } from './traits.ts'

/** A packed body may unpack to so much. */
const MOST_UNPACKED = 8 * 1024 * 1024

/**
 * The records of a form body or of a query: `data` or `data_list`, base64 of JSON, packed where `gzip` is 1; `ext=crc=…`
 * is the sum of the base64 text and must fit. Errors: `bad_input` naming the field, `too_large`.
 */
export function unpackForm(form: URLSearchParams): unknown[] {
  const list = form.get('data_list')
  const single = form.get('data')
  const text = list ?? single
  const field = list === null ? 'data' : 'data_list'
  if (text === null || text === '')
    throw new Problem('bad_input', 'There is neither data nor data_list.', { field: 'data' })
  checkSum(form.get('ext'), text)
  const bytes = Buffer.from(text.replaceAll(' ', '+'), 'base64')
  const packed = form.get('gzip') === '1' || (bytes[0] === 0x1f && bytes[1] === 0x8b)
  const value = parse(packed ? unpack(bytes, field) : bytes, field)
  return Array.isArray(value) ? value : [value]
}

function unpack(bytes: Buffer, field: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Problem('too_large', `Unpacked, ${field} is larger than ${MOST_UNPACKED} bytes.`, { field })
    throw new Problem('bad_input', `${field} says that it is packed with gzip, but is not.`, { field })
  }
}

function parse(bytes: Buffer, field: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Problem('bad_input', `${field} is not base64 of well-formed JSON.`, { field })
  }
}

function checkSum(ext: string | null, text: string): void {
  const given = /(?:^|&)crc=(-?\d+)/.exec(ext ?? '')?.[1]
  if (given !== undefined && Number(given) !== javaHash(text))
    throw new Problem('bad_input', 'The sum in ext does not fit data: it was damaged on its way.', {
      field: 'ext',
    })
}

/** The 32-bit hash of Java's String.hashCode, which the web SDK calls crc. */
export function javaHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

/** Reads records. Never throws: what is wrong is refused by its place. */
export function readSensors(records: readonly unknown[], how: ReadHow): Parsed {
  const parsed: Parsed = { told: [], refused: [], flags: [] }
  for (const [place, record] of records.entries()) {
    const read = isObject(record) ? readRecord(record, how, parsed.flags) : 'not_an_object'
    if (typeof read === 'string')
      parsed.refused.push({ index: place, reason: read, name: nameOf(record, how) })
    else parsed.told.push(...read)
  }
  return parsed
}

function nameOf(record: unknown, { index }: ReadHow): string | null {
  return (isObject(record) && labelOf(record['event'], index)) || null
}

type Common = { id: string; at: Date; who: readonly Spoken[] }

function readRecord(record: Record<string, unknown>, how: ReadHow, flags: Flag[]): Told[] | RefusedReason {
  const at = record['time'] === undefined ? how.receivedAt : timeOf(record['time'])
  if (at === undefined) return 'bad_time'
  const late = refusedTime(at, how.receivedAt)
  if (late) return late
  const type = String(record['type'] ?? '')
  const properties = isObject(record['properties']) ? record['properties'] : {}
  const id = idOfRecord(record, how.source)
  if (type === 'item_set' || type === 'item_delete') return readItem(record, { id, at }, how)
  const who = speakers(record, properties)
  if (who.length === 0) return 'nobody'
  const common = { id, at, who }
  if (type.startsWith('profile_')) return readProfile(type, properties, { common, how, flags })
  if (!EVENT_TYPES.has(type)) return 'unknown_type'
  return readEvent(record, type, { common, how, flags, properties })
}

const EVENT_TYPES = new Set(['track', 'track_signup', 'track_id_bind', 'track_id_unbind'])

type Reading = { common: Common; how: ReadHow; flags: Flag[] }

function readEvent(
  record: Record<string, unknown>,
  type: string,
  { common, how, flags, properties }: Reading & { properties: Record<string, unknown> },
): Told[] | RefusedReason {
  const name = labelOf(record['event'], how.index) ?? (type === 'track_signup' ? '$SignUp' : undefined)
  if (name === undefined) return 'no_name'
  const { properties: flat, found, flags: own, size } = flatten(withoutOwn(properties), how.index)
  if (size > LONGEST_EVENT) return 'too_large'
  for (const flag of own) flags.push({ event: name, property: '', flag })
  const who = [...common.who, ...found]
  if (!PAGE_EVENTS.has(name)) return [{ ...common, who, kind: 'tracked', name, properties: flat }]
  const pages = [flat['$url_path'], flat['$screen_name'], flat['$url']]
  const page = pages.map((one) => labelOf(one, how.index)).find((one) => one !== undefined) ?? name
  return [{ ...common, who, kind: 'page', page, properties: flat }]
}

/** Views of a page on the web, in a mini-program and in an app. */
const PAGE_EVENTS = new Set(['$pageview', '$MPViewScreen', '$AppViewScreen'])
/** Of the SDK itself: addresses and identifiers that have their own place. */
const OWN = new Set(['$ip', '$user_agent', '$is_login_id', '$device_id', '$token', '$project'])

/** Under names without personal data; what has none is left out. */
function labelled(properties: Record<string, unknown>, { index }: ReadHow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => {
      const label = labelOf(name, index)
      return label === undefined ? [] : [[label, value]]
    }),
  )
}

function withoutOwn(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !OWN.has(name)))
}

function readProfile(
  type: string,
  properties: Record<string, unknown>,
  { common, how, flags }: Reading,
): Told[] | RefusedReason {
  const person: ToldPerson = {
    ...common,
    kind: 'person',
    set: {},
    custom: {},
    once: {},
    add: {},
    append: {},
    unset: [],
  }
  const given = labelled(withoutOwn(properties), how)
  switch (type) {
    case 'profile_set':
    case 'profile_set_once': {
      const traits = readTraits(unprefixed(given), how.index)
      if (traits.size > LONGEST_EVENT) return 'too_large'
      for (const flag of traits.flags) flags.push({ event: type, property: '', flag })
      const who = [...common.who, ...traits.identifiers]
      if (type === 'profile_set') return [{ ...person, who, set: traits.set, custom: traits.custom }]
      return [{ ...person, who, set: {}, once: { ...namedOnce(traits.set), ...traits.custom } }]
    }
    case 'profile_increment': {
      const add = Object.entries(given).filter((entry): entry is [string, number] =>
        Number.isFinite(entry[1]),
      )
      return [{ ...person, add: Object.fromEntries(add) }]
    }
    case 'profile_append': {
      const append = Object.entries(given).map(([name, value]) => {
        const list = flatten({ list: (Array.isArray(value) ? value : [value]).map(String) }, how.index)
        return [name, JSON.parse(String(list.properties['list'] ?? '[]')) as string[]] as const
      })
      return [{ ...person, append: Object.fromEntries(append) }]
    }
    case 'profile_unset':
      return [{ ...person, unset: Object.keys(given) }]
    case 'profile_delete':
      return [{ ...person, unset: ['*'] }]
    default:
      return 'unknown_type'
  }
}

/** '$name' is 'name': the preset properties of the protocol. */
function unprefixed(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name.replace(/^\$/, ''), value]),
  )
}

/** Fields that a first word settles, under the names by which `write` knows them. */
function namedOnce(set: ToldPerson['set']): Record<string, string | number | boolean> {
  const once: Record<string, string | number | boolean> = {}
  for (const [field, value] of Object.entries(set)) {
    if (typeof value === 'string' || typeof value === 'boolean') once[`.${field}`] = value
    else if (value instanceof Date) once[`.${field}`] = value.getTime()
  }
  return once
}

function readItem(
  record: Record<string, unknown>,
  common: { id: string; at: Date },
  how: ReadHow,
): Told[] | RefusedReason {
  const itemType = labelOf(record['item_type'], how.index)
  const itemId = labelOf(record['item_id'], how.index)
  if (itemType === undefined || itemId === undefined) return 'no_name'
  if (record['type'] === 'item_delete')
    return [{ ...common, kind: 'item', itemType, itemId, properties: null }]
  const { properties, size } = flatten(record['properties'], how.index)
  return size > LONGEST_EVENT ? 'too_large' : [{ ...common, kind: 'item', itemType, itemId, properties }]
}

/**
 * Who speaks: `identities` where the SDK is of the newer kind, else login_id and anonymous_id. A distinct_id that stands
 * alone may be either: SDKs for servers do not say.
 */
function speakers(record: Record<string, unknown>, properties: Record<string, unknown>): Spoken[] {
  const who: Spoken[] = []
  const add = (kind: Spoken['kind'], value: unknown): void => {
    const text = idText(value)
    if (text !== undefined && !who.some((one) => one.value === text)) who.push({ kind, value: text })
  }
  const signsUp = record['type'] === 'track_signup'
  if (isObject(record['identities']) && record['type'] !== 'track_id_unbind') {
    for (const [name, value] of Object.entries(record['identities'])) add(identityKind(name), value)
  }
  add('user', record['login_id'])
  if (properties['$is_login_id'] === true || signsUp) add('user', record['distinct_id'])
  add('device', record['anonymous_id'])
  add(who.length > 0 ? 'device' : 'distinct', record['distinct_id'])
  if (signsUp) add('device', record['original_id'])
  return who
}

function identityKind(name: string): Spoken['kind'] {
  switch (name) {
    case '$identity_login_id':
      return 'user'
    case '$identity_mobile':
      return 'phone'
    case '$identity_email':
      return 'email'
    case '$identity_mp_unionid':
      return 'unionid'
    case '$identity_mp_openid':
      return 'mp_openid'
    case '$identity_oa_openid':
      return 'oa_openid'
    default:
      return 'device'
  }
}

/** The record as it was first sent names itself: only the time of flushing differs when it is sent again. */
function idOfRecord(record: Record<string, unknown>, source: string): string {
  const { _flush_time: _, ...same } = record
  return idOf('sensors', source, JSON.stringify(same))
}
