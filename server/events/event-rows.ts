/** Reading events from ClickHouse: which types, with which details, and which of their properties. */
import type { EventType } from '../../contract/events.ts'
import type { CallOptions, ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'

export type EventRow = {
  personId: number
  profileId: number
  id: string
  at: number
  type: EventType
  bulk: boolean
  channel: string
  detail: string
  /** Tag, group or segment; 0 for none. */
  numberId: number
  /** Journey, task or merge. */
  subject: string
  store: string
  staff: string
  receivedAt: number
  /** The properties that were picked; what is absent was not told. */
  texts: Readonly<Record<string, string>>
  numbers: Readonly<Record<string, number>>
}

/** Events by type; or each type with the details that it must have (undefined: any), and properties to read with them. */
export type EventPick = 'all' | readonly EventType[] | Picked
type Picked = {
  readonly types: Types
  /** From when on, in ms since 1970; a type that is absent is read whole. */
  readonly since?: ReadonlyMap<EventType, number>
  readonly texts?: readonly string[]
  readonly numbers?: readonly string[]
}
type Types = ReadonlyMap<EventType, readonly string[] | undefined>

const NOBODY = '00000000-0000-0000-0000-000000000000'
export const named = (id: string): string => (id === NOBODY ? '' : id)
export const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`

const plainNumbers = { output_format_json_quote_64bit_integers: 0 }
export function withNumbers(options: CallOptions): CallOptions {
  return { ...options, settings: { ...plainNumbers, ...options.settings } }
}

type RawEvent = readonly [
  person: number,
  at: number,
  id: string,
  profile: number,
  placed: number,
  type: EventType,
  bulk: 0 | 1,
  channel: string,
  detail: string,
  number: number,
  subject: string,
  store: string,
  staff: string,
  received: number,
  texts: readonly string[],
  numbers: readonly (number | null)[],
]

/** In the order of their key: person, time. Properties are read only where some are picked. */
export async function* readEvents(
  clickhouse: ClickHouse,
  where: string,
  params: Params,
  pick: EventPick,
  options: CallOptions,
): AsyncGenerator<{ row: EventRow; placed: number }> {
  const { texts = [], numbers = [] } = isPicked(pick) ? pick : {}
  const only =
    pick === 'all'
      ? { text: '', params: {} }
      : ofTypes(isPicked(pick) ? pick : { types: new Map(pick.map((type) => [type, undefined])) })
  const query = `select person_id, ${ms('at')}, id, profile_id, placed, type, bulk, channel, detail, number_id, subject_id,
      store_id, staff_id, ${ms('received_at')},
      ${texts.length > 0 ? 'arrayMap(key -> texts[key], {textKeys:Array(String)})' : '[]'},
      ${numbers.length > 0 ? 'arrayMap(key -> if(mapContains(numbers, key), numbers[key], null), {numberKeys:Array(String)})' : '[]'}
    from events where ${where} ${only.text} order by person_id, events.at, id`
  const bound = {
    ...params,
    ...only.params,
    ...(texts.length > 0 ? { textKeys: texts } : {}),
    ...(numbers.length > 0 ? { numberKeys: numbers } : {}),
  }
  for await (const rows of clickhouse.stream<RawEvent>(query, bound, withNumbers(options))) {
    for (const row of rows) yield { row: eventOf(row, texts, numbers), placed: row[4] }
  }
}

function eventOf(row: RawEvent, texts: readonly string[], numbers: readonly string[]): EventRow {
  return {
    personId: row[0],
    at: row[1],
    id: row[2],
    profileId: row[3],
    type: row[5],
    bulk: row[6] === 1,
    channel: row[7],
    detail: row[8],
    numberId: row[9],
    subject: named(row[10]),
    store: named(row[11]),
    staff: named(row[12]),
    receivedAt: row[13],
    texts: told(texts, row[14], ''),
    numbers: told(numbers, row[15], null),
  }
}

const NONE = Object.freeze({})

function told<T>(
  names: readonly string[],
  values: readonly (T | null)[],
  absent: T | null,
): Readonly<Record<string, T>> {
  if (names.length === 0) return NONE
  const found: Record<string, T> = Object.create(null)
  values.forEach((value, place) => {
    if (value !== absent && value !== null) found[names[place] ?? ''] = value
  })
  return found
}

const isPicked = (pick: EventPick): pick is Picked => typeof pick === 'object' && 'types' in pick

/** Conditions over type, detail and time, after an `and`. */
function ofTypes(pick: Picked): { text: string; params: Params } {
  const { text, params } = eventConditions(pick)
  return { text: `and (${text})`, params }
}

/** Events of the types with their details, from when on they are wanted: a condition over `events` and its parameters. */
export function eventConditions({ types, since }: Pick<Picked, 'types' | 'since'>): {
  text: string
  params: Params
} {
  const params: Record<string, string | number | readonly string[]> = {}
  const parts = [...types].map(([type, details], place) => {
    params[`type${place}`] = type
    let part = `events.type = {type${place}:String}`
    if (details !== undefined) {
      params[`details${place}`] = details
      part += ` and events.detail in {details${place}:Array(String)}`
    }
    const from = since?.get(type)
    if (from !== undefined && Number.isFinite(from)) {
      params[`since${place}`] = Math.floor(from)
      part += ` and events.at >= fromUnixTimestamp64Milli({since${place}:Int64}, 'UTC')`
    }
    return `(${part})`
  })
  return { text: parts.length === 0 ? '0' : parts.join(' or '), params }
}

/** The time of the last event of the types, by the key under which its rows stand. */
export async function* lastEvents(
  clickhouse: ClickHouse,
  where: string,
  params: Params,
  types: readonly EventType[],
  options: CallOptions,
): AsyncGenerator<{ personId: number; profileId: number; placed: number; at: number }> {
  const query = `select person_id, profile_id, placed, ${ms('max(events.at)')} from events
    where ${where} and type in {types:Array(String)} group by person_id, profile_id, placed`
  type Raw = readonly [person: number, profile: number, placed: number, at: number]
  for await (const rows of clickhouse.stream<Raw>(query, { ...params, types }, withNumbers(options))) {
    for (const [personId, profileId, placed, at] of rows) yield { personId, profileId, placed, at }
  }
}
