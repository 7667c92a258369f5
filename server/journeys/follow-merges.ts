/** Enrolments follow their persons through merges and back, and end with who is erased. */
import { append } from '../events/events.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { withdraw } from '../reach/reach.ts'
import { cancelTasks } from '../tasks/tasks.ts'
import { askAnew } from './enrolment-store.ts'
import { leftEvent } from './farewell.ts'
import { dueWithTheUndo, endStaysOf, moveEnrolments, moveEnrolmentsBack, wakeStaysOf } from './merge-store.ts'

/** Follows merges of persons, so that an undo is exact. */
export const journeyFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number; at: Date }): Promise<void> {
    const { mergeId, kept, absorbed, at } = merge
    const setAside = await moveEnrolments(tx, mergeId, kept, absorbed, at)
    if (setAside.length === 0) return
    // The other stay of the same person says and asks the same.
    await withdraw(tx, { enrolmentIds: setAside, reason: 'merged' }, at)
    await cancelTasks(tx, { enrolmentIds: setAside }, at)
    await dueWithTheUndo(tx, mergeId, await askAnew(tx, { enrolmentIds: setAside }, at), at)
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
