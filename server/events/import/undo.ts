/**
 * Taking an import back: orders chunk by chunk from the last to the first, then persons, then stores and staff that it
 * added and that nothing else uses.
 *
 * An order goes back to what it was before only while it stands as the import left it; what somebody changed since then
 * stays, and is counted as kept. Each step removes its chunk in its own transaction, so a crash goes on where it was.
 */

import { removeUnused, systemActor, unnamedAmong } from '../../org/org.ts'
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { OrderDocument, RefundDocument } from '../order-state.ts'
import { recordOrders, recordRefunds, removeOrders } from '../orders.ts'
import { finishRun, noteCounts } from './store.ts'
import {
  type ChunkLog,
  deleteChunk,
  type RefundBefore,
  selectLastChunk,
  selectProfilesInUse,
  selectVersions,
} from './store-chunks.ts'
import { forgetPlaces, isAnotherUnderWay, placesInOrders, selectPlaces } from './store-places.ts'
import { countsOf, goOn, type Work } from './work.ts'

/** Orders that name what an import added were written after it began; clocks of two machines may differ. */
const DAY_MS = 86_400_000

/** Errors: as `workOn`. */
export async function undoRun(work: Work): Promise<void> {
  const { parts, run } = work
  const { db, clock } = parts
  let counts = countsOf(run)
  for (;;) {
    const step = await db.transaction(async (tx) => {
      await fence(tx, work.lease)
      const chunk = await selectLastChunk(tx, run.id)
      if (!chunk) return undefined
      const kept = await undoChunk(tx, work, chunk)
      await deleteChunk(tx, run.id, chunk.number)
      const sum = { ...counts, kept: counts.kept + kept }
      await noteCounts(tx, run.id, sum)
      crashPoint('import.undo-before-commit')
      return sum
    })
    if (!step) break
    counts = step
    goOn(work, false)
  }
  for (let after: number | null = 0; after !== null; ) {
    const from: number = after
    const step = await db.transaction(async (tx) => {
      await fence(tx, work.lease)
      return parts.undoPeople(tx, run.id, clock.now(), { after: from, inUse: selectProfilesInUse })
    })
    after = step.next
    goOn(work, false)
  }
  await removePlaces(work)
  await finishRun(db, { id: run.id, state: 'undone', at: clock.now(), undoUntil: null })
}

/**
 * What uses them is looked for before the transaction, which would wait for a long reading otherwise. While another import
 * is under way, which may name them in orders at any moment, they stay.
 */
async function removePlaces({ parts, run, lease }: Work): Promise<void> {
  const { db, clock } = parts
  const made = await selectPlaces(db, run.id)
  const ids = [...made.stores, ...made.staff]
  if (ids.length === 0) return
  const since = instant(run.createdAt.getTime() - DAY_MS)
  const used = new Set([...(await placesInOrders(db, made, since)), ...(await parts.placesInUse(db, ids))])
  const free = (of: readonly string[]): string[] => of.filter((id) => !used.has(id))
  const given = await unnamedAmong(db, { stores: free(made.stores), staff: free(made.staff) })
  await db.transaction(async (tx) => {
    await fence(tx, lease)
    if (await isAnotherUnderWay(tx, run.id)) return
    await removeUnused(tx, systemActor(clock.now()), given)
    await forgetPlaces(tx, run.id)
  })
}

/** Answers how many orders were left as they are. */
async function undoChunk(tx: Tx, { parts, run }: Work, chunk: ChunkLog): Promise<number> {
  const how = { lane: 'bulk', source: run.source, receivedAt: parts.clock.now(), force: true } as const
  const changed = chunk.changed as OrderDocument[]
  const keys = [...chunk.created, ...changed.map(({ order }) => order.externalId)]
  const versions = await selectVersions(tx, run.source, keys)
  const stands = (externalId: string): boolean =>
    (versions.get(externalId) ?? 1) === (chunk.versions[externalId] ?? 1)
  const created = chunk.created.filter(stands)
  const before = changed.filter(({ order }) => stands(order.externalId))
  const refunds = chunk.refunds.map((refund) => refundBefore(refund, run.source))
  if (refunds.length > 0) await recordRefunds(tx, refunds, how)
  const gone = created.map((externalId) => ({ source: run.source, externalId }))
  await removeOrders(tx, gone, how)
  if (before.length > 0) await recordOrders(tx, before, how)
  return keys.length - created.length - before.length
}

/** The refund as it was; one that was not there comes to nothing. */
function refundBefore(refund: ChunkLog['refunds'][number], source: string): RefundDocument {
  const externalId = refund.externalId
  const body = refund.before as RefundBefore['body'] | null
  return {
    source,
    externalId,
    orderExternalId: refund.orderExternalId,
    at: body?.at ?? '1970-01-01T00:00:00.000Z',
    refundedCents: body?.refundedCents ?? 0,
    lines: body?.lines ?? [],
  }
}
