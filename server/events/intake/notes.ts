/**
 * What came, for the tracking plan: every event and property by the type it came with, how often, since when, and one
 * sample. Counted in memory and written every second, so that intake does not wait for it; a process that is killed
 * takes its last second with it.
 */
import type { PropertyType, RefusedReason } from '../../../contract/intake.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { addNotes } from './store-plan.ts'
import type { Flag, Parsed, RefusedRecord, Told } from './told.ts'

export type EventNote = {
  source: string
  name: string
  firstAt: Date
  lastAt: Date
  count: number
  cut: number
  leftOut: number
  hidden: number
}
export type PropertyNote = {
  source: string
  event: string
  property: string
  type: PropertyType
  firstAt: Date
  lastAt: Date
  count: number
  sample: string
}
export type RefusedNote = {
  source: string
  day: Date
  reason: RefusedReason
  name: string
  lastAt: Date
  count: number
}
export type NotesTaken = { events: EventNote[]; properties: PropertyNote[]; refused: RefusedNote[] }

/** What exceeds these is counted together under this name: names can be made up without end. */
export const OTHERS = '…'
const MOST_EVENTS = 2000
const MOST_PROPERTIES_OF_ONE = 200
const LONGEST_SAMPLE = 100
const EVERY_MS = 1000

export type Notes = ReturnType<typeof openNotes>

/** Counts of what the doors see, written every second. `onError` hears of what could not be written; it is tried again. */
export function openNotes(db: Database, onError: (error: unknown) => void, everyMs = EVERY_MS) {
  let taken = empty()
  let writing: Promise<void> | undefined
  /** Names known to this process, to bound them. */
  const names = new Map<string, Set<string>>()

  function nameWithin(source: string, event: string, property?: string): string {
    const key = property === undefined ? source : `${source}\n${event}`
    const known = names.get(key) ?? new Set()
    names.set(key, known)
    const name = property ?? event
    if (known.has(name)) return name
    if (known.size >= (property === undefined ? MOST_EVENTS : MOST_PROPERTIES_OF_ONE)) return OTHERS
    known.add(name)
    return name
  }

  async function flush(): Promise<void> {
    const { events, properties, refused } = taken
    if (events.size + properties.size + refused.size === 0) return
    taken = empty()
    const batch = {
      events: [...events.values()],
      properties: [...properties.values()],
      refused: [...refused.values()],
    }
    try {
      await addNotes(db, batch)
    } catch (error) {
      onError(error)
      putBack(batch)
    }
  }

  function putBack({ events, properties, refused }: NotesTaken): void {
    for (const one of events) add(taken.events, `${one.source}\n${one.name}`, one)
    for (const one of properties)
      add(taken.properties, `${one.source}\n${one.event}\n${one.property}\n${one.type}`, one)
    for (const one of refused)
      add(taken.refused, `${one.source}\n${one.day.getTime()}\n${one.reason}\n${one.name}`, one)
  }

  const timer = setInterval(() => {
    writing ??= flush().finally(() => {
      writing = undefined
    })
  }, everyMs)
  timer.unref()

  return {
    saw(source: string, { told, flags }: Pick<Parsed, 'told' | 'flags'>, at: Date): void {
      for (const one of told) {
        const event = nameWithin(source, nameOf(one))
        add(taken.events, `${source}\n${event}`, {
          source,
          name: event,
          firstAt: at,
          lastAt: at,
          count: 1,
          ...noFlags,
        })
        if (!('properties' in one) || one.properties === null) continue
        for (const name of Object.keys(one.properties)) {
          const value = one.properties[name]
          if (value === undefined) continue
          const property = nameWithin(source, event, name)
          const type = typeOf(value)
          const key = `${source}\n${event}\n${property}\n${type}`
          const known = taken.properties.get(key)
          if (known) {
            known.count += 1
            known.lastAt = at
          } else {
            const sample = String(value).slice(0, LONGEST_SAMPLE)
            taken.properties.set(key, {
              source,
              event,
              property,
              type,
              firstAt: at,
              lastAt: at,
              count: 1,
              sample,
            })
          }
        }
      }
      for (const { event, flag } of flags) {
        const known = taken.events.get(`${source}\n${nameWithin(source, event)}`)
        if (known) known[FLAG[flag]] += 1
      }
    },
    refused(source: string, records: readonly RefusedRecord[], at: Date): void {
      for (const { reason, name } of records) {
        const day = new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS)
        const shown = name === null ? '' : nameWithin(source, name)
        add(taken.refused, `${source}\n${day.getTime()}\n${reason}\n${shown}`, {
          source,
          day,
          reason,
          name: shown,
          lastAt: at,
          count: 1,
        })
      }
    },
    /** Writes what is open. */
    async flush(): Promise<void> {
      await writing
      await flush()
    },
    async close(): Promise<void> {
      clearInterval(timer)
      await writing
      await flush()
    },
  }
}

const DAY_MS = 86_400_000
const noFlags = { cut: 0, leftOut: 0, hidden: 0 }
const FLAG = { cut: 'cut', left_out: 'leftOut', hidden: 'hidden' } as const satisfies Record<
  Flag['flag'],
  keyof EventNote
>

function empty() {
  return {
    events: new Map<string, EventNote>(),
    properties: new Map<string, PropertyNote>(),
    refused: new Map<string, RefusedNote>(),
  }
}

type Countable = {
  count: number
  lastAt: Date
  firstAt?: Date
  cut?: number
  leftOut?: number
  hidden?: number
}

function add<Note extends Countable>(notes: Map<string, Note>, key: string, note: Note): void {
  const known = notes.get(key)
  if (!known) {
    notes.set(key, note)
    return
  }
  known.count += note.count
  if (note.lastAt > known.lastAt) known.lastAt = note.lastAt
  if (note.firstAt && known.firstAt && note.firstAt < known.firstAt) known.firstAt = note.firstAt
  for (const flag of ['cut', 'leftOut', 'hidden'] as const) {
    const own = known[flag]
    if (own !== undefined) known[flag] = own + (note[flag] ?? 0)
  }
}

/** How a record is called on the page of the plan. */
function nameOf(told: Told): string {
  switch (told.kind) {
    case 'tracked':
      return told.name
    case 'page':
      return 'page_viewed'
    case 'person':
      return 'identify'
    case 'item':
      return `item:${told.itemType}`
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|$)/

function typeOf(value: string | number | boolean): PropertyType {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  return TIME.test(value) ? 'time' : 'text'
}
