/**
 * Writing answers: the one place where membership and states change.
 *
 * Always true: rows are locked in id order; an answer is written only where the stored reading is older; what entered,
 * left or changed state stands in the log with its cause, in the same transaction, under an id that the reading gives.
 * A crash leaves the whole batch unwritten.
 */
import { boughtStates, type LifecycleState } from '../../../contract/lifecycle.ts'
import { append, type NewEvent } from '../../events/events.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { dayOf, type Zone } from '../../platform/time/zone.ts'
import { holdsSince } from '../definitions.ts'
import type { PersonState } from '../lifecycle/person-state.ts'
import type { Answer } from '../rule/compile.ts'
import type { Definitions } from '../rule/definitions.ts'
import { writeAutoTags } from '../tags/auto-tags.ts'
import { SOURCE } from './due.ts'
import {
  countMoved,
  deleteMembership,
  insertMissing,
  type LockedMembership,
  lockMembership,
  lockRevision,
  type MembershipAnswer,
  noteWoken,
  updateMembership,
  upsertStates,
} from './store.ts'
import { type Cause, Told } from './told.ts'

/** `answer` undefined: the person is not there any more. */
export type Answered = { personId: number; answer: Answer | undefined; cause: Cause }

/** The definitions have changed since the answers were computed: compute them again. */
export class DefinitionsChanged extends Error {
  override name = 'DefinitionsChanged'
}

export type WriteHow = { reading: number; definitions: Definitions; now: Date; zone: Zone }
export type Written = { changed: number; entered: number; left: number; stale: number }

/** Errors: `DefinitionsChanged`. */
export async function writeAnswers(tx: Tx, answered: readonly Answered[], how: WriteHow): Promise<Written> {
  if ((await lockRevision(tx)) !== how.definitions.revision)
    throw new DefinitionsChanged('definitions changed')
  const { rows, missing } = await lockedRows(tx, answered, how)
  const fresh = answered.filter(({ personId }) => (rows.get(personId)?.reading ?? how.reading) < how.reading)
  const before = await upsertStates(tx, fresh.flatMap(stateOf), how)
  const since = holdsSince(how.definitions)
  const told = new Told(how)
  const updates: (MembershipAnswer & { idle: boolean })[] = []
  const tags: { personId: number; answer: Answer }[] = []
  const gone: number[] = []
  const woken: number[] = []
  const stale = answered.filter(({ personId }) => rows.has(personId)).length - fresh.length
  const written: Written = { changed: 0, entered: 0, left: 0, stale }
  for (const { personId, answer, cause } of fresh) {
    const row = rows.get(personId) ?? NOWHERE
    const causeSince = (held: number): Cause =>
      !missing.has(personId) && held > row.reading ? 'definition' : cause
    if (!answer) {
      gone.push(personId)
      if (cause === 'merge') told.merged(row.segments)
      else told.segments(personId, { entered: [], left: row.segments }, () => causeSince(0))
      continue
    }
    const entered = without(answer.segments, row.segments)
    const left = without(row.segments, answer.segments)
    // A segment that is known no more went by a definition.
    const present = new Set(answer.segments)
    told.segments(personId, { entered, left }, (id) =>
      causeSince(since.segments.get(id) ?? (present.has(id) ? 0 : how.reading)),
    )
    const to = answer.state.lifecycle
    // What was not written stood so.
    const from = before.has(personId) ? (before.get(personId) ?? null) : to
    if (from !== to) told.lifecycle(personId, { from, to, cause: causeSince(since.states) })
    if (wakes(from, to) && (cause === 'event' || cause === 'time')) woken.push(personId)
    const moved = entered.length + left.length > 0 || from !== to
    if (moved) written.changed += 1
    if (!missing.has(personId))
      updates.push({
        personId,
        segments: answer.segments,
        nextAt: answer.next,
        idle: cause === 'time' && !moved,
      })
    tags.push({ personId, answer })
  }
  await updateMembership(tx, updates, { ...how, day: dayOf(how.zone, how.now) })
  await noteWoken(tx, woken, how.now)
  await deleteMembership(tx, gone)
  await appendByCause(tx, [...told.events, ...(await writeAutoTags(tx, tags, how))], how.now)
  await countMoved(tx, dayOf(how.zone, how.now), told.moved())
  return { ...written, entered: told.entered, left: told.left }
}

