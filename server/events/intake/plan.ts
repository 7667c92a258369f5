/** The tracking plan beside what came: what is not planned, what came as another type, what never came. */
import type {
  Finding,
  PlannedProperty,
  PropertyType,
  SeenEvent,
  SeenProperty,
} from '../../../contract/intake.ts'
import { type Actor, audit } from '../../org/org.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import { lostWrite } from '../../platform/versioned.ts'
import {
  deletePlanned,
  type PlannedRow,
  putPlanned,
  type SeenEventRow,
  type SeenPropertyRow,
  selectPlan,
  selectPlanned,
  selectRefused,
  selectSeenEvents,
  selectSeenProperties,
} from './store-plan.ts'

const MOST_SHOWN = 500
const REFUSED_DAYS = 30
const DAY_MS = 86_400_000

/** Planned and seen events, those that came last first, then those that never came. */
export async function showPlan(db: Db, now: Date) {
  const [plan, seen, refused] = await Promise.all([
    selectPlan(db),
    selectSeenEvents(db, MOST_SHOWN + 1),
    selectRefused(db, instant(now.getTime() - REFUSED_DAYS * DAY_MS)),
  ])
  const shown = seen.slice(0, MOST_SHOWN)
  const byEvent = Map.groupBy(
    await selectSeenProperties(
      db,
      shown.map(({ name }) => name),
    ),
    ({ event }) => event,
  )
  const planned = new Map(plan.map((one) => [one.name, one]))
  const names = new Set(seen.map(({ name }) => name))
  return {
    events: [
      ...shown.map((one) => eventOf(one, planned.get(one.name), byEvent.get(one.name) ?? [])),
      ...plan.filter(({ name }) => !names.has(name)).map(neverCame),
    ],
    refused: refused.map(({ lastAt, ...one }) => ({ ...one, lastAt: lastAt.toISOString() })),
    more: seen.length > MOST_SHOWN,
  }
}

function neverCame(plan: PlannedRow): SeenEvent {
  const properties = Object.entries(plan.properties).map(([property, planned]) => unseen(property, planned))
  return {
    name: plan.name,
    sources: [],
    count: 0,
    firstAt: null,
    lastAt: null,
    planned: shownPlan(plan),
    finding: 'missing',
    findings: 0,
    properties,
    cut: 0,
    leftOut: 0,
    hidden: 0,
  }
}

function eventOf(
  seen: SeenEventRow,
  plan: PlannedRow | undefined,
  rows: readonly SeenPropertyRow[],
): SeenEvent {
  const { firstAt, lastAt, ...counts } = seen
  const came = Map.groupBy(rows, ({ property }) => property)
  const properties = [...came].map(([property, types]) => propertyOf(property, types, plan, seen.count))
  for (const [property, planned] of Object.entries(plan?.properties ?? {})) {
    if (!came.has(property)) properties.push(unseen(property, planned))
  }
  return {
    ...counts,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    planned: plan ? shownPlan(plan) : null,
    finding: plan || OWN_NAMES.test(seen.name) ? null : 'unplanned',
    findings: plan ? properties.filter(({ finding }) => finding !== null && finding !== 'missing').length : 0,
    properties,
  }
}

/** What every source tells: pages, persons and things need no plan. */
const OWN_NAMES = /^(?:page_viewed|identify|item:.*)$/u

function propertyOf(
  property: string,
  rows: readonly SeenPropertyRow[],
  plan: PlannedRow | undefined,
  events: number,
): SeenProperty {
  const planned = plan?.properties[property] ?? null
  const count = rows.reduce((sum, row) => sum + row.count, 0)
  return {
    property,
    types: rows.map(({ type, count: own, sample }) => ({ type, count: own, sample })),
    planned,
    finding: plan ? findingOf(planned, rows, count < events) : null,
    firstAt: instant(Math.min(...rows.map(({ firstAt }) => firstAt.getTime()))).toISOString(),
    count,
  }
}

function findingOf(
  planned: PlannedProperty | null,
  rows: readonly SeenPropertyRow[],
  sometimesMissing: boolean,
): Finding | null {
  if (planned === null) return 'unplanned'
  if (rows.some(({ type }) => !fits(type, planned.type))) return 'ill_typed'
  return planned.required && sometimesMissing ? 'missing_required' : null
}

/** Every text is a text, also one that looks like a time. */
function fits(came: PropertyType, wanted: PropertyType): boolean {
  return came === wanted || (wanted === 'text' && came === 'time')
}

function unseen(property: string, planned: PlannedProperty): SeenProperty {
  return {
    property,
    types: [],
    planned,
    finding: planned.required ? 'missing_required' : 'missing',
    firstAt: null,
    count: 0,
  }
}

function shownPlan({ changedAt, ...row }: PlannedRow) {
  return { ...row, changedAt: changedAt.toISOString() }
}

type Given = {
  name: string
  description: string
  properties: Record<string, PlannedProperty>
  version: number
}

/** Takes an event into the plan (version 0), or changes what it says. Errors: `stale_version`. */
export async function planEvent(db: Database, actor: Actor, given: Given) {
  return db.transaction(async (tx) => {
    const before = await selectPlanned(tx, given.name)
    const written = await putPlanned(tx, { ...given, at: actor.now, by: actor.viewer.staffId })
    if (!written) throw lostWrite('planned event', given, before && shownPlan(before))
    await audit(tx, actor, {
      action: before ? 'tracking_plan.changed' : 'tracking_plan.added',
      objectKind: 'planned_event',
      objectId: given.name,
      before: before && { description: before.description, properties: before.properties },
      after: { description: given.description, properties: given.properties },
    })
    const after = await selectPlanned(tx, given.name)
    if (!after) throw lostWrite('planned event', given, undefined)
    return shownPlan(after)
  })
}

/** Errors: `stale_version`, `not_found`. */
export async function unplanEvent(
  db: Database,
  actor: Actor,
  given: { name: string; version: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await selectPlanned(tx, given.name)
    if (!(await deletePlanned(tx, given.name, given.version)))
      throw lostWrite('planned event', given, before && shownPlan(before))
    await audit(tx, actor, {
      action: 'tracking_plan.removed',
      objectKind: 'planned_event',
      objectId: given.name,
    })
  })
}
