/** Follows merges of persons: their touches, what counts against caps, and holdouts move; the undo moves exactly that back. */
import { channelNames } from '../../contract/reach.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { forgetTexts, type MergeRow, mergeRows, splitRows, waitingTouchIds } from './merge-store.ts'
import { consentWithdrawn, withdraw } from './outbox/close.ts'

/**
 * A person held out by either side stays held out: whoever was never to be reached must not be reached because of a
 * merge. Caps count what both have received; more than the cap may then have happened, and nothing more goes out.
 * Implements the port of members.
 */
export const reachFollower = {
  name: 'reach',
  async merged(tx: Tx, merges: readonly MergeRow[]): Promise<void> {
    for (const round of inRounds(merges, ({ kept, absorbed }) => [kept, absorbed])) await mergeRows(tx, round)
  },
  async split(tx: Tx, splits: readonly { mergeId: string; kept: number; restored: number }[]): Promise<void> {
    for (const round of inRounds(splits, ({ kept, restored }) => [kept, restored])) {
      await splitRows(
        tx,
        round.map(({ mergeId }) => mergeId),
      )
    }
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

/**
 * Steps in as few rounds as can be, so that a round can be done at once and the rounds one after the other do what the
 * steps would in their order: no person stands in two steps of a round, and of two steps that share one the earlier comes
 * first.
 */
export function inRounds<Step>(
  steps: readonly Step[],
  personsOf: (step: Step) => readonly number[],
): Step[][] {
  const rounds: Step[][] = []
  const last = new Map<number, number>()
  for (const step of steps) {
    const persons = personsOf(step)
    const round = 1 + Math.max(-1, ...persons.map((person) => last.get(person) ?? -1))
    for (const person of persons) last.set(person, round)
    const together = rounds[round]
    if (together) together.push(step)
    else rounds[round] = [step]
  }
  return rounds
}
