// Owns the brand, its regions, stores and staff, who may do what, settings, the audit trail, catalogue and calendar.
// Promises that every route asks one guard, that what was done is told in the same transaction, and that time never goes back.
// Never knows a member, an order or a message.
export { createApiKey } from './api-keys.ts'
export { type AuditNote, audit, listAudit } from './audit.ts'
export { brand, changeBrand, nameBrand } from './brand.ts'
export { acceptClock, type BusinessClock, openBusinessClock } from './business-time.ts'
export { createProduct } from './catalogue.ts'
export { tellFootfall, tellProducts, tellStock, tellStores } from './feeds.ts'
export { openGuard } from './guard.ts'
export {
  addGuides,
  addStores,
  type KnownPlaces,
  knownPlaces,
  removeUnused,
  unnamedAmong,
} from './known-places.ts'
export { createRegion, createStore, listStores } from './places.ts'
export { forgetSessions, openSession, viewerOfStaff } from './sessions.ts'
export { setting } from './settings.ts'
export { createFirstOwner, createStaff, type OneTime, resetOwner, resetPassword } from './staff.ts'
export { type Actor, type Call, systemActor, type Viewer } from './viewer.ts'
