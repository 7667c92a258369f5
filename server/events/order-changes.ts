/** What a statement makes of an order: the row to write and the events that tell of it. Pure but for event ids. */
import type { OrderState } from '../../contract/events.ts'
import { idOf, newId } from '../platform/ids.ts'
import { copyField } from '../platform/postgres/copy.ts'
import { storable } from '../platform/postgres/json.ts'
import type { EventRow } from './append.ts'
import { type Key, keyText, type OrderRow, type OrderWrite } from './document-rows.ts'
import {
  canonicalOrder,
  digestOf,
  type OrderDocument,
  type RefundState,
  timeOf,
  withRefunds,
} from './order-state.ts'
import { profileFor } from './profile-home.ts'

/** An order as stated, in canonical form, with what identifies it and its state. */
export type Statement = {
  key: string
  order: OrderState
  /** The order as JSON. */
  text: string
  profileId: number | null
  personId: number | null
  revision: number | null
  digest: string
}

export type Change = { write: OrderWrite; events: EventRow[] }

/** The id of an order: the same for ever. */
export function orderIdOf({ source, externalId }: Key): string {
  return idOf('order', source, externalId)
}

export function statementOf(document: OrderDocument): Statement {
  const { profileId, personId } = document
  const canonical = canonicalOrder(document.order)
  const written = JSON.stringify(canonical)
  const text = storable(written)
  const order = text === written ? canonical : canonicalOrder(JSON.parse(text) as OrderState)
  const digest = digestOf(text, profileId)
  return {
    key: keyText(order),
    order,
    text,
    profileId,
    personId,
    revision: document.revision ?? null,
    digest,
  }
}

/** The first that is heard of an order. */
export function creation(statement: Statement, receivedAt: Date): Change {
  const write = writeOf(statement, withRefunds(statement.order, []), 1, receivedAt)
  return { write, events: [recording(write, receivedAt)] }
}

/** The next version of a known order; undefined where its state is already there. */
export function revision(
  row: OrderRow,
  statement: Statement,
  refunds: readonly RefundState[],
  receivedAt: Date,
): Change {
  const state = withRefunds(statement.order, refunds)
  const counted = row.version > 0 && !row.deleted
  const leaves = counted && movesAway(row, statement, state)
  const write = writeOf(statement, state, row.version + (leaves ? 2 : 1), receivedAt)
  const events = leaves
    ? [deletion(row, receivedAt), recording(write, receivedAt)]
    : [recording(write, receivedAt)]
  return { write, events }
}

/** What a known order is after its refunds changed; undefined where that changes nothing. */
export function restatement(
  row: OrderRow,
  refunds: readonly RefundState[],
  receivedAt: Date,
): Change | undefined {
  const order = canonicalOrder(row.stated ?? row.body)
  const before = JSON.stringify(canonicalOrder(row.body))
  if (JSON.stringify(withRefunds(order, refunds)) === before) return undefined
  return revision(row, standing(row, order), refunds, receivedAt)
}

/** The order as a deleted version of its last state. */
export function removal(row: OrderRow, receivedAt: Date): Change {
  const order = canonicalOrder(row.stated ?? row.body)
  const write = writeOf(standing(row, order), canonicalOrder(row.body), row.version + 1, receivedAt)
  return { write: { ...write, deleted: true }, events: [deletion(row, receivedAt)] }
}

/** What stands, as if it were stated now. */
function standing(row: OrderRow, order: OrderState): Statement {
  const { profileId, personId, revision: of, digest } = row
  return { key: keyText(row), order, text: JSON.stringify(order), profileId, personId, revision: of, digest }
}

/** Rows in ClickHouse are keyed by person, time and line: what keeps its key is simply overwritten. */
function movesAway(row: OrderRow, next: Statement, state: OrderState): boolean {
  return (
    profileFor(row.profileId, row.personId) !== profileFor(next.profileId, next.personId) ||
    row.at.getTime() !== timeOf(state).getTime() ||
    row.body.lines.length > state.lines.length
  )
}

function writeOf(statement: Statement, state: OrderState, version: number, recordedAt: Date): OrderWrite {
  const { order, profileId, personId, digest } = statement
  // Mostly nothing was refunded apart, and the state is the very object that was stated.
  const bodyText = state === order ? statement.text : JSON.stringify(state)
  return {
    source: order.source,
    externalId: order.externalId,
    version,
    revision: statement.revision,
    digest,
    profileId,
    personId,
    at: timeOf(state),
    deleted: false,
    totalCents: state.totalCents,
    refundedCents: state.refundedCents,
    statedText: statement.text === bodyText ? null : statement.text,
    bodyText,
    bodyCopied: copyField(bodyText),
    recordedAt,
  }
}

function recording(write: OrderWrite, receivedAt: Date): EventRow {
  return orderEvent(write, {
    version: write.version,
    deleted: false,
    copied: write.bodyCopied,
    receivedAt,
  })
}

function deletion(row: OrderRow, receivedAt: Date): EventRow {
  const copied = copyField(JSON.stringify(canonicalOrder(row.body)))
  return orderEvent(row, { version: row.version + 1, deleted: true, copied, receivedAt })
}

type Told = { version: number; deleted: boolean; copied: string; receivedAt: Date }

function orderEvent(
  order: Key & { profileId: number | null; personId: number | null; at: Date },
  { version, deleted, copied, receivedAt }: Told,
): EventRow {
  return {
    id: newId(receivedAt),
    type: 'order_recorded',
    profileId: order.profileId,
    personId: order.personId,
    at: order.at,
    copied: `{"orderId":"${orderIdOf(order)}","version":${version},"deleted":${deleted},"order":${copied}}`,
  }
}
