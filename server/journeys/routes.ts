/** SOPs over HTTP. */
import { implement } from '@orpc/server'
import { z } from 'zod'
import { type Journey, journeysContract } from '../../contract/journeys.ts'
import { audit, brand, type Call } from '../org/org.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Database } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { addDays, dayOf, startOfDay, type Zone } from '../platform/time/zone.ts'
import { allJourneys, type JourneyRow, journeyById } from './journey-store.ts'
import {
  changeDraft,
  createJourney,
  endJourney,
  goLive,
  pauseJourney,
  resumeJourney,
  withdrawAll,
} from './journeys.ts'
import { goLiveCheck, journeyDetail, shownJourneys } from './read.ts'
import { type EnrolmentRow, enrolmentsOf } from './read-store.ts'

const EnrolmentCursor = z.tuple([z.iso.datetime(), z.uuid()])

/** The routes over a database. */
export function journeyRoutes({ db }: { db: Database }) {
  const api = implement(journeysContract).$context<Call>()
  async function one(id: string, now: Date): Promise<Journey> {
    const [shown] = await shownJourneys(db, [await need(id)], await today(now))
    if (!shown) throw new Problem('not_found', 'There is no such SOP.')
    return shown
  }
  async function need(id: string): Promise<JourneyRow> {
    const row = await journeyById(db, id)
    if (!row) throw new Problem('not_found', 'There is no such SOP.')
    return row
  }
  async function today(now: Date): Promise<{ from: Date; to: Date }> {
    return dayRange((await brand(db)).zone, now)
  }
  return api.router({
    list: api.list.handler(async ({ context: { now } }) => ({
      items: await shownJourneys(db, await allJourneys(db), await today(now)),
    })),
    get: api.get.handler(async ({ input, context: { now } }) =>
      journeyDetail(db, await need(input.id), await today(now)),
    ),
    create: api.create.handler(async ({ input, context }) => {
      const id = await db.transaction(async (tx) => {
        const made = await createJourney(tx, { ...input, by: staffOf(context) }, context.now)
        await audit(tx, context, {
          action: 'journey.created',
          objectKind: 'journey',
          objectId: made,
          after: { name: input.name, template: input.template },
        })
        return made
      })
      return one(id, context.now)
    }),
    change: api.change.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await changeDraft(tx, input.id, input)
        await audit(tx, context, {
          action: 'journey.changed',
          objectKind: 'journey',
          objectId: input.id,
          after: { name: input.name },
        })
      })
      return one(input.id, context.now)
    }),
    check: api.check.handler(async ({ input, context: { now } }) =>
      goLiveCheck(db, await need(input.id), { zone: (await brand(db)).zone, now }),
    ),
    goLive: api.goLive.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await goLive(tx, input.id, input.version, staffOf(context), context.now)
        await audit(tx, context, { action: 'journey.live', objectKind: 'journey', objectId: input.id })
      })
      return one(input.id, context.now)
    }),
    pause: api.pause.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await pauseJourney(tx, input.id, context.now, input.version ?? null)
        await audit(tx, context, { action: 'journey.paused', objectKind: 'journey', objectId: input.id })
      })
      await withdrawAll(db, input.id, context.now)
      return one(input.id, context.now)
    }),
    resume: api.resume.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await resumeJourney(tx, input.id, input.version ?? null)
        await audit(tx, context, { action: 'journey.resumed', objectKind: 'journey', objectId: input.id })
      })
      return one(input.id, context.now)
    }),
    end: api.end.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await endJourney(tx, input.id, context.now, input.version)
        await audit(tx, context, { action: 'journey.ended', objectKind: 'journey', objectId: input.id })
      })
      await withdrawAll(db, input.id, context.now)
      return one(input.id, context.now)
    }),
    enrolments: api.enrolments.handler(async ({ input, context: { viewer } }) => {
      const after = decodeCursor(input.cursor, EnrolmentCursor)
      const rows = await enrolmentsOf(db, input.id, {
        nodeId: input.nodeId,
        after: after ? { at: instant(after[0]), id: after[1] } : null,
        limit: input.limit + 1,
        storeIds: viewer.all ? null : viewer.storeIds,
      })
      return pageFrom(rows, input.limit, {
        item: (row) => shownEnrolment(row, viewer.maySeePersonal),
        cursor: (row) => [row.entered_at.toISOString(), row.id],
      })
    }),
  })
}

/** Null for an API key and for the program itself: the column names a member of staff. */
function staffOf({ viewer }: Call): string | null {
  return viewer.via === 'nobody' ? null : viewer.staffId
}

function dayRange(zone: Zone, now: Date): { from: Date; to: Date } {
  const day = dayOf(zone, now)
  return { from: startOfDay(zone, day), to: startOfDay(zone, addDays(day, 1)) }
}

function shownEnrolment(row: EnrolmentRow, personal: boolean) {
  const node = row.definition.nodes.find((each) => each.id === row.node_id)
  return {
    id: row.id,
    memberId: row.public_id,
    name: personal ? row.name : `${[...(row.name ?? '')][0] ?? ''}**`,
    enteredAt: row.entered_at.toISOString(),
    node: node?.title ?? { zh: row.node_id, en: row.node_id },
    dueAt: row.due_at?.toISOString() ?? null,
    state: row.state,
    reason: row.reason,
    heldOut: row.held_out,
  }
}
