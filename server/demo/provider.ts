/**
 * The simulated providers of the demo brand: WeCom and SMS on loopback, in the process that holds the lease.
 *
 * Stored: every message in `demo_message`, before the provider answers. Always true: a restart forgets none, and the
 * channels name the address where the providers listen now. A channel that an operator connected is never touched.
 */
import { sandboxCredentials } from '../../sandbox/credentials.ts'
import { type SmsMessage, type SmsSandbox, startSmsSandbox } from '../../sandbox/sms/server.ts'
import { startWecomSandbox, type WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { MassMessage } from '../../sandbox/wecom/state.ts'
import type { Database } from '../platform/postgres/database.ts'
import type { Clock } from '../platform/time/clock.ts'
import { instant } from '../platform/time/clock.ts'
import { listChannels, simulate } from '../reach/reach.ts'
import { confirmsAt, reportOf } from './answers.ts'
import { forgetMessages, keepMessage, keptMessages, lostFollows } from './store.ts'

const DAY_MS = 86_400_000
/** Longer than a calendar month, for the monthly quota. */
const KEPT_DAYS = 40

export type Providers = { wecom: WecomSandbox; sms: SmsSandbox; close(): Promise<void> }

/** Starts both with what they knew, and points the channels at them. */
export async function openProviders(db: Database, clock: Clock): Promise<Providers> {
  const now = clock.now()
  const since = instant(now.getTime() - KEPT_DAYS * DAY_MS)
  await forgetMessages(db, since)
  const kept = await keptMessages(db, since)
  const of = (channel: 'wecom' | 'sms') =>
    kept.filter((one) => one.channel === channel).map(({ state }) => state)
  const wecom = await startWecomSandbox({
    ...sandboxCredentials.wecom,
    clock: () => clock.now(),
    messages: of('wecom') as MassMessage[],
    keep: (message) =>
      keepMessage(db, {
        channel: 'wecom',
        id: message.msgid,
        state: message,
        at: instant(message.createdAt),
      }),
  })
  for (const { wecomUserId, externalUserId } of await lostFollows(db))
    wecom.state.strangers.add(`${wecomUserId} ${externalUserId}`)
  const sms = await startSmsSandbox({
    ...sandboxCredentials.sms,
    clock: () => clock.now(),
    messages: of('sms') as SmsMessage[],
    keep: (message) =>
      keepMessage(db, {
        channel: 'sms',
        id: `${message.bizId} ${message.outId}`,
        state: message,
        at: instant(message.sentAt),
      }),
  })
  const providers = {
    wecom,
    sms,
    async close() {
      await wecom.close()
      await sms.close()
    },
  }
  await pointChannels(db, providers, now)
  return providers
}

async function pointChannels(db: Database, { wecom, sms }: Providers, now: Date): Promise<void> {
  const addresses = { wecom: wecom.baseUrl, sms: sms.baseUrl }
  await db.transaction(async (tx) => {
    for (const { name, mode, baseUrl } of await listChannels(tx)) {
      const address = addresses[name]
      if ((mode === 'off' || mode === 'simulated') && baseUrl !== address)
        await simulate(tx, name, address, now)
    }
  })
}

/** Guides press send, the operator reports: whatever was due by `to`. How many. */
export async function actAtProviders({ wecom, sms }: Providers, seed: string, to: Date): Promise<number> {
  let done = 0
  for (const message of wecom.state.messages.values()) {
    if (message.confirmedAt !== null || message.cancelled) continue
    const at = confirmsAt(seed, { id: message.msgid, at: message.createdAt })
    if (at !== null && at <= to.getTime() && (await wecom.confirmAndKeep(message.msgid))) done += 1
  }
  for (const message of sms.messages) {
    if (message.status !== 1) continue
    const report = reportOf(seed, { id: message.outId, at: message.sentAt })
    if (report.at > to.getTime()) continue
    await sms.report(message.bizId, report.delivered)
    done += 1
  }
  return done
}
