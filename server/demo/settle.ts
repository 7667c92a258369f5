/**
 * Between written and living: once everybody is evaluated, the cut points of RFM are published over the whole base, and
 * a small segment of the sleepers who spent most gets a SOP that takes in who is there already, so that every guide has
 * a handful of tasks from the beginning. Each step is found done when it is taken again.
 */
import { createSegment, listSegments, publishCutPoints } from '../audience/audience.ts'
import { hasCaughtUp, PROJECT, REACT } from '../events/events.ts'
import { createJourney, goLive } from '../journeys/journeys.ts'
import { brand } from '../org/org.ts'
import { idOf } from '../platform/ids.ts'
import type { LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { type Candidate, offer, saveContent } from '../reach/reach.ts'
import { wakeSegment } from './definitions.ts'
import {
  activeReachable,
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
const DAY_MS = 86_400_000
/** Members for each guide who get the announcement. */
const WECOM_EACH = 8
const SMS_EACH = 2
const BODY = '本周六会员日，老会员到店专享 85 折，新一季款式已经上架，欢迎来店里看看。'

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
    await invite(tx, demo, { now, guides: (await demoGuides(tx)).length })
    await noteLife(tx, now)
    return moveState(tx, ['settling'], 'living')
  })
}

/**
 * One message to the active members who are most worth it, by WeCom to those who follow a guide and by SMS to others:
 * guides have something to press send on from the first hour, and the arbiter has something to decide.
 */
async function invite(
  tx: Tx,
  { seed }: DemoBrand,
  { now, guides }: { now: Date; guides: number },
): Promise<void> {
  const expiresAt = instant(now.getTime() + 3 * DAY_MS)
  for (const [channel, each] of [
    ['wecom', WECOM_EACH],
    ['sms', SMS_EACH],
  ] as const) {
    const contentId = idOf('demo-content', seed, channel, now.getTime())
    await saveContent(
      tx,
      { id: contentId, name: '会员日预告', channel, kind: 'activity', body: BODY, demo: true },
      now,
    )
    const persons = await activeReachable(tx, channel, guides * each)
    const candidates = persons.map(
      ({ personId, spentCents }): Candidate => ({
        id: idOf('demo-invite', contentId, personId),
        personId,
        channel,
        class: 'marketing',
        contentId,
        facts: {},
        score: spentCents / 100_000,
        notBefore: now,
        expiresAt,
        costCents: null,
      }),
    )
    for (let at = 0; at < candidates.length; at += 1000) await offer(tx, candidates.slice(at, at + 1000), now)
  }
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
