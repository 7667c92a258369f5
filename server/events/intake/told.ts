/** What the doors make of what they are sent: the same form whatever protocol it came in. Values are in clear until `write`. */
import type { TrackedProperties } from '../../../contract/events.ts'
import type { RefusedReason } from '../../../contract/intake.ts'
import { jsonText } from '../../platform/postgres/json.ts'
import type { PersonStatement } from '../import/ports.ts'

/** `user`: whatever the source's user ids are (`EventSource.userIdKind`). `distinct`: a user id where it is known, else a device. */
export type SpokenKind = 'user' | 'device' | 'distinct' | PersonStatement['identifiers'][number]['kind']
export type Spoken = { kind: SpokenKind; value: string; scope?: string; hint?: boolean }

type Common = {
  /** A UUID: the same for the same message, however often it is sent. */
  id: string
  /** When it happened. */
  at: Date
  who: readonly Spoken[]
}

export type ToldEvent = Common &
  (
    | { kind: 'tracked'; name: string; properties: TrackedProperties }
    | { kind: 'page'; page: string; properties: TrackedProperties }
  )

/** What a source says of a person, beside who it is. `once`: only where nothing is known yet. `append`: into a list. */
export type ToldPerson = Common & {
  kind: 'person'
  set: Omit<NonNullable<PersonStatement['attributes']>, 'custom'>
  custom: Record<string, string | number | boolean>
  once: Record<string, string | number | boolean>
  add: Record<string, number>
  append: Record<string, string[]>
  /** Names of custom attributes; '*' for all of them. */
  unset: string[]
}

/** A thing that events are about: a product, an article. Null properties: it is gone. */
export type ToldItem = Omit<Common, 'who'> & {
  kind: 'item'
  itemType: string
  itemId: string
  properties: TrackedProperties | null
}

export type Told = ToldEvent | ToldPerson | ToldItem

/** An event as it waits for the writer: its data is text already, since what waits shall be small and few objects. */
export type WaitingEvent = Common & { kind: 'event'; type: 'tracked' | 'page_viewed'; json: string }
export type Waiting = WaitingEvent | ToldPerson | ToldItem

/** What was told, as it waits. */
export function waitingOf(told: Told): Waiting {
  if (told.kind === 'person' || told.kind === 'item') return told
  const { id, at, who, properties } = told
  return told.kind === 'tracked'
    ? { kind: 'event', id, at, who, type: 'tracked', json: jsonText({ name: told.name, properties }) }
    : {
        kind: 'event',
        id,
        at,
        who,
        type: 'page_viewed',
        json: jsonText({ page: told.page, dwellSeconds: dwellOf(properties), properties }),
      }
}

/** 神策 tells how long a page was looked at as `event_duration`, in seconds. */
function dwellOf(properties: TrackedProperties): number | null {
  const seconds = properties['event_duration'] ?? properties['$event_duration']
  return typeof seconds === 'number' ? seconds : null
}

/** `index` counts the records of the request from 0. */
export type RefusedRecord = { index: number; reason: RefusedReason; name: string | null }

export type Parsed = { told: Told[]; refused: RefusedRecord[]; flags: Flag[] }

/** Something of a record that was taken, but not as it came. */
export type Flag = { event: string; property: string; flag: 'cut' | 'left_out' | 'hidden' }

const YEARS_BACK = 5
const MINUTES_AHEAD = 10
const DAY_MS = 86_400_000

/** Whether an event of `at` is taken at `now`: at most five years late and ten minutes ahead. */
export function refusedTime(at: Date, now: Date): 'bad_time' | 'too_old' | 'in_the_future' | undefined {
  const ms = at.getTime()
  if (Number.isNaN(ms)) return 'bad_time'
  if (ms > now.getTime() + MINUTES_AHEAD * 60_000) return 'in_the_future'
  return ms < now.getTime() - YEARS_BACK * 365.25 * DAY_MS ? 'too_old' : undefined
}
