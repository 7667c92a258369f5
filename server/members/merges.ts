/**
 * Merges and partings by hand, and the answers to identity questions.
 *
 * Always true: what people decide is a verdict about two profiles; who is one person follows from verdicts and
 * identifiers alone (partition.ts). So an undo only takes a verdict or a claim back, and everything is as if the merge
 * had never been: persons, identifiers, attributes, consents, owner and relations fold from their own profiles.
 */
import { newId } from '../platform/ids.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import type { ResolveHow } from './incoming.ts'
import { lockClosure, type Settled, settle } from './settle.ts'
import type { Act, MembersDeps } from './settle-world.ts'
import { profilesOf } from './store.ts'
import {
  closeMerges,
  decideReview,
  disownClaims,
  insertMerges,
  type MergeRow,
  mergeById,
  putVerdict,
  type ReviewRow,
  revertVerdicts,
  reviewById,
  revokeApart,
} from './store-merges.ts'
import { personsOf, presentPersonsOf } from './store-persons.ts'

/** Who decides, and when. */
export type ByHand = { readonly actor: string | null; readonly at: Date }

/**
 * Joins two persons (numbers of live or absorbed ones). The older number is kept; what the profiles `keeps`, those of one
 * side, say wins over what the others said before (fold.ts). Answers the merge.
 * Errors: `not_found`, `conflict` where they are one already, `not_allowed` for a demo and a real person.
 */
export async function mergePersons(
  deps: MembersDeps,
  tx: Tx,
  pair: readonly [number, number],
  by: ByHand,
  keeps: readonly number[] = [],
): Promise<string> {
  const [one, other] = await lockPair(tx, pair)
  if (one === other) throw new Problem('conflict', 'They are one person already.')
  if (isDemo(one) !== isDemo(other))
    throw new Problem('not_allowed', 'A demo person and a real one cannot be joined.')
  const mergeId = newId(by.at)
  const profiles = await profilesOf(tx, [one, other])
  const of = (person: number): number[] =>
    profiles.filter(({ personId }) => personId === person).map(({ id }) => id)
  await revokeApart(tx, of(one), of(other), { mergeId, at: by.at })
  await putVerdict(tx, { id: newId(by.at), pair: [one, other], says: 'together', keeps, mergeId, ...by })
  const act: Act = { cause: 'hand', actor: by.actor, merge: { id: mergeId, absorbed: Math.max(one, other) } }
  await settleByHand(deps, tx, [one, other], act, by)
  return mergeId
}

/**
 * Undoes a merge. One by hand is as if it had never been. One by identifiers also tells the two apart for good: the
 * claims that joined them are disowned, and nothing joins them again but a hand.
 * Errors: `not_found`; `conflict` where it is undone already.
 */
export async function undoMerge(deps: MembersDeps, tx: Tx, mergeId: string, by: ByHand): Promise<void> {
  const merge = await mergeById(tx, mergeId)
  if (!merge) throw new Problem('not_found', 'There is no such merge.')
  const present = await personsOf(tx, [merge.absorbed, merge.kept])
  await lockClosure(tx, [...new Set(present.values())])
  const again = await mergeById(tx, mergeId)
  if (!again || again.undoneAt !== null) throw new Problem('conflict', 'This merge has been undone already.')
  if (merge.cause === 'hand') await revertVerdicts(tx, mergeId, by.at)
  else {
    await disownClaims(tx, merge.via)
    if (present.has(merge.kept) && present.has(merge.absorbed)) {
      await putVerdict(tx, {
        id: newId(by.at),
        pair: [merge.kept, merge.absorbed],
        says: 'apart',
        mergeId: null,
        ...by,
      })
    }
  }
  const act: Act = { cause: 'identifier', actor: by.actor, undoes: { cause: 'hand', mergeId } }
  const settled = await settleByHand(deps, tx, [...new Set(present.values())], act, by)
  await closeIfStillJoined(tx, merge, settled, by)
}

/** Identifiers may join them as well: then they stay one, by a merge of that cause. */
async function closeIfStillJoined(tx: Tx, merge: MergeRow, settled: Settled, by: ByHand): Promise<void> {
  const open = await mergeById(tx, merge.id)
  if (open?.undoneAt !== null) return
  await closeMerges(tx, [merge.id], { ...by, cause: 'hand' })
  if (settled.personOf.get(merge.absorbed) === merge.absorbed) return
  await insertMerges(tx, [
    { ...merge, id: newId(by.at), cause: 'identifier', via: [], actor: null, at: by.at, undoneAt: null },
  ])
}

