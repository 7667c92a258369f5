/** A phone in a guide's remark proposes that its owner and the contact are one person; it never joins them. */
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import type { Claimant } from './store-claims.ts'
import { putProposals } from './store-merges.ts'
import { personsOf } from './store-persons.ts'

/** How sure a remark makes it: a guide wrote the number of this very contact. */
const SURE = 0.8

/** Proposes each hint's contact and each profile that claims the number itself. Answers review ids by profile. */
export async function proposeFromRemarks(
  tx: Tx,
  claimants: readonly Claimant[],
  personOf: (profileId: number, before: number) => number,
  at: Date,
): Promise<Map<number, string>> {
  const pairs = new Map<string, [Claimant, Claimant]>()
  for (const claims of Map.groupBy(claimants, ({ digest }) => digest).values()) {
    const hints = claims.filter(({ state }) => state === 'hint')
    const owners = claims.filter(({ links }) => links)
    for (const hint of hints) {
      for (const owner of owners) {
        const [one, other] = [
          personOf(hint.profileId, hint.personId),
          personOf(owner.profileId, owner.personId),
        ]
        if (one !== other) pairs.set(`${Math.min(one, other)}-${Math.max(one, other)}`, [hint, owner])
      }
    }
  }
  if (pairs.size === 0) return new Map()
  const present = await personsOf(
    tx,
    [...pairs.values()].flat().map(({ profileId }) => profileId),
  )
  const proposals = [...pairs].map(([pair, [hint, owner]]) => {
    const persons = [present.get(hint.profileId) ?? 0, present.get(owner.profileId) ?? 0].sort(
      (a, b) => a - b,
    )
    const evidence = [{ field: 'remark', says: 'same_phone' }]
    return {
      pair,
      hint,
      owner,
      proposal: { id: newId(at), low: persons[0] ?? 0, high: persons[1] ?? 0, score: SURE, evidence },
    }
  })
  const written = await putProposals(
    tx,
    proposals.map(({ proposal }) => proposal).filter(({ low, high }) => low !== high),
    at,
  )
  const reviews = new Map<number, string>()
  for (const { hint, owner, proposal } of proposals) {
    const id = written.get(`${proposal.low}-${proposal.high}`)
    if (id === undefined) continue
    reviews.set(hint.profileId, id)
    reviews.set(owner.profileId, id)
  }
  return reviews
}
