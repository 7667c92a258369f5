/** What pages ask: touches with their reasons, counts, and what became of one journey's touches. */
import type { Db } from '../platform/postgres/database.ts'
import { addDays, type Day, startOfDay, type Zone } from '../platform/time/zone.ts'
import * as store from './read-store.ts'

export type TouchRow = store.TouchRow
export type TouchCount = store.TouchCount
export type TouchFilter = store.TouchFilter

const MAX_PAGE = 200

/** The latest decisions first; `after` is the last row of the page before. */
export async function listTouches(
  db: Db,
  filter: TouchFilter,
  page: { zone: Zone; limit: number; after?: { at: Date; id: string } | undefined },
): Promise<TouchRow[]> {
  const range = filter.day ? dayRange(page.zone, filter.day) : undefined
  return store.readTouches(db, { ...filter, range, after: page.after, limit: Math.min(page.limit, MAX_PAGE) })
}

/** By state and reason, of touches whose last decision lies in a day of the brand. */
export async function touchesOfDay(db: Db, zone: Zone, day: Day): Promise<TouchCount[]> {
  return store.countBy(db, { range: dayRange(zone, day) })
}

/** By state and reason: every candidate of the journey stands in exactly one line. */
export async function countTouches(db: Db, filter: { journeyId?: string }): Promise<TouchCount[]> {
  return store.countBy(db, filter)
}

export type Depth = store.Depth

/** How much waits to be decided, to be handed over, and for its outcome; for metrics. */
export async function depthOf(db: Db, now: Date): Promise<Depth[]> {
  return store.readDepth(db, now)
}

/** Persons of a journey who were touched, and whom it reached; what it cost. */
export async function funnelOf(
  db: Db,
  journeyId: string,
): Promise<{ touched: number; delivered: number; heldOut: number; costCents: number }> {
  return store.readFunnel(db, journeyId)
}

function dayRange(zone: Zone, day: Day): { from: Date; to: Date } {
  return { from: startOfDay(zone, day), to: startOfDay(zone, addDays(day, 1)) }
}
