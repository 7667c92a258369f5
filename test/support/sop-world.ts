/**
 * Everything that follows from events and time, from the log to simulated providers, in one process with a clock that
 * the test moves: react, project, evaluate, recompute, step, decide, deliver. For stories about SOPs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll } from 'vitest'
import { type SmsSandbox, startSmsSandbox } from '../../sandbox/sms/server.ts'
import { startWecomSandbox, type WecomSandbox } from '../../sandbox/wecom/server.ts'
import { evaluateOnce, recompute } from '../../server/audience/audience.ts'
import { openAliyun, smsChannel, wecomChannel } from '../../server/connectors/connectors.ts'
import { hasCaughtUp, REACT, registerConsumers } from '../../server/events/events.ts'
import { reactOnce } from '../../server/events/react.ts'
import { handledTypes, onEvents, stepOnce, takeInPresent } from '../../server/journeys/journeys.ts'
import type { Keyring } from '../../server/platform/crypto/master-key.ts'
import { type LeaseToken, takeLease } from '../../server/platform/jobs/lease.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { arbitrateOnce, type Channel, deliverOnce, reachHandler } from '../../server/reach/reach.ts'
import { askAPerson, markLate } from '../../server/tasks/tasks.ts'
import { openWecom } from '../../wecom/client.ts'
import { audienceWorld, projectAll, type World } from './audience-world.ts'
import { openSimulated } from './reach.ts'
import { peopleOf, testKeys } from './reach-ports.ts'

export type SopWorld = World & {
  readonly wecom: WecomSandbox
  readonly sms: SmsSandbox
  /** The business time; `settle` works at it. */
  now: Date
  /** The lease under which everything works. */
  readonly token: LeaseToken
  /** Reads the log to its end, and nothing else. */
  react(): Promise<void>
  /** Lets everything work until nothing is left to do at this time. */
  settle(): Promise<void>
  /** Moves the time and settles. */
  at(now: Date): Promise<void>
  /** All mass messages are confirmed, all SMS reported as delivered, and what follows from it has happened. */
  everythingArrives(): Promise<void>
}

const ZONE = 'Asia/Shanghai'
const MOST_ROUNDS = 500
/** Longer than the provider of SMS rests between two looks. */
const A_WHILE_MS = 12 * 60_000

export async function sopWorld(start: Date, keys: Keyring = testKeys()): Promise<SopWorld> {
  const world = await audienceWorld()
  const { db, clickhouse, evaluate } = world
  await registerConsumers(db, [REACT])
  const token = (await takeLease(db, 'sop-world', 3_600_000)) as LeaseToken
  const clock = () => here.now
  const wecom = await startWecomSandbox({ clock })
  const sms = await startSmsSandbox({ clock, retryMs: [] })
  afterAll(async () => {
    await wecom.close()
    await sms.close()
  })
  await openSimulated(db, 'wecom', wecom.baseUrl)
  await openSimulated(db, 'sms', sms.baseUrl)
  const channels: Channel[] = [
    wecomChannel({
      client: openWecom({ baseUrl: wecom.baseUrl, corpId: 'ww-sandbox', secret: 'sandbox-secret' }),
    }),
    smsChannel({
      client: openAliyun({
        baseUrl: sms.baseUrl,
        accessKeyId: 'sandbox-key',
        accessKeySecret: 'sandbox-secret',
        clock,
      }),
    }),
  ]
  const ports = { people: peopleOf(keys), askAPerson }
  const handlers = [reachHandler, { name: 'journeys', types: [...handledTypes], handle: onEvents }]

  async function round(): Promise<number> {
    const how = { token, now: here.now, zone: ZONE }
    let done = 0
    for (const lane of ['live', 'bulk'] as const) done += await reactOnce(db, handlers, { lane, ...how })
    await projectAll(world, here.now)
    const evaluating = { ...how, token: evaluate }
    done += (await evaluateOnce(db, clickhouse, evaluating)).persons
    done += (await recompute(db, clickhouse, { ...evaluating, now: clock }))?.persons ?? 0
    done += await takeInPresent(db, how)
    done += await stepOnce(db, how)
    done += await markLate(db, here.now)
    done += (await arbitrateOnce(db, ports.people, how)).persons
    const { formed, handed, asked, closed } = await deliverOnce(db, channels, ports, how)
    return done + formed + handed + asked + closed
  }

  const here: SopWorld = {
    ...world,
    wecom,
    sms,
    token,
    now: start,
    async react() {
      while (!(await hasCaughtUp(db, REACT)))
        for (const lane of ['live', 'bulk'] as const)
          await reactOnce(db, handlers, { lane, token, now: here.now })
    },
    async settle() {
      for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
        if ((await round()) > 0) continue
        const waiting = await db.row<{ rows: number }>(sql`select count(*)::int as rows from evaluation_due`)
        if (waiting.rows === 0 && (await hasCaughtUp(db, REACT)) && (await hasCaughtUp(db, 'evaluate')))
          return
        // Other test files share the server and may hold the log's horizon back.
        await sleep(20)
      }
      throw new Error('there is always something left to do')
    },
    async at(now) {
      here.now = now
      await here.settle()
    },
    async everythingArrives() {
      for (const { msgid } of wecom.state.messages.values()) wecom.confirm(msgid)
      for (const { bizId, status } of sms.messages) if (status === 1) await sms.report(bizId, true)
      await here.at(new Date(here.now.getTime() + A_WHILE_MS))
    },
  }
  return here
}
