/** Enrolments follow their persons through merges and back. */
import type { Tx } from '../platform/postgres/database.ts'
import { moveEnrolments, moveEnrolmentsBack } from './merge-store.ts'

/** Follows merges of persons, so that an undo is exact. */
export const journeyFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number; at: Date }): Promise<void> {
    await moveEnrolments(tx, merge.mergeId, merge.kept, merge.absorbed, merge.at)
  },
  async split(tx: Tx, merge: { mergeId: string; at: Date }): Promise<void> {
    await moveEnrolmentsBack(tx, merge.mergeId, merge.at)
  },
}
