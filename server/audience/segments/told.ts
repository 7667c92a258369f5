/**
 * What the log is told of who moved, and by how much segments grew.
 *
 * What an event or time brings may start something: it has an entry for each segment. What definitions bring starts
 * nothing and concerns many segments of a person at once: all of it has one entry (segments_changed).
 */
import type { NewEvent } from '../../events/events.ts'
import { idOf } from '../../platform/ids.ts'
import type { Moved } from './store.ts'

export type Cause = 'event' | 'time' | 'bulk' | 'definition' | 'merge'

export class Told {
  readonly events: NewEvent[] = []
  readonly #reading: number
  readonly #now: Date
  readonly #moved = new Map<number, Moved>()
  entered = 0
  left = 0

  constructor({ reading, now }: { reading: number; now: Date }) {
    this.#reading = reading
    this.#now = now
  }

  /** One person's; `causeOf` a segment. */
  segments(
    personId: number,
    { entered, left }: { entered: readonly number[]; left: readonly number[] },
    causeOf: (segment: number) => Cause,
  ): void {
    for (const id of left) this.#of(id).left += 1
    for (const id of entered) this.#of(id).entered += 1
    this.entered += entered.length
    this.left += left.length
    const together: Together = { entered: [], left: [] }
    this.#tell('left', personId, left, causeOf, together)
    this.#tell('entered', personId, entered, causeOf, together)
    if (together.entered.length + together.left.length === 0) return
    this.#note('segments_changed', personId, 0, { ...together, cause: 'definition' })
  }

  #tell(
    way: keyof Together,
    personId: number,
    segments: readonly number[],
    causeOf: (segment: number) => Cause,
    together: Together,
  ): void {
    for (const segmentId of segments) {
      const cause = causeOf(segmentId)
      if (cause === 'definition') together[way].push(segmentId)
      else this.#note(`segment_${way}`, personId, segmentId, { segmentId, cause })
    }
  }

  lifecycle(personId: number, change: { from: string | null; to: string; cause: Cause }): void {
    this.#note('lifecycle_changed', personId, 0, change)
  }

  /** Segments of persons who are another person's profiles now, which nobody is told of. */
  merged(segments: readonly number[]): void {
    for (const id of segments) this.#of(id).otherwise -= 1
  }

  moved(): Moved[] {
    return [...this.#moved.values()]
  }

  #of(segmentId: number): Moved {
    const known = this.#moved.get(segmentId) ?? { segmentId, entered: 0, left: 0, otherwise: 0 }
    this.#moved.set(segmentId, known)
    return known
  }

  #note(type: NewEvent['type'], personId: number, id: number, data: NewEvent['data']): void {
    this.events.push({
      id: idOf(type, personId, id, this.#reading),
      type,
      // The person's id is the smallest of its profiles' ids.
      profileId: personId,
      personId,
      at: this.#now,
      data,
    })
  }
}

type Together = { entered: number[]; left: number[] }
