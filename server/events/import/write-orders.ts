/** The orders of a chunk, in its transaction: stores and staff, buyers, documents, refunds, and what an undo needs. */
import type { Actor } from '../../org/org.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { OrderDocument, RefundDocument } from '../order-state.ts'
import { type Recorded, recordOrders, recordRefunds } from '../orders.ts'
import type { Buyer, BuyerBook } from './buyers.ts'
import { type Chunk, refuse } from './chunk.ts'
import type { KeySet } from './key-set.ts'
import type { OrderDraft, OrderPlan } from './order-group.ts'
import type { BuyerPart } from './order-row.ts'
import { identifier } from './person-row.ts'
import { addUnknown, type PlaceBook, type StaffName, type StoreName } from './places.ts'
import type { PersonStatement, Resolve, ResolveHow } from './ports.ts'
import { type ChunkLog, selectKnownOrders, selectRefunds, selectVersions } from './store-chunks.ts'

export type WriteHow = ResolveHow & { now: Date; actor: Actor }
export type Written = {
  book: PlaceBook
  log: Omit<ChunkLog, 'importId' | 'number'>
  /** For the buyer book, once the transaction has committed. */
  learned: ReadonlyMap<string, Buyer>
  /** Every buyer of the chunk, for who was met. */
  named: readonly string[]
}

export type OrdersHow = WriteHow & {
  buyers: BuyerBook
  /** Buyers of the chunks before: each counts once in a run, also where a dry run forgets what it made. */
  met: KeySet
}

/** Writes the plans and counts into `chunk` what became of them. */
export async function writeOrders(
  tx: Tx,
  resolve: Resolve,
  chunk: Chunk,
  given: PlaceBook,
  how: OrdersHow,
): Promise<Written> {
  const { book, added } = await addUnknown(tx, how.actor, given, {
    ...namesOf(chunk.orders),
    before: 0,
    importId: how.importId,
  })
  chunk.counts.storesCreated += added
  const plans = chunk.orders.filter((plan) => placed(chunk, plan, book))
  const { drafts, refunds } = await withoutOriginals(tx, plans, how.source)
  const { buyers, learned, erased, named } = await resolveBuyers(tx, resolve, drafts, chunk, how)
  const documents = drafts.map((draft) =>
    documentOf(draft, buyers.get(buyerKey(draft.buyer)), book, how.source),
  )
  const append = { lane: how.lane, source: how.source, receivedAt: how.now } as const
  const recorded = await recordOrders(tx, documents, append)
  const before = await selectRefunds(tx, how.source, refunds.map(refundKey))
  if (refunds.length > 0) await recordRefunds(tx, refunds, append)
  count(chunk, plans, recorded, erased)
  const log = logOf(recorded)
  const fresh = refunds.filter((refund) => !same(refund, before.get(refundKey(refund))))
  const touched = [...log.created, ...log.changed.map((one) => one.order.externalId)]
  return {
    book,
    learned,
    named,
    log: {
      created: log.created,
      changed: log.changed,
      versions: Object.fromEntries(await selectVersions(tx, how.source, touched)),
      refunds: fresh.map((refund) => ({
        externalId: refund.externalId,
        orderExternalId: refund.orderExternalId,
        before: before.get(refundKey(refund)) ?? null,
      })),
    },
  }
}

function namesOf(plans: readonly OrderPlan[]): { stores: StoreName[]; staff: StaffName[] } {
  const stores: StoreName[] = []
  const staff: StaffName[] = []
  for (const draft of plans.flatMap(draftsOf)) {
    const store = { ...draft.store, side: draft.state.side }
    stores.push(store)
    staff.push({ ...draft.seller, store })
  }
  return { stores, staff }
}

/** The orders that a plan can become: itself, and refunds that may stand alone. */
export function draftsOf(plan: OrderPlan): OrderDraft[] {
  const alone = plan.refunds.flatMap((refund) => refund.alone ?? [])
  return plan.order ? [plan.order, ...alone] : alone
}

/** Refuses an order whose store has a name that two stores bear. */
function placed(chunk: Chunk, plan: OrderPlan, book: PlaceBook): boolean {
  if (!draftsOf(plan).some((draft) => book.store(draft.store) === 'ambiguous')) return true
  refuse(chunk, plan.rows, 'store', 'store_ambiguous')
  return false
}

/** Refunds go to their orders; those whose order nobody knows, and that can, stand for themselves. */
async function withoutOriginals(
  tx: Tx,
  plans: readonly OrderPlan[],
  source: string,
): Promise<{ drafts: OrderDraft[]; refunds: RefundDocument[] }> {
  const lone = plans.filter(
    (plan) => plan.order === null && plan.refunds.some((refund) => refund.alone !== null),
  )
  const known = await selectKnownOrders(
    tx,
    source,
    lone.map((plan) => plan.externalId),
  )
  const drafts: OrderDraft[] = []
  const refunds: RefundDocument[] = []
  for (const plan of plans) {
    if (plan.order) drafts.push(plan.order)
    const original = plan.order !== null || known.has(plan.externalId)
    for (const refund of plan.refunds) {
      if (!original && refund.alone) drafts.push(refund.alone)
      else {
        const { id, at, refundedCents, lines } = refund
        refunds.push({ source, externalId: id, orderExternalId: plan.externalId, at, refundedCents, lines })
      }
    }
  }
  return { drafts, refunds }
}

