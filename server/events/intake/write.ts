/**
 * What the doors took, in one transaction: whose it is, what it says of them, and the log.
 *
 * Always true: a message is known by (source, id) and counts once, however often and over however many requests it
 * comes; its marks, its person and its events are committed together or not at all. No value of an identifier reaches
 * the log. An event of somebody who was erased is left out.
 */

import { crashPoint } from '../../platform/crash.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { appendRows, type EventRow, toldBefore } from '../append.ts'
import { ENTERING } from '../partitions.ts'
import { heard } from '../pulse.ts'
import type { EventSource } from './event-source.ts'
import type { IntakePeople, Named, Referred } from './ports.ts'
import type { Speakers } from './speakers.ts'
import { markProfiles, writeItems } from './store.ts'
import type { Spoken, ToldItem, ToldPerson, Waiting, WaitingEvent } from './told.ts'

/** What one request brought and is to be answered for. */
export type Parcel = { source: EventSource; told: readonly Waiting[]; receivedAt: Date }

export type Writing = { db: Database; people: IntakePeople; speakers: Speakers }
export type Written = { events: number; repeated: number; erased: number }

const MOST_NAMED = 5000
const PULSE_MS = 10_000

/** Writes the parcels. Answers when everything is durable; what it threw for changed nothing. */
export async function writeParcels(
  { db, people, speakers }: Writing,
  parcels: readonly Parcel[],
): Promise<Written> {
  const learned = new Map<string, Referred>()
  const total: Written = { events: 0, repeated: 0, erased: 0 }
  await db.transaction(
    async (tx) => {
      learned.clear()
      Object.assign(total, { events: 0, repeated: 0, erased: 0 })
      // Always in one order, so that writers never wait for each other in a ring.
      const bySource = [...Map.groupBy(parcels, ({ source }) => source.code)].sort(([a], [b]) =>
        a < b ? -1 : 1,
      )
      for (const [, own] of bySource) {
        const written = await writeSource(tx, own, { people, speakers, learned })
        for (const key of ['events', 'repeated', 'erased'] as const) total[key] += written[key]
      }
      crashPoint('intake.written')
    },
    [ENTERING, people.opening],
  )
  crashPoint('intake.committed')
  for (const [key, whose] of learned) speakers.learn(key, whose)
  return total
}

type Shared = { people: IntakePeople; speakers: Speakers; learned: Map<string, Referred> }

async function writeSource(tx: Tx, parcels: readonly Parcel[], shared: Shared): Promise<Written> {
  const [{ source, receivedAt }] = parcels as [Parcel]
  const how = { lane: 'live', source: logName(source), at: receivedAt } as const
  const all = parcels.length === 1 ? (parcels[0] as Parcel).told : parcels.flatMap(({ told }) => told)
  const ids = new Set<string>()
  for (const { id } of all) ids.add(id)
  const { repeated, entered } = await toldBefore(tx, [...ids], { source: how.source, receivedAt })
  for (const id of repeated) ids.delete(id)
  const told = ids.size === all.length ? all : all.filter(({ id }) => ids.delete(id))
  crashPoint('intake.deduplicated')
  const spoken = told.filter((one): one is WaitingEvent | ToldPerson => one.kind !== 'item')
  const whose = await referAll(tx, spoken, { ...shared, source, how })
  const rows: EventRow[] = []
  const changes: Parameters<IntakePeople['adjust']>[1][number][] = []
  for (const [place, one] of spoken.entries()) {
    const who = whose[place]
    if (!who) continue
    if (one.kind === 'event') rows.push(rowOf(one, who))
    else if (!saysNothing(one)) changes.push(changeOf(one, who))
  }
  if (changes.length > 0) await shared.people.adjust(tx, changes, how)
  await appendRows(tx, rows, { lane: 'live', source: how.source, receivedAt, entered })
  const items = told.filter((one): one is ToldItem => one.kind === 'item')
  if (items.length > 0) await writeItems(tx, how.source, items)
  if (shared.speakers.isPulseDue(how.source, receivedAt, PULSE_MS)) await heard(tx, how.source, receivedAt)
  return {
    events: rows.length,
    repeated: all.length - told.length,
    erased: whose.filter((one) => one === null).length,
  }
}

/** How a source is called in the log, in the pulse and among the records of the members. */
export function logName({ code }: Pick<EventSource, 'code'>): string {
  return `sdk:${code}`
}

type Referring = Shared & { source: EventSource; how: { lane: 'live'; source: string; at: Date } }

