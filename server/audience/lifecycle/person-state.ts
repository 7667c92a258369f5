/** The states of one person as of an instant, and the first instant at which one of them is another without an event. */
import {
  type AiplStage,
  aiplOf,
  type Bands,
  edgesOf,
  INTERACTION_SILENT_DAYS,
  interactionSilentOf,
  JOIN_NEW_DAYS,
  JOIN_RECENT_DAYS,
  type JoinRecency,
  joinRecencyOf,
  type LifecycleState,
  lifecycleOf,
  medianGap,
  nextEdge,
  type OrderStage,
  type OwnCycleState,
  orderStageOf,
  ownCycleOf,
  ownEdges,
} from '../../../contract/lifecycle.ts'
import {
  type CutPoints,
  nextRecencyCut,
  type RfmGroup,
  rfmGroupOf,
  rfmScores,
} from '../../../contract/rfm.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import type { ZoneDays } from '../rule/zone-days.ts'

export type PersonState = {
  lifecycle: LifecycleState
  ownCycle: OwnCycleState
  orderStage: OrderStage
  aipl: AiplStage
  joinRecency: JoinRecency
  interactionSilent: boolean
  purchases: number
  spentCents: number
  firstPurchaseAt: number | null
  lastPurchaseAt: number | null
  medianGapDays: number | null
  lastInteractionAt: number | null
  r: number | null
  f: number | null
  m: number | null
  rfmGroup: RfmGroup | null
}

/** Purchases of a person at or before now: `count` of them from the place `from` on; amounts in cents. */
export type Bought = { at: Float64Array; amounts: Float64Array; from: number; count: number }

/** `next` is Infinity where nothing changes by itself. */
export function stateOf(
  facts: Pick<PersonFacts, 'joinedAt' | 'lastInteractionAt'>,
  { at, amounts, from, count }: Bought,
  now: number,
  brand: { days: ZoneDays; bands: Bands; cuts: CutPoints | null },
): { state: PersonState; next: number } {
  const { days, bands, cuts } = brand
  const today = days.of(now)
  let spentCents = 0
  const purchaseDays: number[] = []
  for (let row = from; row < from + count; row += 1) {
    spentCents += amounts[row] ?? 0
    const day = days.of(at[row] ?? 0)
    if (purchaseDays[purchaseDays.length - 1] !== day) purchaseDays.push(day)
  }
  const lastDay = purchaseDays.at(-1)
  const sincePurchase = lastDay === undefined ? null : today - lastDay
  const joinDay = facts.joinedAt === null ? null : days.of(facts.joinedAt)
  const sinceJoining = joinDay === null ? null : today - joinDay
  const heard =
    facts.lastInteractionAt !== null && facts.lastInteractionAt <= now ? facts.lastInteractionAt : null
  const sinceInteraction = heard === null ? null : today - days.of(heard)
  const gap = medianGap(purchaseDays)
  const lifecycle = lifecycleOf(sincePurchase, sinceJoining, edgesOf(bands))
  const scores =
    cuts && sincePurchase !== null
      ? rfmScores({ recencyDays: sincePurchase, purchases: count, spentCents }, cuts)
      : null
  const state: PersonState = {
    lifecycle,
    ownCycle: ownCycleOf(sincePurchase, gap),
    orderStage: orderStageOf(count),
    aipl: aiplOf({
      purchases: count,
      lifecycle,
      joined: facts.joinedAt !== null,
      interacted: heard !== null,
    }),
    joinRecency: joinRecencyOf(sinceJoining),
    interactionSilent: interactionSilentOf(sinceInteraction, sinceJoining),
    purchases: count,
    spentCents,
    firstPurchaseAt: count > 0 ? (at[from] ?? null) : null,
    lastPurchaseAt: count > 0 ? (at[from + count - 1] ?? null) : null,
    medianGapDays: gap,
    lastInteractionAt: heard,
    r: scores?.r ?? null,
    f: scores?.f ?? null,
    m: scores?.m ?? null,
    rfmGroup: scores ? rfmGroupOf(scores) : null,
  }
  let first = Number.POSITIVE_INFINITY
  const after = (day: number | null | undefined, since: number | null | undefined): void => {
    if (day === null || day === undefined || since === null || since === undefined) return
    if (day + since < first) first = day + since
  }
  after(lastDay, sincePurchase === null ? null : nextEdge(sincePurchase, edgesOf(bands)))
  const own = ownEdges(gap)
  if (own && sincePurchase !== null) after(lastDay, nextEdge(sincePurchase, own))
  if (cuts && sincePurchase !== null) after(lastDay, nextRecencyCut(sincePurchase, cuts))
  if (sincePurchase === null && sinceJoining !== null) after(joinDay, nextEdge(sinceJoining, edgesOf(bands)))
  if (sinceJoining !== null) {
    if (sinceJoining <= JOIN_NEW_DAYS) after(joinDay, JOIN_NEW_DAYS + 1)
    else if (sinceJoining <= JOIN_RECENT_DAYS) after(joinDay, JOIN_RECENT_DAYS + 1)
  }
  const silentFrom = heard === null ? joinDay : days.of(heard)
  if (!state.interactionSilent) after(silentFrom, INTERACTION_SILENT_DAYS)
  let next = Number.isFinite(first) ? days.start(first) : Number.POSITIVE_INFINITY
  if (facts.lastInteractionAt !== null && heard === null) next = Math.min(next, facts.lastInteractionAt)
  return { state, next }
}
