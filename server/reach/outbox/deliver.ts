/**
 * The outbox: from a decision to a touch that arrived.
 *
 * Stored: `outbox`, one row a hand-over, and the state of each touch. Always true: a touch is in at most one hand-over
 * that is not closed; the intent to call is durable before the call; after a crash the provider is asked before
 * anything is sent again; what cannot be known is `unknown` and stands in a list. The steps of a round can stop
 * anywhere: each is one transaction, or a call between two.
 */
import type { LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Zone } from '../../platform/time/zone.ts'
import type { ReachPorts } from '../ports.ts'
import { reachRules } from '../settings.ts'
import { askUnclear } from './ask.ts'
import type { Channel } from './channel.ts'
import { closeOpen } from './close.ts'
import type { Delivery } from './delivery.ts'
import { followCreated } from './follow.ts'
import { formOnce } from './form.ts'
import { handReady } from './hand.ts'
import * as store from './store.ts'

export type Delivered = { formed: number; handed: number; asked: number; followed: number; closed: number }

/**
 * One round over all channels. `now` is business time. Nothing is handed to a channel that is off, that rests after
 * an error, or whose row names another address than the one that would be spoken to. Sum 0: nothing was due.
 */
export async function deliverOnce(
  db: Database,
  channels: readonly Channel[],
  ports: ReachPorts,
  how: { token: LeaseToken; now: Date; zone: Zone },
): Promise<Delivered> {
  const rows = await store.channelStates(db)
  const delivery: Delivery = { db, ports, rules: await reachRules(db), ...how }
  const open = channels.filter((channel) => {
    const row = rows.find((one) => one.name === channel.name)
    return row !== undefined && row.mode !== 'off' && row.baseUrl === channel.baseUrl
  })
  const done: Delivered = { formed: 0, handed: 0, asked: 0, followed: 0, closed: 0 }
  for (const channel of open) {
    done.asked += await askUnclear(channel, delivery)
    done.closed += await closeOpen(channel, delivery)
  }
  done.formed = await formOnce(db, open, ports.askAPerson, how)
  for (const channel of open) {
    const pausedUntil = rows.find((one) => one.name === channel.name)?.pausedUntil ?? null
    if (pausedUntil === null || pausedUntil <= how.now) done.handed += await handReady(channel, delivery)
    done.followed += await followCreated(channel, delivery)
  }
  return done
}
