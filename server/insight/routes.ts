/** Home and dead letters over HTTP. */
import { implement } from '@orpc/server'
import { z } from 'zod'
import { insightContract } from '../../contract/insight.ts'
import { discardLetter, type Handler, listDeadLetters, retryLetter } from '../events/events.ts'
import { audit, brand, type Call } from '../org/org.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { dayOf } from '../platform/time/zone.ts'
import { touchesOfDay } from '../reach/reach.ts'
import { type HomeDeps, openHome } from './home.ts'
import { type MemberRoutes, memberRoutes } from './member-routes.ts'
import { stillCounting } from './still-counting.ts'
import { touchPage } from './touches.ts'

const LastId = z.tuple([z.uuid()])

export function insightRoutes(deps: HomeDeps & { handlers: readonly Handler[] }) {
  const { db, handlers } = deps
  const home = openHome(deps)
  const api = implement(insightContract).$context<Call>()
  return api.router({
    touches: api.touches.handler(({ input, context: { viewer } }) => touchPage(db, viewer, input)),
    today: api.today.handler(async ({ context: { now } }) => {
      const { zone } = await brand(db)
      const day = dayOf(zone, now)
      return { day, items: await touchesOfDay(db, zone, day) }
    }),
    home: api.home.handler(({ context: { now } }) => home(now)),
    counting: api.counting.handler(() => stillCounting(db)),
    deadLetters: api.deadLetters.handler(async ({ input }) => {
      const [before] = decodeCursor(input.cursor, LastId) ?? []
      const letters = await listDeadLetters(db, {
        limit: input.limit + 1,
        ...(before === undefined ? {} : { before }),
      })
      return pageFrom(letters, input.limit, {
        item: (letter) => ({
          id: letter.id,
          consumer: letter.handler,
          type: letter.type,
          state: letter.state,
          at: letter.firstFailedAt.toISOString(),
          failedAt: letter.lastFailedAt.toISOString(),
          tries: letter.attempts,
          error: letter.reason,
        }),
        cursor: (letter) => [letter.id],
      })
    }),
    retryDeadLetter: api.retryDeadLetter.handler(async ({ input, context }) => {
      await retryLetter(db, handlers, input.id, context.now)
      await audit(db, context, {
        action: 'dead_letter.retried',
        objectKind: 'dead_letter',
        objectId: input.id,
      })
      return { done: true as const }
    }),
    discardDeadLetter: api.discardDeadLetter.handler(async ({ input, context }) => {
      await discardLetter(db, input.id, context.viewer.staffId, context.now)
      await audit(db, context, {
        action: 'dead_letter.discarded',
        objectKind: 'dead_letter',
        objectId: input.id,
        reason: input.reason,
      })
      return { done: true as const }
    }),
  })
}

/** The pages of members, put together from several capabilities. */
export function memberPages(parts: MemberRoutes) {
  return memberRoutes(parts)
}
