/** What a source says of a person, read into the fields that Liuliang knows and the brand's own. Pure. */
import type { BlindIndex } from '../../platform/crypto/blind-index.ts'
import { instant } from '../../platform/time/clock.ts'
import { findWord, genders } from '../import/words.ts'
import { flatten, isObject, plainName } from './properties.ts'
import type { Flag, Spoken, ToldPerson } from './told.ts'

export type Traits = Pick<ToldPerson, 'set' | 'custom'> & {
  identifiers: Spoken[]
  flags: Flag['flag'][]
  size: number
}

type Field =
  | 'phone'
  | 'email'
  | 'name'
  | 'nickname'
  | 'gender'
  | 'birthday'
  | 'province'
  | 'city'
  | 'joined'
  | 'unionid'

/** Names by which SDKs and brands send the fields that have a place of their own; compared as `plainName`. */
const FIELDS = new Map<string, Field>(
  Object.entries({
    phone: ['phone', 'mobile', 'tel', 'phonenumber', 'mobilephone', '手机', '手机号', '手机号码'],
    email: ['email', 'mail', '邮箱', '电子邮箱'],
    name: ['name', 'fullname', 'realname', '姓名', '真实姓名'],
    nickname: ['nickname', 'username', '昵称'],
    gender: ['gender', 'sex', '性别'],
    birthday: ['birthday', 'birthdate', 'dateofbirth', '生日', '出生日期'],
    province: ['province', 'state', '省份', '省'],
    city: ['city', '城市', '市'],
    joined: ['createdat', 'signuptime', 'registertime', '注册时间', '入会时间'],
    unionid: ['unionid', 'wechatunionid'],
  } satisfies Record<Field, string[]>).flatMap(([field, names]) =>
    names.map((name) => [name, field as Field] as const),
  ),
)

/**
 * Reads traits (Segment) or profile properties (神策). What has a field goes there, phones and e-mails become
 * identifiers, everything else is the brand's own, without personal data.
 */
export function readTraits(traits: Record<string, unknown>, index: BlindIndex): Traits {
  const identifiers: Spoken[] = []
  const set: ToldPerson['set'] = {}
  const rest: Record<string, unknown> = {}
  const take = (given: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(given)) {
      if (value === null || value === undefined || value === '') continue
      const field = FIELDS.get(plainName(key))
      if (field !== undefined && typeof value !== 'object') takeField(field, value, { set, identifiers })
      else if (plainName(key) === 'address' && isObject(value)) take(value)
      else rest[key] = value
    }
  }
  take(traits)
  const names = ['firstName', 'lastName'].map((key) => traits[key]).filter((part) => typeof part === 'string')
  if (set.name === undefined && names.length > 0) set.name = joinedName(names)
  delete rest['firstName']
  delete rest['lastName']
  const { properties, found, flags, size } = flatten(rest, index)
  return { set, custom: properties, identifiers: [...identifiers, ...found], flags, size }
}

function takeField(
  field: Field,
  value: unknown,
  { set, identifiers }: { set: ToldPerson['set']; identifiers: Spoken[] },
): void {
  const text = String(value).trim().slice(0, 500)
  switch (field) {
    case 'phone':
    case 'email':
    case 'unionid':
      identifiers.push({ kind: field, value: text })
      return
    case 'gender': {
      const gender = findWord(genders, text)
      if (gender === 'male' || gender === 'female') set.gender = gender
      return
    }
    case 'birthday': {
      const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
      if (day !== undefined) set.birthday = day
      return
    }
    case 'joined': {
      const at = timeOf(value)
      if (at) set.joinedAt = at
      return
    }
    default:
      set[field] = text
  }
}

/** Chinese names are written without a blank, family name first. */
function joinedName([first = '', last = '']: string[]): string {
  return /\p{Script=Han}/u.test(first + last) ? `${last}${first}` : `${first} ${last}`.trim()
}

/** An instant written as ISO text, or as seconds or milliseconds of the epoch; undefined for anything else. */
export function timeOf(value: unknown): Date | undefined {
  if (typeof value === 'number' && Number.isFinite(value))
    return instantOf(value < 1e11 ? value * 1000 : value)
  if (typeof value !== 'string' || value === '') return undefined
  return /^\d{10,13}$/.test(value) ? timeOf(Number(value)) : instantOf(Date.parse(value))
}

const LAST_MS = 8.64e15

/** The instant of so many ms since 1970; undefined where there is none. */
export function instantOf(ms: number): Date | undefined {
  return Number.isFinite(ms) && Math.abs(ms) <= LAST_MS ? instant(ms) : undefined
}
