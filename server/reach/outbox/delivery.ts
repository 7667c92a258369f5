/** What every step of a delivery round is given. */
import type { LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Zone } from '../../platform/time/zone.ts'
import type { ReachPorts } from '../ports.ts'
import type { ReachRules } from '../settings.ts'

export type Delivery = {
  db: Database
  ports: ReachPorts
  token: LeaseToken
  now: Date
  zone: Zone
  rules: ReachRules
}
