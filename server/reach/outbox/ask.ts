/**
 * After a crash, a time-out or a lost answer: the provider is asked what it has before anything is sent again.
 * Found once: it counts as created. Not found: sent again only when the provider would show it by now.
 * Several: unknown for good.
 */
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Channel, Found } from './channel.ts'
import type { Delivery } from './delivery.ts'
import { addressesOf, CALL_TIMEOUT_MS, handoverOf } from './hand.ts'
import { inParallel } from './parallel.ts'
import { ASK_AGAIN_MS, settleCreated, settleUnknown, takeBackUnwanted } from './settle.ts'
import * as store from './store.ts'

const ASKED_A_ROUND = 50
/** An announcement of our own lease that is this old has no call running any more. */
const STRANDED_MS = 15_000
const BUSY_MS = 30_000
/** Sent so often without ever being found: nobody can say. */
const MAX_TRIES = 5
/** Provider ids of ours that may lie in the time that is searched. */
const KNOWN_MS = 2 * 86_400_000
const NONE: ReadonlySet<string> = new Set()

/** Asks about what is unclear; the number of hand-overs that were asked about. */
export async function askUnclear(channel: Channel, delivery: Delivery): Promise<number> {
  const { db, now, token } = delivery
  const before = instant(now.getTime() - STRANDED_MS)
  const stranded = await store.strandedOutboxes(db, channel.name, token.token, before, ASKED_A_ROUND)
  const asking = await store.dueOutboxes(db, channel.name, 'asking', now, ASKED_A_ROUND)
  const rows = [...stranded, ...asking]
  if (rows.length === 0) return 0
  const since = instant(now.getTime() - KNOWN_MS)
  // One after the other where a search compares with what is known: the first find must be known to the second.
  const width = channel.needsPerson ? 1 : channel.concurrency
  await inParallel(rows, width, async (row) => {
    const handover = await db.transaction((tx) => takeOver(tx, row, channel, delivery))
    if (!handover) return
    // An SMS bears our id: nothing has to be told apart.
    const known = channel.needsPerson ? await store.knownProviderIds(db, channel.name, since) : NONE
    const found = await channel.find(handover, known, now, AbortSignal.timeout(CALL_TIMEOUT_MS))
    crashPoint('reach.asked')
    await db.transaction((tx) => settleFound(tx, row, found, channel, delivery))
    crashPoint('reach.found')
  })
  return rows.length
}

/** From now on it is ours to ask about: the late answer of another holder changes nothing. */
async function takeOver(tx: Tx, row: store.OutboxRow, channel: Channel, delivery: Delivery) {
  await fence(tx, delivery.token)
  const dueAt = instant(delivery.now.getTime() + ASK_AGAIN_MS)
  const ours = await store.setUncreated(tx, row.id, { state: 'asking', dueAt, error: 'asking the provider' })
  if (!ours) return undefined
  const touches = await store.touchesOf(tx, [row.id])
  return handoverOf(row, touches, await addressesOf(tx, touches, channel, delivery))
}

async function settleFound(
  tx: Tx,
  row: store.OutboxRow,
  found: Found,
  channel: Channel,
  delivery: Delivery,
): Promise<void> {
  const { now, token, ports } = delivery
  await fence(tx, token)
  switch (found.found) {
    case 'one':
      await settleCreated(tx, channel, ports.askAPerson, row, found, now)
      await takeBackUnwanted(tx, row, channel, delivery)
      break
    case 'several':
      await settleUnknown(tx, row, now)
      break
    case 'wait':
      await store.setUncreated(tx, row.id, {
        state: 'asking',
        dueAt: instant(now.getTime() + BUSY_MS),
        error: 'the provider is busy',
      })
      break
    case 'none': {
      const shownBy = (row.triedAt ?? now).getTime() + channel.settleSeconds * 1000
      if (now.getTime() < shownBy) {
        const dueAt = instant(Math.min(shownBy, now.getTime() + ASK_AGAIN_MS))
        await store.setUncreated(tx, row.id, { state: 'asking', dueAt, error: 'not shown yet' })
      } else if (row.attempts >= MAX_TRIES) {
        await settleUnknown(tx, row, now)
      } else {
        await store.setUncreated(tx, row.id, { state: 'ready', dueAt: now, error: 'it was not there' })
      }
      break
    }
  }
}
