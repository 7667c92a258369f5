/**
 * Orders: documents with a life.
 *
 * Stored: the latest state of each order by (source, external id), for ever, and a version that grows with each
 * change; what each change made of it is an `order_recorded` event in the same transaction, with the absolute state.
 * Always true: the state is a function of what was stated last and of the refunds that were listed, whatever order
 * they came in; the row of the order is locked by whoever writes the order or a refund of it. A state that is already
 * there writes nothing. Where the buyer or the time changes, or lines disappear, a deleted version of the old state
 * comes first: its rows in ClickHouse stand under other keys.
 */
import type { OrderState } from '../../contract/events.ts'
import { crashPoint } from '../platform/crash.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { type AppendHow, appendRows } from './append.ts'
import {
  byKey,
  compareOrders,
  insertOrders,
  type Key,
  keyText,
  lockOrders,
  type OrderRow,
  type OrderWrite,
  type RefundRow,
  refundsOf,
  updateOrders,
  writeRefunds,
} from './document-rows.ts'
import {
  type Change,
  creation,
  orderIdOf,
  removal,
  restatement,
  revision,
  type Statement,
  statementOf,
} from './order-changes.ts'
import { digestOf, type OrderDocument, type RefundDocument, replaces } from './order-state.ts'

export type RecordHow = AppendHow & {
  /** Write even what is older than what stands: the undo of an import puts back what was there. */
  force?: boolean
}

export type Recorded = Key & {
  readonly orderId: string
  /** `older`: a greater revision stands; nothing was written, as for `unchanged`. */
  outcome: 'created' | 'changed' | 'unchanged' | 'older'
  /** What was stated before a change, for whoever wants to take the change back. */
  previous: OrderDocument | undefined
}

/**
 * Records what was stated of up to 5,000 orders. Of two statements of one order in one call the newer counts, and both
 * get its answer. Answers stand in the order of the input.
 */
export async function recordOrders(
  tx: Tx,
  orders: readonly OrderDocument[],
  how: RecordHow,
): Promise<Recorded[]> {
  const newest = new Map<string, Statement>()
  for (const document of orders) {
    const next = statementOf(document)
    const known = newest.get(next.key)
    if (!known || replaces(next, known) === 'newer') newest.set(next.key, next)
  }
  const done = new Map<string, Recorded>()
  let open = [...newest.values()].sort((a, b) => byKey(a.order, b.order))
  while (open.length > 0) {
    const again = await recordOnce(tx, open, how, done)
    open = open.filter((statement) => again.has(statement.key))
  }
  return orders.flatMap(({ order }) => done.get(keyText(order)) ?? [])
}

/** Answers the keys that another transaction inserted meanwhile: they are there to be locked now. */
async function recordOnce(
  tx: Tx,
  statements: readonly Statement[],
  how: RecordHow,
  done: Map<string, Recorded>,
): Promise<Set<string>> {
  const known = await compareOrders(
    tx,
    statements.map(({ order: { source, externalId }, digest, revision: of }) => ({
      source,
      externalId,
      digest,
      revision: of,
    })),
  )
  // Most rows of a file that comes again say nothing new: they are neither read nor locked.
  const stands = ({ key }: Statement): boolean => how.force !== true && known.get(key) === true
  for (const { key, order } of statements.filter(stands)) done.set(key, answer(order, 'unchanged', undefined))
  const open = statements.filter((statement) => !stands(statement))
  const rows = await lockOrders(
    tx,
    open.filter(({ key }) => known.has(key)).map(({ order }) => order),
  )
  const fresh = open.filter((statement) => !rows.has(statement.key))
  const creations = fresh.map((statement) => creation(statement, how.receivedAt))
  const again = await insertOrders(
    tx,
    creations.map((change) => change.write),
  )
  const inserted = creations.filter(({ write }) => !again.has(keyText(write)))
  for (const { write } of inserted) done.set(keyText(write), answer(write, 'created', undefined))

  const refunds = byOrder(await refundsOf(tx, [...rows.values()]))
  const revisions: Change[] = []
  for (const statement of open) {
    const row = rows.get(statement.key)
    if (!row) continue
    const counted = row.version > 0 && !row.deleted
    const verdict = counted && how.force !== true ? replaces(statement, row) : 'newer'
    if (verdict === 'newer') {
      revisions.push(revision(row, statement, refunds.get(statement.key) ?? [], how.receivedAt))
      done.set(statement.key, answer(row, counted ? 'changed' : 'created', counted ? row : undefined))
    } else {
      done.set(statement.key, answer(row, verdict, undefined))
    }
  }
  await writeChanges(tx, inserted, revisions, how)
  return again
}

/**
 * Records refunds that were listed apart, up to 5,000, each known by its id within its order. One whose order was not
 * heard of yet waits for it. Answers the orders whose state changed.
 */
