/** What reacts to events, and which of its failures are its own. */
import type { EventType } from '../../contract/events.ts'
import { LeaseLost } from '../platform/jobs/lease.ts'
import { isPostgresAway, sqlState, type Tx } from '../platform/postgres/database.ts'
import type { LoggedEvent } from './log.ts'

export type Handler = {
  /** Stands in dead letters; never change it. */
  name: string
  types: readonly EventType[]
  /** Types of which it takes only what came on the live lane. */
  liveOnly?: readonly EventType[]
  /**
   * Types that in bulk matter for some persons only, and whose they are: the others' events are passed over, and their data
   * is not even read.
   */
  bulkOnlyFor?: {
    types: readonly EventType[]
    persons(tx: Tx, among: readonly number[]): Promise<ReadonlySet<number>>
  }
  /** Effects in `tx` only. A throw puts the event aside; called again, with fewer events, to find which. */
  handle(tx: Tx, events: LoggedEvent[], now: Date): Promise<void>
}

/** Lost leases, lost connections, deadlocks, full disks: the transaction as a whole is tried again later. */
export function isNotTheEventsFault(error: unknown): boolean {
  if (error instanceof LeaseLost) return true
  const state = sqlState(error)
  if (state !== undefined) return /^(08|40|53|55|57|58|XX)/.test(state)
  return isPostgresAway(error)
}
