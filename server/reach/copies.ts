/** Texts that guides copy: what came of the task is what came of the touch. */
import type { Tx } from '../platform/postgres/database.ts'
import * as outbox from './outbox/store.ts'
import { tell, touchEvent } from './touch-events.ts'

/** What a guide may report. */
export type CopyOutcome = 'sent' | 'not_sent'

/**
 * The task of a touch that was asked of a guide is done, or will not be. Returns false where the touch waits for no
 * such answer (a repeat, or another kind of task): nothing changes then.
 */
export async function copyDone(
  tx: Tx,
  touchId: string,
  how: { outcome: CopyOutcome; at: Date; now: Date },
): Promise<boolean> {
  const touch = await outbox.lockTouch(tx, touchId)
  if (touch?.state !== 'asked') return false
  if (how.outcome === 'sent') {
    await outbox.dateLedger(tx, [touch.id], how.at)
    await outbox.endTouches(tx, [touch.id], { state: 'delivered', reason: null, at: how.at })
    await tell(
      tx,
      [
        touchEvent(touch, { type: 'touch_sent', costCents: touch.costCents }, how.at, 'copied'),
        touchEvent(touch, { type: 'touch_delivered' }, how.at, 'copied'),
      ],
      how.now,
    )
    return true
  }
  await outbox.endTouches(tx, [touch.id], { state: 'expired', reason: 'not_copied', at: how.at })
  await outbox.releaseLedger(tx, [touch.id])
  await tell(
    tx,
    [touchEvent(touch, { type: 'touch_expired', reason: 'not_copied' }, how.at, 'copied')],
    how.now,
  )
  return true
}
