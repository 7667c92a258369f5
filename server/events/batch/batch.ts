/**
 * Orders, refunds and members as a brand's systems send them by JSON: each call is one transaction, and the same call
 * again changes nothing. Orders are known by (source, external id) for ever; buyers by their identifiers.
 */
import type { BatchMember, BatchOrder, BatchRefund } from '../../../contract/batch.ts'
import type { Actor } from '../../org/org.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import { addUnknown, PlaceBook } from '../import/places.ts'
import type { PersonStatement } from '../import/ports.ts'
import type { IntakePeople } from '../intake/ports.ts'
import type { OrderDocument } from '../order-state.ts'
import { recordOrders, recordRefunds } from '../orders.ts'
import { heard } from '../pulse.ts'

export type BatchParts = { db: Database; people: IntakePeople }
export type From = { source: string; backfill: boolean; actor: Actor }
type Outcome = { externalId: string; outcome: 'created' | 'changed' | 'unchanged' | 'older' | 'erased' }

function howOf({ source, backfill, actor }: From) {
  return { lane: backfill ? ('bulk' as const) : ('live' as const), source, receivedAt: actor.now }
}

/** Errors: `bad_row` naming the item where two stores bear its code. */
export function takeOrders(
  { db, people }: BatchParts,
  from: From,
  orders: readonly BatchOrder[],
): Promise<{ items: Outcome[] }> {
  const how = howOf(from)
  return db.transaction(async (tx) => {
    const places = await placesFor(tx, from.actor, orders)
    const named = orders.flatMap(({ buyer, memberNo }, place) =>
      memberNo !== null || (buyer && buyer.length > 0)
        ? [
            {
              place,
              ...(memberNo !== null && { record: { source: from.source, externalId: memberNo } }),
              identifiers: buyer ?? [],
            },
          ]
        : [],
    )
    const found = await people.refer(tx, named, { lane: how.lane, source: from.source, at: from.actor.now })
    const whose = new Map(named.map(({ place }, at) => [place, found[at] ?? null]))
    const documents = orders.map((order, place) =>
      documentOf(order, from.source, { ...places[place], ...whose.get(place) }),
    )
    const recorded = await recordOrders(tx, documents, how)
    await heard(tx, from.source, from.actor.now)
    return {
      items: recorded.map(({ externalId, outcome }, place) => ({
        externalId,
        outcome: whose.get(place) === null ? 'erased' : outcome,
      })),
    }
  })
}

type Places = { storeId: string | null; sellerId: string | null }

/** The store and seller of each order; those that nobody knows are added. */
async function placesFor(tx: Tx, actor: Actor, orders: readonly BatchOrder[]): Promise<Places[]> {
  const storeOf = ({ storeCode, side }: BatchOrder) => ({ code: storeCode, name: null, side })
  const { book } = await addUnknown(tx, actor, await PlaceBook.read(tx), {
    stores: orders.filter(({ storeCode }) => storeCode !== null).map(storeOf),
    staff: orders
      .filter(({ sellerCode }) => sellerCode !== null)
      .map((order) => ({ code: order.sellerCode, name: null, store: storeOf(order) })),
    before: 0,
  })
  return orders.map((order, row) => ({
    storeId: found(book.store(storeOf(order)), row, 'storeCode'),
    sellerId: found(book.staff({ code: order.sellerCode, name: null }), row, 'sellerCode'),
  }))
}

function found(place: string | null | undefined, row: number, field: string): string | null {
  if (place !== 'ambiguous') return place ?? null
  throw new Problem('bad_row', 'Two of them bear this code.', { row, field: `items.${row}.${field}` })
}

function documentOf(
  { buyer: _, memberNo: __, storeCode: ___, sellerCode: ____, revision, ...order }: BatchOrder,
  source: string,
  {
    storeId = null,
    sellerId = null,
    profileId = null,
    personId = null,
  }: Partial<Places & { profileId: number | null; personId: number | null }>,
): OrderDocument {
  return {
    profileId,
    personId,
    ...(revision !== undefined && { revision }),
    order: { ...order, source, storeId, sellerId },
  }
}

/** A refund whose order is not known yet waits for it. */
export function takeRefunds(
  { db }: Pick<BatchParts, 'db'>,
  from: From,
  refunds: readonly BatchRefund[],
): Promise<{ changedOrders: string[]; unchanged: number }> {
  return db.transaction(async (tx) => {
    const documents = refunds.map(({ revision, ...refund }) => ({
      ...refund,
      source: from.source,
      ...(revision !== undefined && { revision }),
    }))
    const { changed, unchanged } = await recordRefunds(tx, documents, howOf(from))
    await heard(tx, from.source, from.actor.now)
    return { changedOrders: changed.map(({ externalId }) => externalId), unchanged }
  })
}

/** Errors: `bad_row` for an item that names nobody. */
export function takeMembers(
  { db, people }: BatchParts,
  from: From,
  members: readonly BatchMember[],
): Promise<{ items: Outcome[] }> {
  const row = members.findIndex(
    ({ externalId, identifiers }) => externalId === null && identifiers.length === 0,
  )
  if (row >= 0)
    throw new Problem('bad_row', 'The item names nobody: it has neither an id nor an identifier.', {
      row,
      field: `items.${row}`,
    })
  return db.transaction(async (tx) => {
    const { book } = await addUnknown(tx, from.actor, await PlaceBook.read(tx), {
      stores: members.flatMap(({ homeStoreCode: code }) => (code === null ? [] : [{ code, name: null }])),
      staff: members.flatMap(({ ownerStaffCode: code }) => (code === null ? [] : [{ code, name: null }])),
      before: 0,
    })
    const statements = members.map((member, at) => statementOf(member, book, at))
    const { lane } = howOf(from)
    const resolved = await people.resolve(tx, statements, { lane, source: from.source, at: from.actor.now })
    await heard(tx, from.source, from.actor.now)
    return {
      items: members.map(({ externalId }, at) => ({
        externalId: externalId ?? '',
        outcome: outcomeOf(resolved[at]),
      })),
    }
  })
}

function outcomeOf(
  resolved: { created: boolean; changed: readonly string[] } | null | undefined,
): Outcome['outcome'] {
  if (!resolved) return 'erased'
  if (resolved.created) return 'created'
  return resolved.changed.length > 0 ? 'changed' : 'unchanged'
}

function statementOf(member: BatchMember, book: PlaceBook, row: number): PersonStatement {
  const { externalId, at, identifiers, consents, homeStoreCode, ownerStaffCode, joinedAt, ...attributes } =
    member
  return {
    externalId,
    ...(at !== undefined && { at: instant(at) }),
    identifiers,
    consents,
    attributes: {
      ...attributes,
      joinedAt: joinedAt === null ? null : instant(joinedAt),
      homeStoreId: found(book.store({ code: homeStoreCode, name: null }), row, 'homeStoreCode'),
      ownerStaffId: found(book.staff({ code: ownerStaffCode, name: null }), row, 'ownerStaffCode'),
    },
  }
}
