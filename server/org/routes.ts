import { implement } from '@orpc/server'
import { orgContract } from '../../contract/org.ts'
import type { Staff } from '../../contract/staff.ts'
import type { Database } from '../platform/postgres/database.ts'
import { changeApiKey, createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts'
import { auditWords, listAudit } from './audit.ts'
import { brand, changeBrand } from './brand.ts'
import * as catalogue from './catalogue.ts'
import { clearSessionCookies, setSessionCookies } from './guard.ts'
import { changeRegion, changeStore, createRegion, createStore, listRegions, listStores } from './places.ts'
import { changePassword, describeMe, signIn, signOut } from './sessions.ts'
import { changeSetting, listSettings, settingHistory } from './settings.ts'
import { changeStaff, createStaff, listStaff, resetPassword } from './staff.ts'
import type { Call } from './viewer.ts'

const DONE = { done: true as const }

export function orgRoutes({ db }: { db: Database }) {
  const api = implement(orgContract).$context<Call>()
  return api.router({
    session: {
      signIn: api.session.signIn.handler(async ({ input, context }) => {
        const opened = await signIn(db, context, input)
        setSessionCookies(context, opened)
        return { me: await describeMe(db, opened.staffId), csrf: opened.csrf }
      }),
      me: api.session.me.handler(({ context }) => describeMe(db, context.viewer.staffId)),
      signOut: api.session.signOut.handler(async ({ context }) => {
        await signOut(db, context)
        clearSessionCookies(context)
        return DONE
      }),
      changePassword: api.session.changePassword.handler(async ({ input, context }) => {
        await changePassword(db, context, input)
        return DONE
      }),
    },
    brand: {
      get: api.brand.get.handler(() => brand(db)),
      change: api.brand.change.handler(({ input, context }) => changeBrand(db, context, input)),
    },
    regions: {
      list: api.regions.list.handler(async () => ({ items: await listRegions(db) })),
      create: api.regions.create.handler(({ input, context }) => createRegion(db, context, input)),
      change: api.regions.change.handler(({ input, context }) => changeRegion(db, context, input)),
    },
    stores: {
      list: api.stores.list.handler(({ input }) => listStores(db, input)),
      create: api.stores.create.handler(({ input, context }) => createStore(db, context, input)),
      change: api.stores.change.handler(({ input, context }) => changeStore(db, context, input)),
    },
    staff: {
      list: api.staff.list.handler(({ input, context }) => listStaff(db, context.viewer, input)),
      create: api.staff.create.handler(({ input, context }) => createStaff(db, context, input)),
      change: api.staff.change.handler(({ input, context }) => changeStaff(db, context, input)),
      resetPassword: api.staff.resetPassword.handler(async ({ input, context }) => ({
        oneTimePassword: await resetPassword(db, context, input.id satisfies Staff['id']),
      })),
    },
    apiKeys: {
      list: api.apiKeys.list.handler(async () => ({ items: await listApiKeys(db) })),
      create: api.apiKeys.create.handler(({ input, context }) => createApiKey(db, context, input)),
      change: api.apiKeys.change.handler(({ input, context }) => changeApiKey(db, context, input)),
      revoke: api.apiKeys.revoke.handler(async ({ input, context }) => {
        await revokeApiKey(db, context, input.id)
        return DONE
      }),
    },
    auditTrail: {
      list: api.auditTrail.list.handler(({ input }) => listAudit(db, input)),
      actions: api.auditTrail.actions.handler(() => auditWords(db)),
    },
    settings: {
      list: api.settings.list.handler(async () => ({ items: await listSettings(db) })),
      change: api.settings.change.handler(({ input, context }) => changeSetting(db, context, input)),
      history: api.settings.history.handler(async ({ input }) => ({
        items: await settingHistory(db, input.name),
      })),
    },
    products: {
      list: api.products.list.handler(({ input }) => catalogue.listProducts(db, input)),
      create: api.products.create.handler(({ input, context }) =>
        catalogue.createProduct(db, context, input),
      ),
      change: api.products.change.handler(({ input, context }) =>
        catalogue.changeProduct(db, context, input),
      ),
    },
    calendar: {
      list: api.calendar.list.handler(async ({ input }) => ({
        items: await catalogue.listCalendar(db, input),
      })),
      create: api.calendar.create.handler(({ input, context }) =>
        catalogue.createCalendarEntry(db, context, input),
      ),
      change: api.calendar.change.handler(({ input, context }) =>
        catalogue.changeCalendarEntry(db, context, input),
      ),
      remove: api.calendar.remove.handler(async ({ input, context }) => {
        await catalogue.removeCalendarEntry(db, context, input.id)
        return DONE
      }),
    },
  })
}
