/** Those who were in the segment before their SOP went live. */
import { crashPoint } from '../platform/crash.ts'
import { idOf } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { letIn } from './enrol.ts'
import { entrySegment } from './journey.ts'
import { claimPresent, movePresent } from './journey-store.ts'
import { answersStand, presentIn } from './person-store.ts'

const PRESENT_BATCH = 1000

/**
 * Takes in those who were in the segment before going live, 1,000 a call; how many were looked at. Waits while segments
 * are being computed: who is in one is not known before.
 */
export async function takeInPresent(db: Database, how: { token: LeaseToken; now: Date }): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const journey = await claimPresent(tx)
    if (!journey || !(await answersStand(tx))) return 0
    const start = journey.definition.nodes.find((node) => node.kind === 'trigger')
    const segment = entrySegment(journey.definition)
    const persons =
      start && segment !== null ? await presentIn(tx, segment, journey.present_after, PRESENT_BATCH) : []
    if (start) {
      const entries = persons.map((personId) => ({
        personId,
        eventId: idOf('present', journey.id),
        at: how.now,
        trigger: 'segment' as const,
        tried: null,
        bought: false,
      }))
      await letIn(tx, journey, start.id, entries, how.now)
      crashPoint('journeys.present_entered')
    }
    await movePresent(tx, journey.id, persons.length < PRESENT_BATCH ? null : (persons.at(-1) ?? null))
    return persons.length
  })
}