/** Of each, in their order, whose it is: from memory where the profile is still there, else by its identifiers. */
async function referAll(
  tx: Tx,
  spoken: readonly (WaitingEvent | ToldPerson)[],
  { people, speakers, learned, source, how }: Referring,
): Promise<(Referred | null)[]> {
  const keys = spoken.map(({ who }) => speakers.keyOf(source, who))
  const answers = new Map<string, Referred | null>()
  const open = new Map<string, readonly Spoken[]>()
  const remembered = new Map<string, Referred>()
  for (const [place, key] of keys.entries()) {
    if (remembered.has(key) || open.has(key)) continue
    const whose = speakers.whose(key)
    if (whose) remembered.set(key, whose)
    else open.set(key, (spoken[place] as WaitingEvent).who)
  }
  const gone = await settle(tx, remembered, { people, answers, learned })
  if (gone.size > 0)
    for (const [place, key] of keys.entries())
      if (gone.has(key)) open.set(key, (spoken[place] as WaitingEvent).who)
  const unsure = await settleDistinct(tx, open, { people, source })
  const asked = [...open]
  for (let from = 0; from < asked.length; from += MOST_NAMED) {
    const some = asked.slice(from, from + MOST_NAMED)
    const found = await people.refer(
      tx,
      some.map(([, who]) => namedBy(source, who)),
      how,
    )
    for (const [at, [key]] of some.entries()) {
      const one = found[at] ?? null
      answers.set(key, one)
      if (one && !unsure.has(key)) learned.set(key, one)
    }
    await markProfiles(
      tx,
      found.flatMap((one) => (one ? [one.profileId] : [])),
    )
  }
  // Joined by one of the others meanwhile: the person of before is somebody's past.
  if (asked.length > 0) {
    const found = [...answers].flatMap(([key, one]): [string, Referred][] => (one ? [[key, one]] : []))
    await settle(tx, new Map(found), { people, answers, learned: new Map() })
  }
  return keys.map((key) => answers.get(key) ?? null)
}

/** Answers whose the keys are now, by whose they were; answers the keys of profiles that are gone. */
async function settle(
  tx: Tx,
  before: ReadonlyMap<string, Referred>,
  {
    people,
    answers,
    learned,
  }: Pick<Shared, 'people' | 'learned'> & { answers: Map<string, Referred | null> },
): Promise<Set<string>> {
  if (before.size === 0) return new Set()
  const strayed = await people.strayed(tx, [...before.values()])
  const gone = new Set<string>()
  for (const [key, whose] of before) {
    const personId = strayed.get(whose.profileId)
    if (personId === null) {
      gone.add(key)
      continue
    }
    const now = personId === undefined ? whose : { profileId: whose.profileId, personId }
    answers.set(key, now)
    if (now !== whose) learned.set(key, now)
  }
  return gone
}

/** Says of ids that may be a user's or a device's which they are; answers the keys of those that are devices for now. */
async function settleDistinct(
  tx: Tx,
  open: Map<string, readonly Spoken[]>,
  { people, source }: { people: IntakePeople; source: EventSource },
): Promise<Set<string>> {
  const unsure = [...open].flatMap(([key, who]) => {
    const [first] = who
    return first?.kind === 'distinct' ? [{ key, first, rest: who.slice(1) }] : []
  })
  if (unsure.length === 0) return new Set()
  const users = unsure.map(({ first }) => namedBy(source, [{ kind: 'user', value: first.value }]))
  const known = await people.known(tx, users)
  for (const [place, { key, first, rest }] of unsure.entries()) {
    open.set(key, [{ kind: known[place] === true ? 'user' : 'device', value: first.value }, ...rest])
  }
  return new Set(unsure.flatMap(({ key }, place) => (known[place] === true ? [] : [key])))
}

/** A user id is an identifier, or the number of a record in the source that the brand's members come from. */
function namedBy({ userIdKind, userIdScope }: EventSource, who: readonly Spoken[]): Named {
  const identifiers: Named['identifiers'] = []
  let record: Named['record']
  for (const { kind, ...one } of who) {
    if (kind !== 'user') identifiers.push({ ...one, kind: kind === 'distinct' ? 'device' : kind })
    else if (userIdKind !== 'member_no') identifiers.push({ ...one, kind: userIdKind, scope: userIdScope })
    else record ??= { source: userIdScope === '' ? FILES : userIdScope, externalId: one.value }
  }
  return { ...(record && { record }), identifiers }
}

/** How imports of files are called where nobody says otherwise. */
const FILES = 'file'

function saysNothing({ set, custom, once, add, append, unset }: ToldPerson): boolean {
  return (
    unset.length === 0 && [set, custom, once, add, append].every((part) => Object.keys(part).length === 0)
  )
}

function changeOf({ kind: _, id: __, who: ___, ...says }: ToldPerson, { profileId }: Referred) {
  return { ...says, profileId }
}

function rowOf({ id, type, at, json }: WaitingEvent, { profileId, personId }: Referred): EventRow {
  return { id, type, profileId, personId, at, json }
}
