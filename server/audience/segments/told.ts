/**
 * What the log is told of who moved, and by how much segments grew: all that a person entered and left by one cause has one
 * entry (segments_changed), since what is written there is read by every consumer.
 */
import type { NewEvent } from '../../events/events.ts'
import { idOf } from '../../platform/ids.ts'
import type { Moved } from './store.ts'

export type Cause = 'event' | 'time' | 'bulk' | 'definition' | 'merge'

/** In the order in which a person's entries are written; the place stands in their ids. */
const CAUSES: readonly Cause[] = ['definition', 'event', 'time', 'bulk', 'merge']

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
    const moves = new Map<Cause, { entered: number[]; left: number[] }>()
    const of = (id: number): { entered: number[]; left: number[] } => {
      const cause = causeOf(id)
      const known = moves.get(cause) ?? { entered: [], left: [] }
      moves.set(cause, known)
      return known
    }
    for (const id of left) of(id).left.push(id)
    for (const id of entered) of(id).entered.push(id)
    for (const [place, cause] of CAUSES.entries()) {
      const moved = moves.get(cause)
      if (moved) this.#note('segments_changed', personId, place, { ...moved, cause })
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
