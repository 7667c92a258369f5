/** The events of one person after the other, out of columns, in objects that are used again. */
import type { EventType } from '../../../contract/events.ts'
import type { EventColumns } from '../../events/events.ts'
import type { FactNeeds } from '../rule/fact-needs.ts'
import type { PersonEvent } from './person-facts.ts'

type Held = { -readonly [Name in Exclude<keyof PersonEvent, 'texts' | 'numbers'>]: PersonEvent[Name] } & {
  readonly texts: Record<string, string>
  /** A property that was not told stands here without a value. */
  readonly numbers: Record<string, number | undefined>
}

export class EventCursor {
  /** Those of the present person, ascending by (at, id). Whatever holds one of them sees it change. */
  readonly own: PersonEvent[] = []
  readonly #held: Held[] = []
  readonly #standing: Int32Array
  readonly #persons: ArrayLike<number>
  readonly #moments: ArrayLike<number>
  readonly #types: readonly string[]
  readonly #details: readonly string[]
  readonly #fields: readonly (readonly ['channel' | 'store' | 'subject', readonly string[]])[]
  readonly #texts: readonly (readonly [string, readonly string[]])[]
  readonly #numbers: readonly (readonly [string, ArrayLike<number>])[]
  #place = 0

  /** Without columns nobody has any. */
  constructor(found: EventColumns | undefined, { event, texts, numbers }: FactNeeds) {
    const columns = found?.columns
    this.#standing = found?.standing ?? new Int32Array(0)
    this.#persons = columns?.numbers('person') ?? []
    this.#moments = columns?.numbers('moment') ?? []
    this.#types = columns?.texts('what') ?? []
    this.#details = columns?.texts('told') ?? []
    this.#fields = columns ? event.map((field) => [field, columns.texts(`f_${field}`)] as const) : []
    this.#texts = columns ? texts.map((name, place) => [name, columns.texts(`t${place}`)] as const) : []
    this.#numbers = columns ? numbers.map((name, place) => [name, columns.numbers(`n${place}`)] as const) : []
  }

  /** Persons ascend from call to call. */
  moveTo(person: number): void {
    const standing = this.#standing
    while (this.#place < standing.length && this.#personAt(this.#place) < person) this.#place += 1
    let count = 0
    for (; this.#place < standing.length && this.#personAt(this.#place) === person; this.#place += 1) {
      this.own[count] = this.#fill(count, standing[this.#place] ?? 0) as PersonEvent
      count += 1
    }
    this.own.length = count
  }

  #personAt(place: number): number {
    return this.#persons[this.#standing[place] ?? 0] ?? 0
  }

  #fill(place: number, row: number): Held {
    const held = this.#held[place] ?? this.#another()
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
