/** A process that decides and delivers until it is killed; started by the kill test. Prints one line a round. */

import { openAliyun, smsChannel, wecomChannel } from '../../server/connectors/connectors.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { LeaseLost, withLease } from '../../server/platform/jobs/lease.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { arbitrateOnce, deliverOnce } from '../../server/reach/reach.ts'
import { openWecom } from '../../wecom/client.ts'
import { noteRequests, peopleOf, TEN, testKeys } from './reach-ports.ts'

type Order = {
  databaseUrl: string
  wecomUrl: string
  smsUrl: string
  startedAt: number
  settleSeconds: number
  crashAt?: string
}

// Only a process that ends by itself leaves its compiled modules in the cache.
if (process.argv[2] === 'warm-up') process.exit(0)
const order = JSON.parse(process.argv[2] ?? '{}') as Order
const db = openDatabase(order.databaseUrl, { max: 6, applicationName: 'reach-worker' })
/** Business time: ten o'clock and as much as has passed. */
const clock = () => new Date(TEN.getTime() + Date.now() - order.startedAt)
const channels = [
  wecomChannel({
    client: openWecom({ baseUrl: order.wecomUrl, corpId: 'ww-sandbox', secret: 'sandbox-secret' }),
    settleSeconds: order.settleSeconds,
    pollSeconds: 1,
  }),
  smsChannel({
    client: openAliyun({
      baseUrl: order.smsUrl,
      accessKeyId: 'sandbox-key',
      accessKeySecret: 'sandbox-secret',
      clock,
    }),
    settleSeconds: order.settleSeconds,
    pollSeconds: 1,
  }),
]
const ports = { people: peopleOf(testKeys()), askAPerson: noteRequests() }
armCrashPoint(order.crashAt)

for (;;) {
  await withLease(
    db,
    'reach',
    async (token) => {
      while (!token.signal.aborted) {
        const how = { token, now: clock(), zone: 'Asia/Shanghai' }
        const { persons } = await arbitrateOnce(db, ports.people, how)
        const done = await deliverOnce(db, channels, ports, how)
        const sum = persons + done.formed + done.handed + done.asked + done.closed
        process.stdout.write(`round ${sum}\n`)
        if (sum === 0) await new Promise((resolve) => setTimeout(resolve, 200))
      }
    },
    { leaseMs: 800, renewMs: 200 },
  ).catch((error: unknown) => {
    // On a busy machine the lease may pass to the one who waits.
    if (!(error instanceof LeaseLost)) throw error
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
}
