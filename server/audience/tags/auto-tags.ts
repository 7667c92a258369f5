/** What rules say of tags becomes rows: in the transaction that writes the answers. */
import type { NewEvent } from '../../events/events.ts'
import { idOf } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { Answer } from '../rule/compile.ts'
import {
  type AutoRow,
  deleteClaims,
  deletePersonTags,
  lockPersons,
  type NewTag,
  type SRow,
  selectAutoRows,
  selectHeld,
  selectSTags,
  settleSTags,
  upsertClaims,
  upsertPersonTags,
} from './store.ts'

type Given = { personId: number; answer: Answer }

/** Whether the rows already say what the answer says. */
export function sameAutoTags(row: AutoRow | undefined, answer: Answer): boolean {
  const tags = new Set(row?.tags)
  return (
    tags.size === answer.autoTags.length &&
    answer.autoTags.every((tag) => tags.has(tag)) &&
    says(row?.claims, answer.autoValues) &&
    sameValues(row, answer)
  )
}

function sameValues(row: AutoRow | undefined, { sValues }: Answer): boolean {
  return says(row?.values, new Map([...sValues].map(([group, { tag }]) => [group, tag])))
}

function says(rows: AutoRow['values'] = [], answer: ReadonlyMap<number, number>): boolean {
  return rows.length === answer.size && rows.every(({ group, tag }) => answer.get(group) === tag)
}

/** Writes the differences and answers the events that tell of them. */
export async function writeAutoTags(
  tx: Tx,
  given: readonly Given[],
  { reading, now }: { reading: number; now: Date },
): Promise<NewEvent[]> {
  const rows = await selectAutoRows(
    tx,
    given.map(({ personId }) => personId),
  )
  const changed = given.filter(({ personId, answer }) => !sameAutoTags(rows.get(personId), answer))
  if (changed.length === 0) return []
  const there = new Set(
    await lockPersons(
      tx,
      changed.map(({ personId }) => personId),
    ),
  )
  const present = changed.filter(({ personId }) => there.has(personId))
  return [
    ...(await writeBusiness(tx, present, rows, { reading, now })),
    ...(await writeValues(tx, present, rows, { reading, now })),
  ]
}

async function writeBusiness(
  tx: Tx,
  given: readonly Given[],
  rows: ReadonlyMap<number, AutoRow>,
  how: { reading: number; now: Date },
): Promise<NewEvent[]> {
  const added: NewTag[] = []
  const removed: { personId: number; tagId: number }[] = []
  for (const { personId, answer } of given) {
    const before = new Set(rows.get(personId)?.tags)
    for (const tagId of answer.autoTags) if (!before.has(tagId)) added.push(byRule(personId, tagId, how.now))
    for (const tagId of before) if (!answer.autoTags.includes(tagId)) removed.push({ personId, tagId })
  }
  const touched = [...added, ...removed]
  const persons = touched.map(({ personId }) => personId)
  const tags = [...new Set(touched.map(({ tagId }) => tagId))]
  const key = ({ personId, tagId }: { personId: number; tagId: number }): string => `${personId} ${tagId}`
  const before = new Set((await selectHeld(tx, persons, tags)).map(key))
  await upsertPersonTags(tx, added)
  await deletePersonTags(tx, removed, 'auto')
  const after = new Set((await selectHeld(tx, persons, tags)).map(key))
  return touched.flatMap((row) => {
    if (before.has(key(row)) === after.has(key(row))) return []
    const type = after.has(key(row)) ? 'tag_added' : 'tag_removed'
    return [
      event(type, row.personId, row.tagId, { tagId: row.tagId, producer: 'system', origin: 'auto' }, how),
    ]
  })
}

async function writeValues(
  tx: Tx,
  given: readonly Given[],
  rows: ReadonlyMap<number, AutoRow>,
  how: { reading: number; now: Date },
): Promise<NewEvent[]> {
  const claims: (NewTag & { groupId: number })[] = []
  const dropped: { personId: number; groupId: number; origin: 'auto' }[] = []
  for (const { personId, answer } of given) {
    // After a merge each profile may have brought a claim: one is left of them, or none.
    const before = Map.groupBy(rows.get(personId)?.claims ?? [], ({ group }) => group)
    for (const [groupId, tagId] of answer.autoValues) {
      const said = before.get(groupId)
      if (said?.length === 1 && said[0]?.tag === tagId) continue
      if (before.has(groupId)) dropped.push({ personId, groupId, origin: 'auto' })
      claims.push({ ...byRule(personId, tagId, how.now), groupId })
    }
    for (const groupId of before.keys()) {
      if (!answer.autoValues.has(groupId)) dropped.push({ personId, groupId, origin: 'auto' })
    }
  }
  // Values that stand without a claim follow the attributes that mean them.
  const moved = given.filter(({ personId, answer }) => !sameValues(rows.get(personId), answer))
  const persons = [...new Set([...claims, ...dropped, ...moved].map(({ personId }) => personId))]
  if (persons.length === 0) return []
  return settle(tx, persons, how, async () => {
    await deleteClaims(tx, dropped)
    await upsertClaims(tx, claims)
  })
}

/** Runs a change of claims of locked persons, makes the values follow, and tells which have changed. */
export async function settle(
  tx: Tx,
  persons: readonly number[],
  how: { reading: number | string; now: Date },
  change: () => Promise<void>,
): Promise<NewEvent[]> {
  const key = ({ personId, groupId }: { personId: number; groupId: number }): string =>
    `${personId} ${groupId}`
  const before = new Map((await selectSTags(tx, persons)).map((row) => [key(row), row]))
  await change()
  await settleSTags(tx, persons)
  const after = new Map((await selectSTags(tx, persons)).map((row) => [key(row), row]))
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((place) => {
    const [was, is] = [before.get(place), after.get(place)]
    const told = is ?? was
    if (!told || was?.tagId === is?.tagId || followsAttribute(was, is)) return []
    const data = {
      groupId: told.groupId,
      from: was?.tagId ?? null,
      to: is?.tagId ?? null,
      producer: told.producer,
      origin: told.origin === 'attribute' ? ('synced' as const) : told.origin,
    }
    return [event('s_tag_changed', told.personId, told.groupId, data, how)]
  })
}

/** Then the event of the attribute has told it already. */
function followsAttribute(was: SRow | undefined, is: SRow | undefined): boolean {
  return [was, is].every((row) => row === undefined || row.origin === 'attribute')
}

function byRule(personId: number, tagId: number, at: Date): NewTag {
  return {
    personId,
    profileId: personId,
    tagId,
    origin: 'auto',
    producer: 'system',
    at,
    staffId: null,
    reason: null,
  }
}

function event(
  type: 'tag_added' | 'tag_removed' | 's_tag_changed',
  personId: number,
  object: number,
  data: object,
  { reading, now }: { reading: number | string; now: Date },
): NewEvent {
  return { id: idOf(type, personId, object, reading), type, profileId: personId, personId, at: now, data }
}