export async function recordRefunds(
  tx: Tx,
  refunds: readonly RefundDocument[],
  how: RecordHow,
): Promise<{ changed: Key[]; unchanged: number }> {
  const rows = await lockOrMake(tx, refunds.map(orderOf), how.receivedAt)
  const known = new Map((await refundsOf(tx, [...rows.values()])).map((row) => [keyText(row), row]))
  const written = new Map<string, RefundRow>()
  let unchanged = 0
  for (const refund of refunds) {
    const next = refundRowOf(refund)
    const before = known.get(keyText(next))
    if (before && how.force !== true && replaces(next, before) !== 'newer') {
      unchanged += 1
      continue
    }
    const row = { ...next, version: (before?.version ?? 0) + 1 }
    known.set(keyText(row), row)
    written.set(keyText(row), row)
  }
  await writeRefunds(tx, [...written.values()].sort(byKey))

  const refundsBy = byOrder([...known.values()])
  const changes: Change[] = []
  for (const key of new Set([...written.values()].map(parentOf))) {
    const row = rows.get(key)
    const change =
      row && row.version > 0 && !row.deleted && restatement(row, refundsBy.get(key) ?? [], how.receivedAt)
    if (change) changes.push(change)
  }
  await writeChanges(tx, [], changes, how)
  return {
    changed: changes.map(({ write }) => ({ source: write.source, externalId: write.externalId })),
    unchanged,
  }
}

/** Takes orders out of every count by a deleted version. Those that are not there, or deleted, are left alone. */
export async function removeOrders(tx: Tx, keys: readonly Key[], how: AppendHow): Promise<number> {
  const rows = [...(await lockOrders(tx, keys)).values()].filter((row) => row.version > 0 && !row.deleted)
  await writeChanges(
    tx,
    [],
    rows.map((row) => removal(row, how.receivedAt)),
    how,
  )
  return rows.length
}

export type StandingOrder = OrderState & { orderId: string; version: number }

/** The orders of some profiles as they stand, newest first. */
export async function ordersOf(
  db: Db,
  profileIds: readonly number[],
  limit: number,
): Promise<StandingOrder[]> {
  const rows = await db.rows<{ body: OrderState; version: number }>(sql`
    select body, version from document
    where kind = 'order' and profile_id = any(${profileIds}::int[]) and not deleted
    order by at desc, external_id
    limit ${limit}`)
  return rows.map(({ body, version }) => ({ ...body, orderId: orderIdOf(body), version }))
}

export type OrderTotals = { orders: number; totalCents: number; refundedCents: number; withoutBuyer: number }

/** What all orders of the base come to, those without a buyer included. Reads them all. */
export async function orderTotals(db: Db): Promise<OrderTotals> {
  return db.row<OrderTotals>(sql`
    select count(*) as orders, coalesce(sum(total_cents), 0)::bigint as "totalCents",
      coalesce(sum(refunded_cents), 0)::bigint as "refundedCents",
      count(*) filter (where profile_id is null) as "withoutBuyer"
    from document where kind = 'order' and not deleted`)
}

async function writeChanges(
  tx: Tx,
  inserted: readonly Change[],
  updated: readonly Change[],
  how: AppendHow,
): Promise<void> {
  await updateOrders(
    tx,
    updated.map((change) => change.write),
  )
  crashPoint('orders.written')
  await appendRows(
    tx,
    [...inserted, ...updated].flatMap((change) => change.events),
    how,
  )
}

/** Locks orders; those that nobody told of yet get a row of version 0 to lock. */
async function lockOrMake(tx: Tx, keys: readonly Key[], at: Date): Promise<Map<string, OrderRow>> {
  const wanted = [...new Map(keys.map((key) => [keyText(key), key])).values()].sort(byKey)
  const rows = await lockOrders(tx, wanted)
  const missing = wanted.filter((key) => !rows.has(keyText(key)))
  if (missing.length === 0) return rows
  await insertOrders(
    tx,
    missing.map((key) => untold(key, at)),
  )
  return lockOrders(tx, wanted)
}

function untold({ source, externalId }: Key, recordedAt: Date): OrderWrite {
  return {
    source,
    externalId,
    version: 0,
    revision: null,
    digest: '',
    profileId: null,
    personId: null,
    at: instant(0),
    deleted: true,
    totalCents: 0,
    refundedCents: 0,
    statedText: null,
    bodyText: '{}',
    bodyCopied: '{}',
    recordedAt,
  }
}

function answer(key: Key, outcome: Recorded['outcome'], before: OrderRow | undefined): Recorded {
  const { source, externalId } = key
  const previous = before && {
    profileId: before.profileId,
    personId: before.personId,
    ...(before.revision !== null && { revision: before.revision }),
    order: before.stated ?? before.body,
  }
  return {
    source,
    externalId,
    // Few ask, and it takes a digest.
    get orderId() {
      return orderIdOf(key)
    },
    outcome,
    previous,
  }
}

function refundRowOf(refund: RefundDocument): RefundRow {
  const body = {
    at: instant(refund.at).toISOString(),
    refundedCents: refund.refundedCents,
    lines: refund.lines,
  }
  return {
    source: refund.source,
    externalId: `${refund.orderExternalId}/${refund.externalId}`,
    parentId: refund.orderExternalId,
    version: 0,
    revision: refund.revision ?? null,
    digest: digestOf(JSON.stringify(body), null),
    at: instant(refund.at),
    body,
  }
}

function orderOf(refund: RefundDocument): Key {
  return { source: refund.source, externalId: refund.orderExternalId }
}

function parentOf(row: RefundRow): string {
  return keyText({ source: row.source, externalId: row.parentId })
}

/** The refunds of each order, always in the same order, by the order's key. */
function byOrder(rows: readonly RefundRow[]): Map<string, RefundRow['body'][]> {
  const map = new Map<string, RefundRow['body'][]>()
  for (const row of [...rows].sort(byKey))
    map.set(parentOf(row), [...(map.get(parentOf(row)) ?? []), row.body])
  return map
}
