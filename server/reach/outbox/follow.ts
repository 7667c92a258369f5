/** What becomes of what was handed over: confirmations and results, asked for or pushed by the provider. */
import { createHash } from 'node:crypto'
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { ChannelName } from '../candidate.ts'
import type { AskAPerson } from '../ports.ts'
import { tell, touchEvent } from '../touch-events.ts'
import type { Channel, Progress, Result } from './channel.ts'
import type { Delivery } from './delivery.ts'
import { addressesOf, CALL_TIMEOUT_MS, handoverOf, takeOut } from './hand.ts'
import { inParallel } from './parallel.ts'
import { endUnreached, settleCreated } from './settle.ts'
import * as store from './store.ts'

const FOLLOWED_A_ROUND = 50
const BUSY_MS = 10_000
/** Young hand-overs are looked at often, older ones five times more rarely. */
const YOUNG_MS = 10 * 60_000
const OLD_FACTOR = 5
/** Results that have not come this long after the confirmation will not come. */
const LAST_RESULT_MS = 72 * 3_600_000

/** Looks at what is due; the number of hand-overs that were looked at. */
export async function followCreated(channel: Channel, delivery: Delivery): Promise<number> {
  const { db, now } = delivery
  const rows = await store.dueOutboxes(db, channel.name, 'created', now, FOLLOWED_A_ROUND)
  await inParallel(rows, channel.concurrency, async (row) => {
    const touches = await store.touchesOf(db, [row.id])
    const addresses = await addressesOf(db, touches, channel, delivery)
    const progress = await channel.poll(
      handoverOf(row, touches, addresses),
      now,
      AbortSignal.timeout(CALL_TIMEOUT_MS),
    )
    crashPoint('reach.polled')
    await db.transaction(async (tx) => {
      await fence(tx, delivery.token)
      await applyProgress(tx, row, touches, addresses, progress, channel, delivery)
    })
  })
  return rows.length
}

/** Sets what the provider said. */
export async function applyProgress(
  tx: Tx,
  row: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  addresses: ReadonlyMap<string, string>,
  progress: Progress,
  channel: Channel,
  { now, ports }: Delivery,
): Promise<void> {
  if (progress.state === 'wait') return store.setLookAgain(tx, row.id, instant(now.getTime() + BUSY_MS))
  if (progress.state === 'cancelled') {
    if (await store.setClosed(tx, row.id)) {
      await takeOut(tx, touches, 'not_confirmed', now)
      await ports.askAPerson.settle(tx, [row.id], 'withdrawn', now)
    }
    return
  }
  const confirmedAt = progress.confirmedAt ?? row.confirmedAt
  if (progress.confirmedAt && !row.confirmedAt)
    await confirm(tx, row, touches, progress.confirmedAt, ports.askAPerson, now)
  const open = await applyResults(tx, row, touches, addresses, progress.results, now)
  const over = confirmedAt !== null && now.getTime() - confirmedAt.getTime() > LAST_RESULT_MS
  if (confirmedAt !== null && (open === 0 || over)) {
    await store.setClosed(tx, row.id)
  } else {
    const young = now.getTime() - (confirmedAt ?? row.createdAt ?? now).getTime() < YOUNG_MS
    const rest = channel.pollSeconds * 1000 * (young ? 1 : OLD_FACTOR)
    await store.setLookAgain(tx, row.id, instant(now.getTime() + rest))
  }
}

async function confirm(
  tx: Tx,
  row: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  at: Date,
  askAPerson: AskAPerson,
  now: Date,
): Promise<void> {
  if (!(await store.setConfirmed(tx, row.id, at, now))) return
  const ids = touches.map((one) => one.id)
  await store.setTouchesConfirmed(tx, ids, at)
  await store.dateLedger(tx, ids, at)
  await tell(
    tx,
    touches.map((touch) => touchEvent(touch, { type: 'touch_confirmed' }, at, row.id)),
    now,
  )
  await askAPerson.settle(tx, [row.id], 'confirmed', now)
}

/** How many touches have no result yet. */
async function applyResults(
  tx: Tx,
  row: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  addresses: ReadonlyMap<string, string>,
  results: readonly Result[],
  now: Date,
): Promise<number> {
  const resultOf = new Map(results.map((result) => [result.address, result]))
  const told = touches.flatMap((touch) => {
    const result = resultOf.get(addresses.get(touch.id) ?? '')
    return result ? [{ touch, result }] : []
  })
  const delivered = told.filter(({ result }) => result.state === 'delivered')
  for (const [at, group] of Map.groupBy(delivered, ({ result }) => (result.at ?? now).getTime())) {
    const ids = group.map(({ touch }) => touch.id)
    await store.endTouches(tx, ids, { state: 'delivered', reason: null, at: instant(at) })
  }
  await tell(
    tx,
    delivered.map(({ touch, result }) =>
      touchEvent(touch, { type: 'touch_delivered' }, result.at ?? now, row.id),
    ),
    now,
  )
  const failed = told.filter(({ result }) => result.state !== 'delivered')
  for (const [reason, group] of Map.groupBy(failed, ({ result }) => reasonOf(result))) {
    await endUnreached(
      tx,
      group.map(({ touch }) => touch),
      reason,
      row.id,
      now,
    )
  }
  return touches.length - told.length
}

function reasonOf(result: Result): string {
  return result.state === 'failed' ? result.reason : result.state
}

export type Receipt = {
  channel: ChannelName
  /** The id of the hand-over, as it was given to the provider. */
  outboxId: string
  providerId: string
  address: string
  delivered: boolean
  at: Date
  reason: string
}

/**
 * Takes receipts that a provider pushed. A repeat changes nothing; a receipt that comes before the answer of the call
 * proves that the call was taken. Returns how many were new and known.
 */
export async function takeReceipts(
  db: Database,
  channels: readonly Channel[],
  askAPerson: AskAPerson,
  receipts: readonly Receipt[],
  now: Date,
): Promise<number> {
  let taken = 0
  for (const receipt of receipts) {
    const channel = channels.find((one) => one.name === receipt.channel)
    if (channel && (await db.transaction((tx) => takeReceipt(tx, channel, askAPerson, receipt, now))))
      taken += 1
  }
  return taken
}

async function takeReceipt(
  tx: Tx,
  channel: Channel,
  askAPerson: AskAPerson,
  receipt: Receipt,
  now: Date,
): Promise<boolean> {
  const digest = createHash('sha256').update(receipt.address).digest()
  const kind = receipt.delivered ? 'delivered' : 'failed'
  const row = await store.lockOutbox(tx, receipt.outboxId)
  if (!row || row.channel !== receipt.channel) return false
  const { providerId } = receipt
  if (!(await store.noteReceipt(tx, { channel: receipt.channel, providerId, digest, kind }, now)))
    return false
  if (row.state === 'sending' || row.state === 'asking' || row.state === 'ready')
    await settleCreated(tx, channel, askAPerson, row, { providerId, refused: [] }, now)
  const touches = await store.touchesOf(tx, [row.id])
  const result: Result = {
    address: receipt.address,
    state: receipt.delivered ? 'delivered' : 'failed',
    at: receipt.at,
    reason: receipt.reason,
  }
  // A hand-over with receipts has one addressee.
  const addresses = new Map(touches.map((touch) => [touch.id, receipt.address]))
  if ((await applyResults(tx, row, touches, addresses, [result], now)) === 0)
    await store.setClosed(tx, row.id)
  return true
}