/**
 * Says that these persons are different people; nothing but a hand joins them from now on.
 * Errors: `not_found`.
 */
export async function keepApart(
  deps: MembersDeps,
  tx: Tx,
  persons: readonly number[],
  by: ByHand,
): Promise<void> {
  const live = [...new Set([...(await presentPersonsOf(tx, persons)).values()])].sort((a, b) => a - b)
  if (live.length < 2) throw new Problem('conflict', 'They are one person already; undo the merge instead.')
  await lockClosure(tx, live)
  for (const [index, low] of live.entries()) {
    for (const high of live.slice(index + 1)) {
      await putVerdict(tx, { id: newId(by.at), pair: [low, high], says: 'apart', mergeId: null, ...by })
    }
  }
  await settleByHand(deps, tx, live, { cause: 'identifier', actor: by.actor }, by)
}

/**
 * Answers a question with "one person": all its sides become one. With `keep`, one of the sides, its words win. Answers
 * the last merge. Errors: `bad_input` where `keep` is none of them, and as `mergePersons`.
 */
export async function joinReview(
  deps: MembersDeps,
  tx: Tx,
  reviewId: string,
  by: ByHand & { keep?: number | undefined },
): Promise<string> {
  const { keep, ...hand } = by
  const review = await openReview(tx, reviewId)
  const sides = await sidesOf(tx, review)
  if (keep !== undefined && !sides.includes(keep))
    throw new Problem('bad_input', 'The one to keep is no side of this question.', { field: 'keep' })
  const first = keep ?? sides[0]
  const others = sides.filter((side) => side !== first)
  if (first === undefined || others.length === 0)
    throw new Problem('conflict', 'They are one person already.')
  await lockClosure(tx, sides)
  // Of several joins the first already brings the words of another side to the one to keep.
  const keeps = keep === undefined ? [] : (await profilesOf(tx, [keep])).map(({ id }) => id)
  let mergeId = ''
  for (const other of others) mergeId = await mergePersons(deps, tx, [first, other], hand, keeps)
  await decideReview(tx, reviewId, { state: 'joined', ...hand })
  return mergeId
}

/** Answers a question with "different people". */
export async function apartReview(deps: MembersDeps, tx: Tx, reviewId: string, by: ByHand): Promise<void> {
  const review = await openReview(tx, reviewId)
  await keepApart(deps, tx, await sidesOf(tx, review), by)
  await decideReview(tx, reviewId, { state: 'apart', ...by })
}

/** The live persons that a question is about, in order. */
export async function sidesOf(db: Db, review: Pick<ReviewRow, 'profiles'>): Promise<number[]> {
  return [...new Set([...(await presentPersonsOf(db, review.profiles)).values()])].sort((a, b) => a - b)
}

async function openReview(tx: Tx, id: string): Promise<ReviewRow> {
  const review = await reviewById(tx, id)
  if (!review) throw new Problem('not_found', 'There is no such question.')
  if (review.state !== 'open') throw new Problem('conflict', 'This question has been answered already.')
  return review
}

/** Locks both and answers who they are by then. */
async function lockPair(tx: Tx, pair: readonly [number, number]): Promise<[number, number]> {
  const before = await presentPersonsOf(tx, pair)
  await lockClosure(tx, [...new Set(before.values())])
  const [one, other] = pair.map((id) => before.get(id))
  if (one === undefined || other === undefined) throw new Problem('not_found', 'There is no such person.')
  const now = await presentPersonsOf(tx, pair)
  if (now.get(pair[0]) !== one || now.get(pair[1]) !== other)
    throw new Problem('conflict', 'They have just changed. Look again.')
  return [one, other]
}

async function settleByHand(
  deps: MembersDeps,
  tx: Tx,
  start: readonly number[],
  act: Act,
  by: ByHand,
): Promise<Settled> {
  const how: ResolveHow = { lane: 'live', source: 'liuliang', at: by.at }
  const locked = await lockClosure(tx, start)
  return settle(deps, tx, { start, locked, words: new Map(), fresh: new Map(), act }, how)
}

/** The bit that says demo (0004-members.sql). */
export function isDemo(id: number): boolean {
  return (id & 536_870_912) !== 0
}
