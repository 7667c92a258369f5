/** Enrolments follow their persons through merges and back, and end with who is erased. */
import { append } from '../events/events.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { leftEvent } from './farewell.ts'
import { endStaysOf, moveEnrolments, moveEnrolmentsBack, wakeStaysOf } from './merge-store.ts'

/** Follows merges of persons, so that an undo is exact. */
export const journeyFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number; at: Date }): Promise<void> {
    await moveEnrolments(tx, merge.mergeId, merge.kept, merge.absorbed, merge.at)
  },
  async split(tx: Tx, merge: { mergeId: string; at: Date }): Promise<void> {
    await moveEnrolmentsBack(tx, merge.mergeId, merge.at)
  },
  /** Whoever went with an import that was undone. */
  async removed(tx: Tx, { persons, at }: { persons: readonly number[]; at: Date }): Promise<void> {
    await wakeStaysOf(tx, persons, at)
  },
  async erased(tx: Tx, { persons, at }: { persons: readonly number[]; at: Date }): Promise<void> {
    const ended = await endStaysOf(tx, persons, at)
    const events = ended.map((stay) => leftEvent(stay, 'erased', at))
    await append(tx, events, { lane: 'live', source: 'journeys', receivedAt: at })
  },
}
