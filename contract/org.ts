/** The routes of the organisation, put together. */
import { apiKeyRoutes, auditTrailRoutes } from './access.ts'
import { calendarRoutes, productRoutes } from './catalogue.ts'
import { brandRoutes, regionRoutes, storeRoutes } from './places.ts'
import { sessionRoutes } from './session.ts'
import { settingRoutes } from './setting-routes.ts'
import { staffRoutes } from './staff.ts'

export const orgContract = {
  session: sessionRoutes,
  brand: brandRoutes,
  regions: regionRoutes,
  stores: storeRoutes,
  staff: staffRoutes,
  apiKeys: apiKeyRoutes,
  auditTrail: auditTrailRoutes,
  settings: settingRoutes,
  products: productRoutes,
  calendar: calendarRoutes,
}