/**
 * Each buyer of the chunk once. The time of what is said is that of the import: what it repeats is nothing new. Orders of
 * who asked to be forgotten (`erased`) count in totals, without a buyer.
 */
async function resolveBuyers(
  tx: Tx,
  resolve: Resolve,
  drafts: readonly OrderDraft[],
  chunk: Chunk,
  how: OrdersHow,
): Promise<{
  buyers: Map<string, Buyer>
  learned: Map<string, Buyer>
  erased: Set<string>
  named: string[]
}> {
  const parts = new Map<string, readonly BuyerPart[]>()
  for (const { buyer } of drafts) if (buyer.length > 0) parts.set(buyerKey(buyer), buyer)
  const buyers = await how.buyers.find(tx, parts.keys())
  const named = [...parts.keys()]
  const firstMet = new Set(named.filter((key) => !how.met.has(key)))
  chunk.counts.people += firstMet.size
  const unknown = [...parts].filter(([key]) => !buyers.has(key))
  const answers = await resolve(
    tx,
    unknown.map(([, buyer]) => buyerStatement(buyer, how.source)),
    how,
  )
  const learned = new Map<string, Buyer>()
  const erased = new Set<string>()
  for (const [place, [key]] of unknown.entries()) {
    const answer = answers[place]
    if (answer === undefined) throw new Error('a buyer without an answer')
    if (answer === null) {
      erased.add(key)
      continue
    }
    learned.set(key, { profileId: answer.profileId, personId: answer.personId })
    chunk.counts.peopleCreated += answer.newPerson && firstMet.has(key) ? 1 : 0
    chunk.counts.merged += answer.merged.length
    chunk.counts.reviews += answer.review === null ? 0 : 1
  }
  for (const [key, buyer] of learned) buyers.set(key, buyer)
  return { buyers, learned, erased, named }
}

function buyerStatement(buyer: readonly BuyerPart[], source: string): PersonStatement {
  const identifiers: PersonStatement['identifiers'] = []
  let externalId: string | null = null
  let name: string | null = null
  for (const [kind, value] of buyer) {
    if (kind === 'number') externalId = value
    else if (kind === 'name') name = value
    else identifiers.push(identifier(kind, value, source))
  }
  // Whoever is named on an order may be another than the member: it is shown where nobody said a name.
  return { externalId, identifiers, attributes: { nickname: name } }
}

/** What an order says of its buyer, as one text; empty for nobody. */
export function buyerKey(buyer: readonly BuyerPart[]): string {
  return buyer.length === 0 ? '' : JSON.stringify(buyer)
}

function documentOf(
  draft: OrderDraft,
  buyer: Buyer | undefined,
  book: PlaceBook,
  source: string,
): OrderDocument {
  return {
    profileId: buyer?.profileId ?? null,
    personId: buyer?.personId ?? null,
    order: {
      source,
      externalId: draft.externalId,
      ...draft.state,
      storeId: idOrNull(book.store(draft.store)),
      sellerId: idOrNull(book.staff(draft.seller)),
    },
  }
}

function idOrNull(found: string | null | undefined): string | null {
  return found === undefined || found === 'ambiguous' ? null : found
}

function count(
  chunk: Chunk,
  plans: readonly OrderPlan[],
  recorded: readonly Recorded[],
  erased: ReadonlySet<string>,
): void {
  const { counts } = chunk
  for (const { outcome } of recorded) {
    counts.orders += 1
    if (outcome === 'created') counts.created += 1
    else if (outcome === 'changed') counts.changed += 1
    else counts.unchanged += 1
  }
  for (const plan of plans) {
    counts.accepted += plan.rows.length
    for (const row of plan.rows) if (row.buyer.length === 0) counts.rowsWithoutBuyer += 1
    for (const { buyer } of draftsOf(plan)) {
      if (buyer.length === 0 || erased.has(buyerKey(buyer))) counts.ordersWithoutBuyer += 1
    }
  }
}

function logOf(recorded: readonly Recorded[]): { created: string[]; changed: OrderDocument[] } {
  const created = recorded.filter(({ outcome }) => outcome === 'created').map(({ externalId }) => externalId)
  const changed = recorded.flatMap(({ outcome, previous }) =>
    outcome === 'changed' && previous ? [previous] : [],
  )
  return { created, changed }
}

function refundKey(refund: RefundDocument): string {
  return `${refund.orderExternalId}/${refund.externalId}`
}

function same(
  refund: RefundDocument,
  before: { at: string; refundedCents: number; lines: unknown } | undefined,
): boolean {
  return (
    before !== undefined &&
    before.refundedCents === refund.refundedCents &&
    JSON.stringify(before.lines) === JSON.stringify(refund.lines)
  )
}
