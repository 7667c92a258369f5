/** The routes of sources and of the tracking plan. */
import { implement } from '@orpc/server'
import { intakeContract } from '../../../contract/intake.ts'
import type { Call } from '../../org/org.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { planEvent, showPlan, unplanEvent } from './plan.ts'
import { changeSource, createSource, listSources } from './sources.ts'

export function intakeRoutes({ db, publicUrl }: { db: Database; publicUrl: string | undefined }) {
  const api = implement(intakeContract).$context<Call>()
  const at = (path: string): string => (publicUrl === undefined ? path : new URL(path, publicUrl).href)
  return api.router({
    sources: api.sources.handler(async () => ({
      items: await listSources(db),
      addresses: { segment: at('/v1'), sensors: at('/sa') },
    })),
    createSource: api.createSource.handler(({ input, context }) => createSource(db, context, input)),
    changeSource: api.changeSource.handler(({ input, context }) => changeSource(db, context, input)),
    seen: api.seen.handler(({ context }) => showPlan(db, context.now)),
    plan: api.plan.handler(({ input, context }) => planEvent(db, context, input)),
    unplan: api.unplan.handler(async ({ input, context }) => {
      await unplanEvent(db, context, input)
      return { done: true as const }
    }),
  })
}
