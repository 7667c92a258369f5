/** One row of a members or contacts file, understood: the packed line that goes into a bucket, and back to a statement. */
import { hash } from 'node:crypto'
import type { ImportDefaults } from '../../../contract/import.ts'
import { type MemberSource, type SourceChannel, sideOfChannel } from '../../../contract/import-fields.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Columns } from './columns.ts'
import type { IdentifierKind, PersonStatement } from './ports.ts'
import {
  readCode,
  readDay,
  readGender,
  readInstant,
  readList,
  readMemberSource,
  readPhone,
  readRegistration,
  readSide,
  readText,
  readYesNo,
} from './values.ts'
import { channelOf, findWord, type Gender, type Registration, type Side, sides } from './words.ts'

export type PersonRow = {
  externalId: string | null
  identifiers: [kind: IdentifierKind, value: string][]
  invalidPhone: boolean
  name: string | null
  gender: Gender | null
  birthday: string | null
  birthdayLunar: boolean | null
  province: string | null
  city: string | null
  joinedAt: number | null
  registerChannel: Side | null
  registration: Registration | null
  source: MemberSource | null
  side: Side | null
  sourceChannel: SourceChannel | null
  sms: boolean | null
  store: string | null
  storeCode: string | null
  /** The guide of a member, the member of staff who follows a contact. */
  staff: string | null
  staffCode: string | null
  custom: Record<string, string>
  follow: FollowPart | null
}

export type FollowPart = {
  externalUserid: string
  remark: string | null
  remarkPhone: string | null
  addedAt: number | null
  lostAt: number | null
  addWay: string | null
  state: string | null
}

const IDENTIFIERS = [
  ['cardNumber', 'card'],
  ['unionid', 'unionid'],
  ['officialOpenid', 'oa_openid'],
  ['miniOpenid', 'mp_openid'],
  ['externalUserid', 'external_userid'],
  ['email', 'email'],
] as const

export function readMemberRow(columns: Columns, defaults: ImportDefaults): PersonRow {
  const identifiers = readIdentifiers(columns)
  const phone = columns.get('phone', readPhone)
  const invalidPhone = phone !== null && typeof phone === 'object'
  if (phone !== null) identifiers.push(['phone', typeof phone === 'string' ? phone : phone.invalid])
  const channel = columns.get('registerChannel', readText)
  const source = columns.get('source', readMemberSource)
  const place = channel ?? (typeof source === 'object' ? (source?.name ?? null) : null)
  const channelSide = place === null ? undefined : findWord(sides, place)
  const sourceChannel = place === null ? null : channelOf(place)
  const custom = readCustom(columns)
  if (place !== null && channelSide === undefined) custom['注册渠道'] = place
  const row: PersonRow = {
    externalId: columns.get('memberNo', readCode),
    identifiers,
    invalidPhone,
    name: columns.get('name', readText),
    gender: columns.get('gender', readGender),
    birthday: columns.getTime('birthday', readDay),
    birthdayLunar: columns.get('birthdayLunar', readYesNo),
    province: columns.get('province', readText),
    city: columns.get('city', readText),
    joinedAt: columns.getTime('joinedAt', readInstant)?.getTime() ?? null,
    registerChannel: channelSide ?? (sourceChannel === null ? null : sideOfChannel(sourceChannel)),
    registration: columns.get('registration', readRegistration) ?? defaults.registration ?? null,
    source: (typeof source === 'string' ? source : null) ?? defaults.source ?? null,
    side: columns.get('side', readSide) ?? defaults.side ?? null,
    sourceChannel,
    sms: columns.get('smsConsent', readYesNo),
    store: columns.get('store', readText),
    storeCode: columns.get('storeCode', readCode) ?? defaults.storeCode ?? null,
    staff: columns.get('owner', readText),
    staffCode: columns.get('ownerCode', readCode),
    custom,
    follow: null,
  }
  if (
    columns.faults.length === 0 &&
    row.externalId === null &&
    identifiers.length === 0 &&
    row.name === null
  ) {
    columns.fault('memberNo', 'no_identity')
  }
  return row
}

const CUSTOM = [
  ['level', '会员等级'],
  ['country', '国家'],
  ['remark', '备注'],
] as const

function readCustom(columns: Columns): Record<string, string> {
  const custom: Record<string, string> = {}
  for (const [field, name] of CUSTOM) {
    const value = columns.get(field, readText)
    if (value !== null) custom[name] = value
  }
  const tags = columns.get('tags', readList)
  if (tags !== null) custom['标签'] = tags.join('、')
  for (const field of columns.attributes()) {
    const value = columns.get(field, readText)
    if (value !== null) custom[field.slice('attribute:'.length)] = value
  }
  return custom
}

function readIdentifiers(columns: Columns): [IdentifierKind, string][] {
  const found: [IdentifierKind, string][] = []
  for (const [field, kind] of IDENTIFIERS) {
    const value = columns.get(field, readCode)
    if (value !== null) found.push([kind, value])
  }
  return found
}

