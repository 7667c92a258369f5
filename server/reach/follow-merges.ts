/** Follows merges of persons: their touches, what counts against caps, and holdouts move; the undo moves exactly that back. */
import type { Tx } from '../platform/postgres/database.ts'
import { mergeRows, splitRows } from './merge-store.ts'

/**
 * A person held out by either side stays held out: whoever was never to be reached must not be reached because of a
 * merge. Caps count what both have received; more than the cap may then have happened, and nothing more goes out.
 */
export const reachFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number }): Promise<void> {
    await mergeRows(tx, merge)
  },
  async split(tx: Tx, merge: { mergeId: string }): Promise<void> {
    await splitRows(tx, merge.mergeId)
  },
}
