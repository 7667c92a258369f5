/** What the program itself, staff or a channel says of persons that are known: consents, owner, attributes, relations. */
import type { Tx } from '../platform/postgres/database.ts'
import {
  type ConsentState,
  type Facts,
  factsOf,
  type IncomingAttributes,
  type IncomingRelation,
  type ResolveHow,
} from './incoming.ts'
import { proposeFromRemarks } from './remarks.ts'
import { together } from './resolve.ts'
import { lockClosure, settle } from './settle.ts'
import { BY_IDENTIFIER, type MembersDeps } from './settle-world.ts'
import { claimantsOf } from './store-claims.ts'
import { personsOf, presentPersonsOf } from './store-persons.ts'

/** `personId` may be a person that was absorbed meanwhile: the word is kept with that person's own profile. */
export type Word = {
  personId: number
  /** When it was so; else the time of the call. */
  at?: Date
  /** A text of the brand's own that is empty takes the attribute away. */
  attributes?: IncomingAttributes
  consents?: readonly { channel: string; state: ConsentState }[]
  relations?: readonly IncomingRelation[]
  /** What a channel told about reaching the person: {"sms": "failed"}. */
  results?: Readonly<Record<string, 'delivered' | 'failed' | 'blocked'>>
}

/**
 * Writes words about known persons, in one transaction, with their events. Words about persons who are gone are left
 * out; answers how many were taken.
 */
export async function tell(
  deps: MembersDeps,
  tx: Tx,
  words: readonly Word[],
  how: ResolveHow,
): Promise<number> {
  const own = await personsOf(
    tx,
    words.map(({ personId }) => personId),
  )
  const present = await presentPersonsOf(
    tx,
    words.map(({ personId }) => personId).filter((id) => !own.has(id)),
  )
  const told = new Map<number, Facts>()
  for (const word of words) {
    const profileId = own.has(word.personId) ? word.personId : present.get(word.personId)
    if (profileId === undefined) continue
    const facts = factsFrom(deps, word, how)
    const before = told.get(profileId)
    told.set(profileId, before ? together(before, facts) : facts)
  }
  if (told.size === 0) return 0
  const start = [...new Set((await personsOf(tx, [...told.keys()])).values())]
  const locked = await lockClosure(tx, start)
  const task = { start, locked, words: told, fresh: new Map(), act: BY_IDENTIFIER }
  const { personOf } = await settle(deps, tx, task, how)
  // Remarks may name phones: hints, the only claims that words bring.
  const hints = [...told.values()].flatMap(({ claims }) => claims)
  const claimants = await claimantsOf(tx, hints, 'all')
  await proposeFromRemarks(tx, claimants, (id, person) => personOf.get(id) ?? person, how.at)
  return told.size
}

function factsFrom(deps: MembersDeps, word: Word, how: ResolveHow): Facts {
  const row = { externalId: 'known', identifiers: [], ...word, at: word.at ?? how.at }
  const facts = factsOf(row, how, deps.keys, 0)
  const gone = Object.entries(word.attributes?.custom ?? {})
    .filter(([, value]) => value === '')
    .map(([name]) => [`custom.${name.slice(0, 60)}`, ['', row.at.getTime()]] as const)
  const results = Object.entries(word.results ?? {}).map(
    ([channel, result]) => [`result.${channel}`, [result, how.at.getTime()]] as const,
  )
  return { ...facts, attributes: { ...facts.attributes, ...Object.fromEntries([...results, ...gone]) } }
}
