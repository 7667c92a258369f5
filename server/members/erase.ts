/**
 * Erasing a person (PIPL article 47): what is known of somebody goes, for good; counts and sums stay.
 *
 * Always true: afterwards no row holds a name, an identifier or an attribute that somebody said of the person, and the
 * keys that sealed the values are gone with them; orders and events stand under a number that leads to nobody. Keyed
 * hashes stay behind as marks: whatever file or call names the person again brings nothing back (resolve.ts), also one
 * that runs at the same moment, until somebody lifts them. What a remark says of somebody else stays as it was said.
 */
import { append } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { type IdentifierKind, identifierRules } from './identifier.ts'
import type { ByHand } from './merges.ts'
import { normaliseIdentifier } from './normalise.ts'
import { unsealSome } from './secret.ts'
import { lockClosure, settle } from './settle.ts'
import { BY_IDENTIFIER, type MembersDeps } from './settle-world.ts'
import { deleteProfiles, profilesOf } from './store.ts'
import {
  closeResolving,
  deleteMarkedHints,
  deleteMarks,
  emptyPersons,
  forgetDecisions,
  insertMarks,
  numbersOf,
} from './store-erasure.ts'
import { mayJoin } from './undo-import.ts'

/** Errors: `not_found` where the person is not there (any more); `unavailable` while others are brought in. Answers how many records were erased. */
export async function erasePerson(
  deps: MembersDeps,
  tx: Tx,
  personId: number,
  by: ByHand,
): Promise<{ profiles: number }> {
  await closeResolving(tx)
  const before = (await profilesOf(tx, [personId])).map(({ id }) => id)
  const around = await mayJoin(tx, before)
  await lockClosure(tx, [...new Set([personId, ...around])])
  const profiles = (await profilesOf(tx, [personId])).map(({ id }) => id)
  if (profiles.length === 0) throw new Problem('not_found', 'There is no such member.')
  const persons = await numbersOf(tx, personId)
  await insertMarks(tx, profiles, { erasure: newId(by.at), at: by.at })
  await unsealSome(tx, deps.keys, await deleteMarkedHints(tx, profiles))
  await forgetDecisions(tx, { persons, profiles })
  for (const follower of deps.followers) await follower.erased?.(tx, { persons, at: by.at })
  await deleteProfiles(tx, profiles)
  await emptyPersons(tx, persons, by.at)
  await settleOthers(deps, tx, { around, persons }, by)
  const event = { type: 'person_erased' as const, profileId: personId, personId, at: by.at, data: {} }
  await append(tx, [{ ...event, id: newId(by.at) }], {
    lane: 'live',
    source: 'liuliang',
    receivedAt: by.at,
  })
  return { profiles: profiles.length }
}

/** Whoever shared a number with the erased is looked at again: a contradiction may be gone with them. */
async function settleOthers(
  deps: MembersDeps,
  tx: Tx,
  { around, persons }: { around: readonly number[]; persons: readonly number[] },
  by: ByHand,
): Promise<void> {
  const start = around.filter((id) => !persons.includes(id))
  if (start.length === 0) return
  const task = { start, words: new Map(), fresh: new Map(), act: { ...BY_IDENTIFIER, actor: by.actor } }
  await settle(deps, tx, task, { lane: 'live', source: 'liuliang', at: by.at })
}

/**
 * Somebody who was erased wants to be a member again: nothing is refused any more that names them.
 * Errors: `not_found` where nobody with this identifier was erased; `bad_input` where it is none.
 */
export async function liftErasure(
  deps: MembersDeps,
  tx: Tx,
  { kind, value, scope }: { kind: IdentifierKind; value: string; scope: string },
): Promise<void> {
  const normal = normaliseIdentifier(kind, value)
  if (!normal?.valid || !identifierRules[kind]) {
    throw new Problem('bad_input', 'This is no such identifier: check the kind and the value.', {
      field: 'value',
    })
  }
  const digest = deps.keys.index.digest(kind, scope, normal.value).toString('hex')
  if ((await deleteMarks(tx, digest)) === 0) {
    throw new Problem('not_found', 'Nobody with this identifier was erased.', { field: 'value' })
  }
}
