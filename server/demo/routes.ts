import { implement } from '@orpc/server'
import { demoContract } from '../../contract/demo.ts'
import { audit, brand, type Call } from '../org/org.ts'
import type { Database } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { askForRemoval } from './removal.ts'
import { countDemo, readDemo } from './store.ts'

/** The demo brand over HTTP. */
export function demoRoutes({ db }: { db: Database }) {
  const api = implement(demoContract).$context<Call>()
  return api.router({
    get: api.get.handler(async () => {
      const state = (await readDemo(db))?.state ?? 'none'
      if (state === 'none' || state === 'removed') return { state, members: 0, orders: 0 }
      const { members, orders } = await countDemo(db)
      return { state, members, orders }
    }),
    remove: api.remove.handler(async ({ input, context }) => {
      const { name } = await brand(db)
      if (input.confirm.trim() !== name)
        throw new Problem('bad_input', `Type the name of the brand, ${name}, to confirm.`, {
          field: 'confirm',
        })
      if (!(await askForRemoval(db))) throw new Problem('not_found', 'There is no demo brand here.')
      await audit(db, context, { action: 'demo.removal_asked', objectKind: 'brand' })
      return { done: true as const }
    }),
  })
}
