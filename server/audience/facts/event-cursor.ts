/** The events of one person after the other, out of columns, in objects that are used again. */
import type { EventType } from '../../../contract/events.ts'
import type { EventColumns } from '../../events/events.ts'
import { compareUuids } from '../../platform/clickhouse/native.ts'
import type { FactNeeds } from '../rule/fact-needs.ts'
import type { PersonEvent } from './person-facts.ts'

type Held = { -readonly [Name in Exclude<keyof PersonEvent, 'texts' | 'numbers'>]: PersonEvent[Name] } & {
  row: number
  readonly texts: Record<string, string>
  /** A property that was not told stands here without a value. */
  readonly numbers: Record<string, number | undefined>
}

export class EventCursor {
  /** Those of the present person, ascending by (at, id). Whatever holds one of them sees it change. */
  readonly own: PersonEvent[] = []
  readonly #held: Held[] = []
  readonly #rows: number
  readonly #persons: ArrayLike<number>
  readonly #moments: ArrayLike<number>
  readonly #ids: Uint32Array
  readonly #types: readonly string[]
  readonly #details: readonly string[]
  readonly #fields: readonly (readonly ['channel' | 'store' | 'subject', readonly string[]])[]
  readonly #texts: readonly (readonly [string, readonly string[]])[]
  readonly #numbers: readonly (readonly [string, ArrayLike<number>])[]
  #place = 0

  /** Without columns nobody has any. */
  constructor(columns: EventColumns | undefined, { event, texts, numbers }: FactNeeds) {
    this.#rows = columns?.rows ?? 0
    this.#persons = columns?.numbers('person') ?? []
    this.#moments = columns?.numbers('moment') ?? []
    this.#ids = columns?.words('id') ?? new Uint32Array(0)
    this.#types = columns?.texts('what') ?? []
    this.#details = columns?.texts('told') ?? []
    this.#fields = columns ? event.map((field) => [field, columns.texts(`f_${field}`)] as const) : []
    this.#texts = columns ? texts.map((name, place) => [name, columns.texts(`t${place}`)] as const) : []
    this.#numbers = columns ? numbers.map((name, place) => [name, columns.numbers(`n${place}`)] as const) : []
  }

  /** Persons ascend from call to call. */
  moveTo(person: number): void {
    while (this.#place < this.#rows && (this.#persons[this.#place] ?? 0) < person) this.#place += 1
    let count = 0
    let tied = false
    for (; this.#place < this.#rows && this.#persons[this.#place] === person; this.#place += 1) {
      const held = this.#fill(count, this.#place)
      tied ||= count > 0 && this.own[count - 1]?.at === held.at
      this.own[count] = held as PersonEvent
      count += 1
    }
    this.own.length = count
    if (tied) this.own.sort(this.#inOrder)
  }

  readonly #inOrder = (left: PersonEvent, right: PersonEvent): number =>
    left.at - right.at || compareUuids(this.#ids, rowOf(left), this.#ids, rowOf(right))

  #fill(place: number, row: number): Held {
    const held = this.#held[place] ?? this.#another()
    held.row = row
    held.at = this.#moments[row] ?? 0
    held.type = (this.#types[row] ?? '') as EventType
    held.detail = this.#details[row] ?? ''
    for (const [field, values] of this.#fields) held[field] = values[row] ?? ''
    for (const [name, values] of this.#texts) held.texts[name] = values[row] ?? ''
    for (const [name, values] of this.#numbers) {
      const value = values[row] ?? Number.NaN
      held.numbers[name] = Number.isNaN(value) ? undefined : value
    }
    return held
  }

  #another(): Held {
    const held: Held = {
      row: 0,
      at: 0,
      id: '',
      type: 'tracked',
      detail: '',
      channel: '',
      store: '',
      subject: '',
      texts: Object.create(null) as Record<string, string>,
      numbers: Object.create(null) as Record<string, number | undefined>,
    }
    this.#held.push(held)
    return held
  }
}

const rowOf = (event: PersonEvent): number => (event as unknown as Held).row
