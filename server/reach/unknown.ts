/** What nobody can know is listed, and settled by a person who found out. */
import type { ChannelName } from '../../contract/reach.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import * as outbox from './outbox/store.ts'
import { tell, touchEvent } from './touch-events.ts'

export type UnknownHandover = {
  id: string
  channel: ChannelName
  /** Name of the member of staff. */
  sender: string | null
  triedAt: string
  touches: number
  text: string
}

/** Hand-overs of which nobody can say whether they reached anybody, the latest first, as far as the viewer may see them. */
export async function listUnknown(
  db: Db,
  viewer: { all: boolean; storeIds: readonly string[]; maySeePersonal: boolean },
): Promise<UnknownHandover[]> {
  const rows = await outbox.unknownOutboxes(db, {
    personal: viewer.maySeePersonal,
    storeIds: viewer.all ? null : viewer.storeIds,
  })
  return rows.map(({ triedAt, ...row }) => ({ ...row, triedAt: triedAt.toISOString() }))
}

/**
 * A person found out. `reached`: the touches count as delivered; otherwise they have failed and count no more.
 * Nothing is sent again by this. Errors: `not_found`.
 */
export async function settleKnown(
  tx: Tx,
  outboxId: string,
  how: { reached: boolean; now: Date },
): Promise<void> {
  const touches = await outbox.touchesOf(tx, [outboxId])
  if (!(await outbox.setKnown(tx, outboxId, how.reached)))
    throw new Problem('not_found', 'no such unknown hand-over')
  const ids = touches.map((one) => one.id)
  const reason = how.reached ? null : 'not_sent'
  await outbox.endTouches(tx, ids, { state: how.reached ? 'delivered' : 'failed', reason, at: how.now })
  if (!how.reached) await outbox.releaseLedger(tx, ids)
  const told = how.reached
    ? ({ type: 'touch_delivered' } as const)
    : ({ type: 'touch_failed', reason: 'not_sent' } as const)
  await tell(
    tx,
    touches.map((touch) => touchEvent(touch, told, how.now, `known ${outboxId}`)),
    how.now,
  )
}
