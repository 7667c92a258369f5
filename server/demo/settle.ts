/**
 * Between written and living: once everybody is evaluated, the cut points of RFM are published over the whole base, and
 * a small segment of the sleepers who spent most gets a SOP that takes in who is there already, so that every guide has
 * a handful of tasks from the beginning. Each step is found done when it is taken again.
 */
import { createSegment, listSegments, publishCutPoints } from '../audience/audience.ts'
import { hasCaughtUp, PROJECT, REACT } from '../events/events.ts'
import { createJourney, goLive } from '../journeys/journeys.ts'
import { brand } from '../org/org.ts'
import type { LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { wakeSegment } from './definitions.ts'
import {
  countDemo,
  countWaiting,
  type DemoBrand,
  demoGuides,
  lockDemo,
  moveState,
  noteLife,
  noteWake,
  sleeperSpend,
} from './store.ts'

/** Sleepers for each guide; some are held out, some have no guide. */
const EACH = 5
const NAME = '本周重点唤醒 SOP'

/** One step; true when the brand lives now. */
export async function settleOnce(
  db: Database,
  demo: DemoBrand,
  { token, now }: { token: LeaseToken; now: Date },
): Promise<boolean> {
  if (demo.wakeSegmentId === null) {
    if (!(await isEvaluated(db))) return false
    await publishCutPoints(db, { token, now, zone: (await brand(db)).zone, always: true })
    const guides = (await demoGuides(db)).length
    const { sleepers } = await countDemo(db)
    const cents = await sleeperSpend(db, Math.min(guides * EACH, Math.floor(sleepers / 3)))
    await db.transaction(async (tx) => {
      if (await stillSettling(tx)) {
        const fields = { ...wakeSegment(roundedDown(cents ?? 0)), demo: true }
        const segment = await createSegment(tx, fields, { by: null, at: now })
        await noteWake(tx, segment.id, null)
      }
    })
    return false
  }
  const segmentId = demo.wakeSegmentId
  const [segment] = await listSegments(db, { id: segmentId, since: now })
  if (segment?.state !== 'live' || !(await isEvaluated(db))) return false
  return db.transaction(async (tx) => {
    if (!(await stillSettling(tx))) return false
    const wanted = { template: 'wake_sleeping' as const, name: NAME, segmentId, texts: {} }
    const id = await createJourney(tx, { ...wanted, enterPresent: true, by: null, demo: true }, now)
    await goLive(tx, id, 1, null, now)
    await noteWake(tx, segmentId, id)
    await noteLife(tx, now)
    return moveState(tx, ['settling'], 'living')
  })
}

async function stillSettling(tx: Tx): Promise<boolean> {
  return (await lockDemo(tx))?.state === 'settling'
}

/** Everybody has an answer, and nothing that was written waits to be read. */
async function isEvaluated(db: Database): Promise<boolean> {
  if (!(await hasCaughtUp(db, REACT)) || !(await hasCaughtUp(db, PROJECT))) return false
  return (await countWaiting(db)) === 0
}

/** To whole hundreds of yuan: what an operator would have typed. */
function roundedDown(cents: number): number {
  return Math.floor(cents / 10_000) * 10_000
}
