/** Follows merges of persons: their touches, what counts against caps, and holdouts move; the undo moves exactly that back. */
import { channelNames } from '../../contract/reach.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { forgetTexts, mergeRows, splitRows, waitingTouchIds } from './merge-store.ts'
import { consentWithdrawn, withdraw } from './outbox/close.ts'

/**
 * A person held out by either side stays held out: whoever was never to be reached must not be reached because of a
 * merge. Caps count what both have received; more than the cap may then have happened, and nothing more goes out.
 * Implements the port of members.
 */
export const reachFollower = {
  name: 'reach',
  async merged(
    tx: Tx,
    merges: readonly { mergeId: string; kept: number; absorbed: number }[],
  ): Promise<void> {
    for (const merge of merges) await mergeRows(tx, merge)
  },
  async split(tx: Tx, splits: readonly { mergeId: string }[]): Promise<void> {
    for (const { mergeId } of splits) await splitRows(tx, mergeId)
  },
  /** An import was undone: whoever is gone is not reached any more. */
  async removed(tx: Tx, removed: { persons: readonly number[]; at: Date }): Promise<void> {
    const touchIds = await waitingTouchIds(tx, removed.persons)
    await withdraw(tx, { touchIds, reason: 'person_gone' }, removed.at)
  },
  /** Somebody was erased: what waits is dropped, open mass messages are made again without them, texts to them go. */
  async erased(tx: Tx, { persons, at }: { persons: readonly number[]; at: Date }): Promise<void> {
    const touchIds = await waitingTouchIds(tx, persons)
    await withdraw(tx, { touchIds, reason: 'person_gone' }, at)
    for (const channel of channelNames) await consentWithdrawn(tx, persons, channel, at)
    await forgetTexts(tx, persons)
  },
}
