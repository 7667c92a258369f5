/**
 * What came, for the tracking plan: every event and property by the type it came with, how often, since when, and one
 * sample. Counted in memory and written every second, so that intake does not wait for it; a process that is killed
 * takes its last second with it.
 */
import type { PropertyType } from '../../../contract/intake.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { EventNote, NotesTaken, PropertyNote, RefusedNote } from './note.ts'
import { addNotes } from './store-plan.ts'
import type { Flag, Parsed, RefusedRecord, Told } from './told.ts'

/** What exceeds these is counted together under this name: names can be made up without end. */
export const OTHERS = '…'
const MOST_EVENTS = 2000
const MOST_PROPERTIES_OF_ONE = 200
const LONGEST_SAMPLE = 100
const EVERY_MS = 1000

export type Notes = ReturnType<typeof openNotes>

/** Counts of what the doors see, written every second. `onError` hears of what could not be written; it is tried again. */
export function openNotes(db: Database, onError: (error: unknown) => void, everyMs = EVERY_MS) {
  let taken = new Taken()
  let writing: Promise<void> | undefined
  /** Names known to this process, to bound them. */
  const names = new Map<string, Set<string>>()

  /** The name, or `OTHERS` where there are too many under `key`. */
  function within(key: string, name: string, most: number): string {
    const known = names.get(key) ?? new Set()
    names.set(key, known)
    if (known.has(name)) return name
    if (known.size >= most) return OTHERS
    known.add(name)
    return name
  }

  function eventOf(source: string, name: string, at: Date): SeenEvent {
    return taken.event(source, name) ?? taken.addEvent(source, within(source, name, MOST_EVENTS), at)
  }

  async function flush(): Promise<void> {
    if (taken.isEmpty()) return
    const batch = taken.all()
    taken = new Taken()
    try {
      await addNotes(db, batch)
    } catch (error) {
      onError(error)
      taken.putBack(batch)
    }
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
        const seen = eventOf(source, nameOf(one), at)
        seen.note.count += 1
        seen.note.lastAt = at
        if (!('properties' in one) || one.properties === null) continue
        for (const name in one.properties) {
          const value = one.properties[name] as string | number | boolean
          const type = typeOf(value)
          const notes =
            seen.properties.get(name) ??
            seen.ofProperty(within(`${source}\n${seen.note.name}`, name, MOST_PROPERTIES_OF_ONE))
          const known =
            notes.find((note) => note.type === type) ?? seen.addProperty(notes, { name, type, value, at })
          known.count += 1
          known.lastAt = at
        }
      }
      for (const { event, flag } of flags) eventOf(source, event, at).note[FLAG[flag]] += 1
    },
    refused(source: string, records: readonly RefusedRecord[], at: Date): void {
      const day = instant(Math.floor(at.getTime() / DAY_MS) * DAY_MS)
      for (const { reason, name } of records) {
        const shown = name === null ? '' : within(source, name, MOST_EVENTS)
        taken.addRefused({ source, day, reason, name: shown, lastAt: at, count: 1 })
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
const FLAG = { cut: 'cut', left_out: 'leftOut', hidden: 'hidden' } as const satisfies Record<
  Flag['flag'],
  keyof EventNote
>

/** An event and its properties, each with a note for every type that it came with. */
class SeenEvent {
  readonly note: EventNote
  readonly properties = new Map<string, PropertyNote[]>()

  constructor(source: string, name: string, at: Date) {
    this.note = { source, name, firstAt: at, lastAt: at, count: 0, cut: 0, leftOut: 0, hidden: 0 }
  }

  ofProperty(name: string): PropertyNote[] {
    const notes = this.properties.get(name) ?? []
    this.properties.set(name, notes)
    return notes
  }

  addProperty(
    notes: PropertyNote[],
    {
      name,
      type,
      value,
      at,
    }: { name: string; type: PropertyType; value: string | number | boolean; at: Date },
  ): PropertyNote {
    const { source, name: event } = this.note
    const property = this.properties.get(name) === notes ? name : OTHERS
    const sample = String(value).slice(0, LONGEST_SAMPLE)
    const note = { source, event, property, type, firstAt: at, lastAt: at, count: 0, sample }
    notes.push(note)
    return note
  }
}

/** What was noted since it was last written. */
class Taken {
  readonly #events = new Map<string, Map<string, SeenEvent>>()
  readonly #refused = new Map<string, RefusedNote>()

  event(source: string, name: string): SeenEvent | undefined {
    return this.#events.get(source)?.get(name)
  }

  addEvent(source: string, name: string, at: Date): SeenEvent {
    const own = this.#events.get(source) ?? new Map<string, SeenEvent>()
    this.#events.set(source, own)
    const seen = own.get(name) ?? new SeenEvent(source, name, at)
    own.set(name, seen)
    return seen
  }

  addRefused(note: RefusedNote): void {
    const key = `${note.source}\n${note.day.getTime()}\n${note.reason}\n${note.name}`
    const known = this.#refused.get(key)
    if (known) join(known, note)
    else this.#refused.set(key, note)
  }

  isEmpty(): boolean {
    return this.#events.size === 0 && this.#refused.size === 0
  }

  all(): NotesTaken {
    const events = [...this.#events.values()].flatMap((own) => [...own.values()])
    return {
      events: events.map(({ note }) => note),
      properties: events.flatMap(({ properties }) => [...properties.values()].flat()),
      refused: [...this.#refused.values()],
    }
  }

  /** What could not be written comes to what was noted meanwhile. */
  putBack({ events, properties, refused }: NotesTaken): void {
    for (const note of events) {
      const { note: own } = this.addEvent(note.source, note.name, note.firstAt)
      join(own, note)
      for (const flag of ['cut', 'leftOut', 'hidden'] as const) own[flag] += note[flag]
    }
    for (const note of properties) {
      const notes = this.addEvent(note.source, note.event, note.firstAt).ofProperty(note.property)
      const known = notes.find(({ type }) => type === note.type)
      if (known) join(known, note)
      else notes.push(note)
    }
    for (const note of refused) this.addRefused(note)
  }
}

type Countable = { count: number; lastAt: Date; firstAt?: Date }

function join(known: Countable, note: Countable): void {
  known.count += note.count
  if (note.lastAt > known.lastAt) known.lastAt = note.lastAt
  if (note.firstAt && known.firstAt && note.firstAt < known.firstAt) known.firstAt = note.firstAt
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

const DASH = 45
const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|$)/

function typeOf(value: string | number | boolean): PropertyType {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  return value.length >= 10 && value.charCodeAt(4) === DASH && TIME.test(value) ? 'time' : 'text'
}