/** What a change of some segments says of somebody: in which of them he is, and before when that does not change by itself. */
export type PartAnswer = { personId: number; segments: readonly number[]; next: number }

/**
 * Writes what a change of segments (`concerned`) says; all else of each stands as it is stored. Answers how many were left out
 * because a newer reading stands. Errors: `DefinitionsChanged`.
 */
export async function writeParts(
  tx: Tx,
  parts: readonly PartAnswer[],
  concerned: ReadonlySet<number>,
  how: WriteHow,
): Promise<{ stale: number }> {
  if ((await lockRevision(tx)) !== how.definitions.revision)
    throw new DefinitionsChanged('definitions changed')
  const ids = parts.map(({ personId }) => personId)
  const rows = new Map((await lockMembership(tx, ids)).map((row) => [row.personId, row]))
  const told = new Told(how)
  const updates: (MembershipAnswer & { idle: boolean })[] = []
  for (const { personId, segments, next } of parts) {
    const row = rows.get(personId)
    if (!row || row.reading >= how.reading) continue
    const others = row.segments.filter((id) => !concerned.has(id))
    const present = [...others, ...segments].sort((left, right) => left - right)
    const moved = { entered: without(present, row.segments), left: without(row.segments, present) }
    told.segments(personId, moved, () => 'definition')
    const nextAt = Math.min(row.nextAt?.getTime() ?? Number.POSITIVE_INFINITY, next)
    updates.push({ personId, segments: present, nextAt, idle: false })
  }
  await updateMembership(tx, updates, { ...how, day: dayOf(how.zone, how.now) })
  await appendByCause(tx, told.events, how.now)
  await countMoved(tx, dayOf(how.zone, how.now), told.moved())
  return { stale: parts.length - updates.length }
}

type Standing = Omit<LockedMembership, 'personId'>
/** Whoever has no row yet. */
const NOWHERE: Standing = { reading: -1, segments: [], nextAt: null }

/** What stands of each, locked; `missing` are those who had nothing and have their row by the answer now. */
async function lockedRows(
  tx: Tx,
  answered: readonly Answered[],
  how: WriteHow,
): Promise<{ rows: Map<number, Standing>; missing: ReadonlySet<number> }> {
  const lock = async (ids: readonly number[]): Promise<[number, Standing][]> =>
    (await lockMembership(tx, ids)).map((row) => [row.personId, row])
  const rows = new Map(await lock(answered.map(({ personId }) => personId)))
  const without = answered.filter(({ personId, answer }) => answer !== undefined && !rows.has(personId))
  const missing = await insertMissing(tx, without.flatMap(membershipOf), how)
  for (const personId of missing) rows.set(personId, NOWHERE)
  const others = without.filter(({ personId }) => !missing.has(personId))
  for (const [personId, row] of await lock(others.map(({ personId }) => personId))) rows.set(personId, row)
  return { rows, missing }
}

function membershipOf({ personId, answer }: Answered): MembershipAnswer[] {
  return answer ? [{ personId, segments: answer.segments, nextAt: answer.next }] : []
}

function stateOf({ personId, answer }: Answered): { personId: number; state: PersonState }[] {
  return answer ? [{ personId, state: answer.state }] : []
}

/** Whether somebody who slept is active again. */
function wakes(before: string | null, after: LifecycleState): boolean {
  return after === 'active' && boughtStates.some((state) => state === before && state !== 'active')
}

/** What may start something goes on the live lane; what an import, a merge or a definition brings does not. */
export async function appendByCause(tx: Tx, events: readonly NewEvent[], now: Date): Promise<void> {
  const lively = events.filter((event) => {
    const { cause } = event.data as { cause?: Cause }
    return cause === 'event' || cause === 'time'
  })
  const started = new Set(lively)
  const quiet = events.filter((event) => !started.has(event))
  await append(tx, lively, { lane: 'live', source: SOURCE, receivedAt: now })
  await append(tx, quiet, { lane: 'bulk', source: SOURCE, receivedAt: now })
}

function without(values: readonly number[], others: readonly number[]): number[] {
  return others.length === 0 ? [...values] : values.filter((value) => !others.includes(value))
}