export function readContactRow(columns: Columns): PersonRow {
  const identifiers = readIdentifiers(columns)
  const userid = identifiers.find(([kind]) => kind === 'external_userid')?.[1] ?? null
  const phone = columns.get('remarkPhone', readPhone)
  const remark = columns.get('remark', readText)
  const tags = columns.get('tags', readList)
  const addWay = columns.get('addWay', readText)?.slice(0, 100) ?? null
  const row: PersonRow = {
    externalId: userid,
    identifiers,
    invalidPhone: phone !== null && typeof phone === 'object',
    name: columns.get('name', readText),
    gender: columns.get('gender', readGender),
    birthday: null,
    birthdayLunar: null,
    province: null,
    city: null,
    joinedAt: null,
    registerChannel: null,
    registration: null,
    source: null,
    side: null,
    // Codes of WeCom are understood by the members; names of ways are as those of channels.
    sourceChannel: addWay === null ? null : channelOf(addWay),
    sms: null,
    store: null,
    storeCode: null,
    staff: columns.get('staffName', readText),
    staffCode: columns.get('staffUserid', readCode),
    custom: tags === null ? {} : { 标签: tags.join('、') },
    follow:
      userid === null
        ? null
        : {
            externalUserid: userid,
            remark,
            remarkPhone: typeof phone === 'string' ? phone : null,
            addedAt: columns.getTime('addedAt', readInstant)?.getTime() ?? null,
            lostAt: columns.getTime('lostAt', readInstant)?.getTime() ?? null,
            addWay,
            state: columns.get('state', readText)?.slice(0, 100) ?? null,
          },
  }
  if (columns.faults.length === 0 && identifiers.length === 0) columns.fault('externalUserid', 'no_identity')
  return row
}

/**
 * What rows about the same record share. A row that nothing names for certain (no number, and at most a phone that
 * cannot be one) is known by what it says.
 */
export function personKey(row: PersonRow): string {
  const name = row.externalId ?? row.identifiers.find(([kind]) => kind !== 'phone' || !row.invalidPhone)?.[1]
  if (name !== undefined) return name
  return `~${hash('sha256', JSON.stringify(row), 'hex').slice(0, 32)}`
}

export function packPerson(key: string, row: PersonRow, number: number): string {
  return JSON.stringify([key, row, number])
}

export function unpackPerson(line: string): { key: string; row: PersonRow; number: number } {
  const [key, row, number] = JSON.parse(line) as [string, PersonRow, number]
  return { key, row, number }
}

export type PlaceIds = { storeId: string | null; staffId: string | null }

/** What a row says, with its store and staff looked up. `nth` tells rows apart that say the same and name nobody. */
export function memberStatement(
  key: string,
  row: PersonRow,
  { storeId, staffId, source }: PlaceIds & { source: string },
  nth: number,
): PersonStatement {
  return {
    externalId: key.startsWith('~') ? `row:${key.slice(1)}:${nth}` : row.externalId,
    identifiers: row.identifiers.map(([kind, value]) => identifier(kind, value, source)),
    attributes: {
      name: row.name,
      gender: row.gender === 'unknown' ? null : row.gender,
      birthday: row.birthday,
      birthdayLunar: row.birthdayLunar,
      province: row.province,
      city: row.city,
      joinedAt: row.joinedAt === null ? null : instant(row.joinedAt),
      registerChannel: row.registerChannel,
      registration: row.registration ?? (row.joinedAt === null ? null : 'registered'),
      source: row.source,
      side: row.side,
      sourceChannel: row.sourceChannel,
      homeStoreId: storeId,
      ownerStaffId: staffId,
      custom: row.custom,
    },
    consents: row.sms === null ? [] : [{ channel: 'sms', state: row.sms ? 'granted' : 'withdrawn' }],
  }
}

/** Card numbers belong to the system that gave them; the others hold everywhere. */
export function identifier(
  kind: IdentifierKind,
  value: string,
  source: string,
): PersonStatement['identifiers'][number] {
  return kind === 'card' ? { kind, value, scope: source } : { kind, value }
}

/** One statement for all rows about one contact; rows without a time of adding take `saidAt`. */
export function contactStatement(
  rows: readonly { row: PersonRow; staffId: string | null }[],
  { saidAt, source }: { saidAt: Date; source: string },
): PersonStatement {
  const first = <F extends 'name' | 'gender' | 'sourceChannel'>(field: F): PersonRow[F] =>
    rows.find(({ row }) => row[field] !== null)?.row[field] ?? null
  const identifiers = new Map<string, PersonStatement['identifiers'][number]>()
  const relations: NonNullable<PersonStatement['relations']> = []
  const gender = first('gender')
  for (const { row, staffId } of rows) {
    for (const [kind, value] of row.identifiers)
      identifiers.set(`${kind}${value}`, identifier(kind, value, source))
    const { follow } = row
    if (!follow) continue
    const hint = follow.remarkPhone
    if (hint !== null) identifiers.set(`hint${hint}`, { kind: 'phone', value: hint, hint: true })
    if (staffId === null) continue
    relations.push({
      staffId,
      externalUserid: follow.externalUserid,
      remark: follow.remark,
      addWay: follow.addWay,
      state: follow.state,
      addedAt: follow.addedAt === null ? saidAt : instant(follow.addedAt),
      lostAt: follow.lostAt === null ? null : instant(follow.lostAt),
      lostBy: follow.lostAt === null ? null : 'import',
    })
  }
  const custom: Record<string, string> = Object.assign({}, ...rows.map(({ row }) => row.custom))
  return {
    externalId: rows[0]?.row.externalId ?? null,
    identifiers: [...identifiers.values()],
    attributes: {
      nickname: first('name'),
      gender: gender === 'unknown' ? null : gender,
      sourceChannel: first('sourceChannel'),
      custom,
    },
    relations,
  }
}
