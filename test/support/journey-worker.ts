/**
 * A process that reacts, steps, decides and delivers under one lease until it is killed; started by the kill test of
 * SOPs. Argument: JSON of `Order`. Prints one line a round: how much it did.
 */
import { openAliyun, smsChannel, wecomChannel } from '../../server/connectors/connectors.ts'
import { reactOnce } from '../../server/events/react.ts'
import { handledTypes, onEvents, stepOnce, takeInPresent } from '../../server/journeys/journeys.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { LeaseLost, withLease } from '../../server/platform/jobs/lease.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { arbitrateOnce, deliverOnce, reachHandler } from '../../server/reach/reach.ts'
import { askAPerson, markLate } from '../../server/tasks/tasks.ts'
import { openWecom } from '../../wecom/client.ts'
import { peopleOf, testKeys } from './reach-ports.ts'
import { type Epoch, readEpoch, timeOf } from './test-time.ts'

export type Order = {
  databaseUrl: string
  wecomUrl: string
  smsUrl: string
  settleSeconds: number
  crashAt?: string | undefined
}

// Only a process that ends by itself leaves its compiled modules in the cache.
if (process.argv[2] === 'warm-up') process.exit(0)
const order = JSON.parse(process.argv[2] ?? '{}') as Order
const db = openDatabase(order.databaseUrl, { max: 6, applicationName: 'journey-worker' })
let epoch: Epoch = await readEpoch(db)
const clock = () => timeOf(epoch)
const pace = { settleSeconds: order.settleSeconds, pollSeconds: 1 }
const channels = [
  wecomChannel({
    client: openWecom({ baseUrl: order.wecomUrl, corpId: 'ww-sandbox', secret: 'sandbox-secret' }),
    ...pace,
  }),
  smsChannel({
    client: openAliyun({
      baseUrl: order.smsUrl,
      accessKeyId: 'sandbox-key',
      accessKeySecret: 'sandbox-secret',
      clock,
    }),
    ...pace,
  }),
]
const ports = { people: peopleOf(testKeys()), askAPerson }
const handlers = [reachHandler, { name: 'journeys', types: [...handledTypes], handle: onEvents }]
armCrashPoint(order.crashAt)

for (;;) {
  await withLease(
    db,
    'walk',
    async (token) => {
      while (!token.signal.aborted) {
        epoch = await readEpoch(db)
        const how = { token, now: clock(), zone: 'Asia/Shanghai' }
        let done = 0
        for (const lane of ['live', 'bulk'] as const) done += await reactOnce(db, handlers, { lane, ...how })
        done += await takeInPresent(db, how)
        done += await stepOnce(db, how)
        done += await markLate(db, how.now)
        done += (await arbitrateOnce(db, ports.people, how)).persons
        const { formed, handed, asked, closed } = await deliverOnce(db, channels, ports, how)
        done += formed + handed + asked + closed
        process.stdout.write(`${done}\n`)
        if (done === 0) await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    { leaseMs: 500, renewMs: 150 },
  ).catch((error: unknown) => {
    // On a busy machine the lease may pass to the one who waits.
    if (!(error instanceof LeaseLost)) throw error
  })
  await new Promise((resolve) => setTimeout(resolve, 30))
}
