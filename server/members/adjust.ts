/** Changes of the brand's own attributes that depend on what stands: only once, add up, append to a list, take away. */
import type { Tx } from '../platform/postgres/database.ts'
import { type AttributeValue, latest, type Said } from './attributes.ts'
import type { IncomingAttributes, ResolveHow } from './incoming.ts'
import { lockClosure } from './settle.ts'
import type { MembersDeps } from './settle-world.ts'
import { profilesOf } from './store.ts'
import { personsOf } from './store-persons.ts'
import { tell, type Word } from './tell.ts'

export type Adjustment = {
  profileId: number
  at: Date
  /** Fields with a place of their own, to be set. */
  set: IncomingAttributes
  /** The brand's own, to be set. */
  custom: Readonly<Record<string, AttributeValue>>
  /** Set where nothing is known; a name with a leading dot is one of `set` (times of joining in ms since 1970). */
  once: Readonly<Record<string, AttributeValue>>
  add: Readonly<Record<string, number>>
  append: Readonly<Record<string, readonly string[]>>
  /** Names, or '*' for all. */
  unset: readonly string[]
}

const LONGEST_LIST = 500
const CUSTOM = 'custom.'

/**
 * Applies the changes in their order, in one transaction, with their events. Those of profiles that are gone are left
 * out; answers how many were taken. A change never goes under because its time is not the latest: it follows what stands.
 */
export async function adjust(
  deps: MembersDeps,
  tx: Tx,
  adjustments: readonly Adjustment[],
  how: Pick<ResolveHow, 'lane' | 'source' | 'at'>,
): Promise<number> {
  const ids = [...new Set(adjustments.map(({ profileId }) => profileId))]
  const before = await personsOf(tx, ids)
  await lockClosure(tx, [...new Set(before.values())])
  const personOf = await personsOf(tx, ids)
  const profiles = await profilesOf(tx, [...new Set(personOf.values())])
  const byPerson = Map.groupBy(profiles, ({ personId }) => personId)
  const known = new Map(
    [...byPerson].map(([person, own]) => {
      const fields = new Set(own.flatMap(({ attributes }) => Object.keys(attributes)))
      return [person, new Map([...fields].map((field) => [field, latest(own, field) as Said]))]
    }),
  )
  const words: Word[] = []
  for (const one of adjustments) {
    const stands = known.get(personOf.get(one.profileId) ?? 0)
    if (stands) words.push(wordOf(one, stands))
  }
  return tell(deps, tx, words, how)
}

/** What the adjustment comes to over what stands, which it changes along. */
function wordOf(one: Adjustment, stands: Map<string, Said>): Word {
  const custom: Record<string, AttributeValue> = {}
  let at = one.at.getTime()
  const put = (name: string, value: AttributeValue): void => {
    custom[name] = value
    at = Math.max(at, (stands.get(`${CUSTOM}${name}`)?.[1] ?? 0) + 1)
  }
  for (const [name, value] of Object.entries(one.custom)) custom[name] = value
  const set: Record<string, unknown> = { ...one.set }
  for (const [name, value] of Object.entries(one.once)) {
    const own = name.startsWith('.')
    const before = stands.get(own ? name.slice(1) : `${CUSTOM}${name}`)
    if (before !== undefined && before[0] !== '') continue
    if (own) set[name.slice(1)] = name === '.joinedAt' ? new Date(Number(value)) : value
    else put(name, value)
  }
  for (const [name, value] of Object.entries(one.add)) {
    const before = stands.get(`${CUSTOM}${name}`)?.[0]
    put(name, (typeof before === 'number' ? before : 0) + value)
  }
  for (const [name, values] of Object.entries(one.append))
    put(name, appended(stands.get(`${CUSTOM}${name}`)?.[0], values))
  for (const name of namesOf(one.unset, stands)) put(name, '')
  for (const [name, value] of Object.entries(custom)) stands.set(`${CUSTOM}${name}`, [value, at])
  return { personId: one.profileId, at: new Date(at), attributes: { ...(set as IncomingAttributes), custom } }
}

function namesOf(unset: readonly string[], stands: ReadonlyMap<string, Said>): string[] {
  if (!unset.includes('*')) return [...unset]
  return [...stands.keys()]
    .filter((field) => field.startsWith(CUSTOM))
    .map((field) => field.slice(CUSTOM.length))
}

/** A list is kept as JSON text, each value once; where it grows too long, the oldest go. */
function appended(before: AttributeValue | undefined, values: readonly string[]): string {
  const list = new Set([...listOf(before), ...values])
  let text = JSON.stringify([...list])
  while (text.length > LONGEST_LIST && list.size > 1) {
    list.delete([...list][0] as string)
    text = JSON.stringify([...list])
  }
  return text
}

function listOf(value: AttributeValue | undefined): string[] {
  if (typeof value !== 'string' || value === '') return []
  if (!value.startsWith('[')) return [value]
  try {
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list.map(String) : [value]
  } catch {
    return [value]
  }
}
