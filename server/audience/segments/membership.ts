/**
 * Writing answers: the one place where membership and states change.
 *
 * Always true: rows are locked in id order; an answer is written only where the stored reading is older; what entered,
 * left or changed state stands in the log with its cause, in the same transaction, under an id that the reading gives.
 * A crash leaves the whole batch unwritten.
 */
import { boughtStates, type LifecycleState } from '../../../contract/lifecycle.ts'
import { append, type NewEvent } from '../../events/events.ts'
import { idOf } from '../../platform/ids.ts'
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
  lockMembership,
  lockRevision,
  type Moved,
  noteWoken,
  selectLifecycles,
  updateMembership,
  upsertStates,
} from './store.ts'

export type Cause = 'event' | 'time' | 'bulk' | 'definition' | 'merge'
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
  const ids = answered.map(({ personId }) => personId).sort((left, right) => left - right)
  const there = answered.filter(({ answer }) => answer !== undefined).map(({ personId }) => personId)
  const missing = new Set(
    await insertMissing(
      tx,
      there.sort((left, right) => left - right),
      how.now,
    ),
  )
  const rows = new Map((await lockMembership(tx, ids)).map((row) => [row.personId, row]))
  const lifecycles = await selectLifecycles(tx, ids)
  const since = holdsSince(how.definitions)
  const events: NewEvent[] = []
  const updates: Parameters<typeof updateMembership>[1][number][] = []
  const states: { personId: number; state: PersonState }[] = []
  const tags: { personId: number; answer: Answer }[] = []
  const gone: number[] = []
  const woken: number[] = []
  const merged: number[] = []
  const written: Written = { changed: 0, entered: 0, left: 0, stale: 0 }
  for (const { personId, answer, cause } of answered) {
    const row = rows.get(personId)
    if (!row) continue
    if (row.reading >= how.reading) {
      written.stale += 1
      continue
    }
    const note = notes(personId, how, (held) =>
      !missing.has(personId) && held > row.reading ? 'definition' : cause,
    )
    if (!answer) {
      gone.push(personId)
      if (cause === 'merge') merged.push(...row.segments)
      else for (const id of row.segments) events.push(note('segment_left', id, 0))
      continue
    }
    const entered = without(answer.segments, row.segments)
    const left = without(row.segments, answer.segments)
    for (const id of left) events.push(note('segment_left', id, since.segments.get(id) ?? how.reading))
    for (const id of entered) events.push(note('segment_entered', id, since.segments.get(id) ?? 0))
    const before = lifecycles.get(personId)
    if (before !== answer.state.lifecycle) {
      events.push(
        note('lifecycle_changed', 0, since.states, { from: before ?? null, to: answer.state.lifecycle }),
      )
    }
    if (wakes(before, answer.state.lifecycle) && (cause === 'event' || cause === 'time')) woken.push(personId)
    const moved = entered.length + left.length > 0 || before !== answer.state.lifecycle
    if (moved) written.changed += 1
    written.entered += entered.length
    written.left += left.length
    updates.push({
      personId,
      segments: answer.segments,
      nextAt: answer.next,
      idle: cause === 'time' && !moved,
    })
    states.push({ personId, state: answer.state })
    tags.push({ personId, answer })
  }
  await updateMembership(tx, updates, { ...how, day: dayOf(how.zone, how.now) })
  await upsertStates(tx, states, how)
  await noteWoken(tx, woken, how.now)
  await deleteMembership(tx, gone)
  events.push(...(await writeAutoTags(tx, tags, how)))
  await appendByCause(tx, events, how.now)
  await countMoved(tx, dayOf(how.zone, how.now), movedBySegment(events, merged))
  return written
}

/** Whether somebody who slept is active again. */
function wakes(before: string | undefined, after: LifecycleState): boolean {
  return after === 'active' && boughtStates.some((state) => state === before && state !== 'active')
}

/** `merged`: segments of persons who are another person's profiles now, which nobody is told of. */
function movedBySegment(events: readonly NewEvent[], merged: readonly number[]): Moved[] {
  const moved = new Map<number, Moved>()
  const of = (segmentId: number): Moved => {
    const known = moved.get(segmentId) ?? { segmentId, entered: 0, left: 0, otherwise: 0 }
    moved.set(segmentId, known)
    return known
  }
  for (const { type, data } of events) {
    const { segmentId } = data as { segmentId: number }
    if (type === 'segment_entered') of(segmentId).entered += 1
    else if (type === 'segment_left') of(segmentId).left += 1
  }
  for (const segmentId of merged) of(segmentId).otherwise -= 1
  return [...moved.values()]
}

type Note = (
  type: 'segment_entered' | 'segment_left' | 'lifecycle_changed',
  id: number,
  held: number,
  more?: object,
) => NewEvent

function notes(personId: number, { reading, now }: WriteHow, causeOf: (held: number) => Cause): Note {
  return (type, id, held, more) => ({
    id: idOf(type, personId, id, reading),
    type,
    // The person's id is the smallest of its profiles' ids.
    profileId: personId,
    personId,
    at: now,
    data: { ...(more ?? { segmentId: id }), cause: causeOf(held) },
  })
}

/** What may start something goes on the live lane; what an import, a merge or a definition brings does not. */
export async function appendByCause(tx: Tx, events: readonly NewEvent[], now: Date): Promise<void> {
  const lively = events.filter((event) => {
    const { cause } = event.data as { cause?: Cause }
    return cause === 'event' || cause === 'time'
  })
  const quiet = events.filter((event) => !lively.includes(event))
  await append(tx, lively, { lane: 'live', source: SOURCE, receivedAt: now })
  await append(tx, quiet, { lane: 'bulk', source: SOURCE, receivedAt: now })
}

function without(values: readonly number[], others: readonly number[]): number[] {
  return values.filter((value) => !others.includes(value))
}
