/**
 * Taking back what a SOP that was paused or has ended still wants to say.
 *
 * Stored: `journey.withdrawing`, set by the transaction that stops the SOP and cleared by the one that finds nothing left.
 * Always true: at most 1,000 touches in one transaction, each with its stay, so that whatever dies when, a message either
 * still waits or is withdrawn and will be offered anew; what is left is taken back by whoever comes next. A SOP that goes
 * on meanwhile keeps the messages that were not reached.
 */
import { crashPoint } from '../platform/crash.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { withdrawSome } from '../reach/reach.ts'
import { askAnew } from './enrolment-store.ts'
import { claimWithdrawing, lockWithdrawing, setWithdrawn, type Withdrawing } from './journey-store.ts'

const BATCH = 1000

/** Takes back the messages of a SOP in transactions of their own, until none is left or it goes on. */
export async function withdrawAll(db: Database, journeyId: string, now: Date): Promise<void> {
  let more = true
  while (more) {
    more = await db.transaction(async (tx) => {
      const journey = await lockWithdrawing(tx, journeyId)
      return journey ? withdrawBatch(tx, journey, now) : false
    })
    crashPoint('journeys.withdrawn')
  }
}

/** One batch of whichever SOP was left in the middle of it; how many SOPs were looked at, 0 or 1. Errors: `LeaseLost`. */
export async function withdrawOnce(db: Database, how: { token: LeaseToken; now: Date }): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const journey = await claimWithdrawing(tx)
    if (!journey) return 0
    await withdrawBatch(tx, journey, how.now)
    return 1
  })
}

/** At most 1,000 messages of a SOP whose row is locked; true where there may be more. */
export async function withdrawBatch(tx: Tx, { id, state }: Withdrawing, now: Date): Promise<boolean> {
  const { touchIds, more } = await withdrawSome(tx, { journeyId: id, reason: state }, now, BATCH)
  if (!more) await setWithdrawn(tx, id)
  else if (state === 'paused') await askAnew(tx, { touchIds }, now)
  return more
}
