/** Rows of `document`: locked, inserted and updated for a whole batch at a time. */
import type { OrderState } from '../../contract/events.ts'
import { copyField, copyIn } from '../platform/postgres/copy.ts'
import { sqlState, type Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { RefundState } from './order-state.ts'

export type Key = { source: string; externalId: string }

export type OrderRow = Key & {
  version: number
  revision: number | null
  digest: string
  profileId: number | null
  personId: number | null
  at: Date
  deleted: boolean
  stated: OrderState | null
  body: OrderState
}

/** A row as it is to be written; texts are JSON. */
export type OrderWrite = Omit<OrderRow, 'stated' | 'body'> & {
  recordedAt: Date
  totalCents: number
  refundedCents: number
  statedText: string | null
  bodyText: string
  /** `bodyText` in the form of COPY. */
  bodyCopied: string
}

export type RefundRow = Key & {
  parentId: string
  version: number
  revision: number | null
  digest: string
  at: Date
  body: RefundState
}

export function keyText({ source, externalId }: Key): string {
  return `${source}\n${externalId}`
}

export function byKey(a: Key, b: Key): number {
  const first = keyText(a)
  const second = keyText(b)
  if (first === second) return 0
  return first < second ? -1 : 1
}

/**
 * Which orders are known, and of each whether it stands as stated: without a lock, and without reading what stands.
 * Digests are hex.
 */
export async function compareOrders(
  tx: Tx,
  stated: readonly (Key & { digest: string; revision: number | null })[],
): Promise<Map<string, boolean>> {
  const rows = await tx.rows<Key & { stands: boolean }>(sql`
    select d.source, d.external_id as "externalId", d.version > 0 and not d.deleted and d.digest = decode(n.digest, 'hex')
      and (n.revision is null or d.revision is null or n.revision = d.revision) as stands
    from unnest(${stated.map((one) => one.source)}::text[], ${stated.map((one) => one.externalId)}::text[],
      ${stated.map((one) => one.digest)}::text[], ${stated.map((one) => one.revision)}::bigint[])
      as n (source, external_id, digest, revision)
    join document d on d.kind = 'order' and d.source = n.source and d.external_id = n.external_id`)
  return new Map(rows.map((row) => [keyText(row), row.stands]))
}

/** The known ones among `keys`, locked until the transaction ends, always in the same order. */
export async function lockOrders(tx: Tx, keys: readonly Key[]): Promise<Map<string, OrderRow>> {
  if (keys.length === 0) return new Map()
  const rows = await tx.rows<OrderRow>(sql`
    select source, external_id as "externalId", version, revision, encode(digest, 'hex') as digest,
      profile_id as "profileId", person_id as "personId", at, deleted, stated, body
    from document
    where kind = 'order' and (source, external_id) in (
      select * from unnest(${keys.map((key) => key.source)}::text[], ${keys.map((key) => key.externalId)}::text[]))
    order by source, external_id
    for update`)
  return new Map(rows.map((row) => [keyText(row), row]))
}

/**
 * Inserts orders that were not there a moment ago. Answers the keys that somebody else inserted meanwhile (committed
 * by now): those must be locked and decided again.
 */
export async function insertOrders(tx: Tx, rows: readonly OrderWrite[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set()
  await tx.run(sql`savepoint orders`)
  try {
    await copyIn(
      tx,
      `copy document (kind, source, external_id, version, revision, digest, profile_id, person_id, at, total_cents,
        refunded_cents, deleted, stated, body, recorded_at) from stdin`,
      rows.map(lineOf),
    )
    await tx.run(sql`release savepoint orders`)
    return new Set()
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await tx.run(sql`rollback to savepoint orders`)
    return insertSlowly(tx, rows)
  }
}

const UNIQUE_VIOLATION = '23505'

function lineOf(row: OrderWrite): string {
  return `order\t${copyField(row.source)}\t${copyField(row.externalId)}\t${row.version}\t${copyField(row.revision)}\t\\\\x${row.digest}\t${copyField(row.profileId)}\t${copyField(row.personId)}\t${row.at.toISOString()}\t${row.totalCents}\t${row.refundedCents}\t${row.deleted ? 't' : 'f'}\t${copyField(row.statedText)}\t${row.bodyCopied}\t${row.recordedAt.toISOString()}\n`
}

async function insertSlowly(tx: Tx, rows: readonly OrderWrite[]): Promise<Set<string>> {
  const written = await tx.rows<Key>(sql`
    insert into document (kind, source, external_id, version, revision, digest, profile_id, person_id, at, total_cents,
      refunded_cents, deleted, stated, body, recorded_at)
    select 'order', source, external_id, version, revision, decode(digest, 'hex'), profile_id, person_id, at, total_cents,
      refunded_cents, deleted, stated::jsonb, body::jsonb, recorded_at
    from ${unnested(rows)}
    order by source, external_id
    on conflict do nothing
    returning source, external_id as "externalId"`)
  const done = new Set(written.map(keyText))
  return new Set(rows.map(keyText).filter((key) => !done.has(key)))
}

/** Writes the new state of locked orders. */
export async function updateOrders(tx: Tx, rows: readonly OrderWrite[]): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    update document d
    set version = r.version, revision = r.revision, digest = decode(r.digest, 'hex'), profile_id = r.profile_id,
      person_id = r.person_id, at = r.at, total_cents = r.total_cents, refunded_cents = r.refunded_cents,
      deleted = r.deleted, stated = r.stated::jsonb, body = r.body::jsonb, recorded_at = r.recorded_at
    from ${unnested(rows)}
    where d.kind = 'order' and d.source = r.source and d.external_id = r.external_id`)
}

function unnested(rows: readonly OrderWrite[]) {
  return sql`unnest(${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.externalId)}::text[],
    ${rows.map((row) => row.version)}::int[], ${rows.map((row) => row.revision)}::bigint[], ${rows.map((row) => row.digest)}::text[],
    ${rows.map((row) => row.profileId)}::int[], ${rows.map((row) => row.personId)}::int[], ${rows.map((row) => row.at)}::timestamptz[],
    ${rows.map((row) => row.totalCents)}::bigint[], ${rows.map((row) => row.refundedCents)}::bigint[], ${rows.map((row) => row.deleted)}::boolean[],
    ${rows.map((row) => row.statedText)}::text[], ${rows.map((row) => row.bodyText)}::text[],
    ${rows.map((row) => row.recordedAt)}::timestamptz[])
    as r (source, external_id, version, revision, digest, profile_id, person_id, at, total_cents, refunded_cents, deleted, stated,
      body, recorded_at)`
}

/** All refunds that were listed apart for these orders. Call with the orders locked: nobody else writes them then. */
export async function refundsOf(tx: Tx, orders: readonly Key[]): Promise<RefundRow[]> {
  if (orders.length === 0) return []
  return tx.rows<RefundRow>(sql`
    select source, external_id as "externalId", parent_id as "parentId", version, revision,
      encode(digest, 'hex') as digest, at, body
    from document
    where kind = 'refund' and not deleted and (source, parent_id) in (
      select * from unnest(${orders.map((key) => key.source)}::text[], ${orders.map((key) => key.externalId)}::text[]))`)
}

export async function writeRefunds(tx: Tx, rows: readonly RefundRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    insert into document (kind, source, external_id, parent_id, version, revision, digest, at, refunded_cents, body)
    select 'refund', source, external_id, parent_id, version, revision, decode(digest, 'hex'), at, cents, body::jsonb
    from unnest(${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.externalId)}::text[],
      ${rows.map((row) => row.parentId)}::text[], ${rows.map((row) => row.version)}::int[], ${rows.map((row) => row.revision)}::bigint[],
      ${rows.map((row) => row.digest)}::text[], ${rows.map((row) => row.at)}::timestamptz[], ${rows.map((row) => row.body.refundedCents)}::bigint[],
      ${rows.map((row) => JSON.stringify(row.body))}::text[])
      as r (source, external_id, parent_id, version, revision, digest, at, cents, body)
    on conflict (kind, source, external_id) do update
    set version = excluded.version, revision = excluded.revision, digest = excluded.digest, at = excluded.at,
      refunded_cents = excluded.refunded_cents, body = excluded.body`)
}
