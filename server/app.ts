/**
 * The composition root: the only file that knows every capability. It builds them over the stores, joins their ports,
 * and lists their routes, loops and housekeeping.
 */

import { fileURLToPath } from 'node:url'
import type { StreamRoute } from '../contract/base.ts'
import { sandboxCredentials } from '../sandbox/credentials.ts'
import { orderMembership } from './audience/audience.ts'
import { audienceRoutes } from './audience/routes.ts'
import { openChannels } from './connectors/connectors.ts'
import { receiptAddress, smsStreams } from './connectors/sms/routes.ts'
import { wecomStreams } from './connectors/wecom/routes.ts'
import { demoRoutes } from './demo/routes.ts'
import { batchRoutes } from './events/batch/routes.ts'
import { openIntake } from './events/events.ts'
import { forgetImports } from './events/import/jobs.ts'
import { importRoutes, importStreams } from './events/import/routes.ts'
import { intakeRoutes } from './events/intake/routes.ts'
import { watchGauges } from './gauges.ts'
import { forgetExports } from './insight/export/jobs.ts'
import { exportRoutes, exportStreams } from './insight/export/routes.ts'
import { memberRowsOf } from './insight/insight.ts'
import { insightRoutes, memberPages } from './insight/routes.ts'
import {
  exportParts,
  handlers,
  importParts,
  intakePeople,
  membersDeps,
  putTag,
  reachPorts,
} from './joined.ts'
import { journeyNames } from './journeys/journeys.ts'
import { journeyRoutes } from './journeys/routes.ts'
import type { Loop } from './loop.ts'
import { loopsOf } from './loops.ts'
import { visibleTo } from './members/members.ts'
import { type BusinessClock, type Call, forgetSessions, openGuard, type Viewer } from './org/org.ts'
import { orgRoutes } from './org/routes.ts'
import { type Api, buildApi, type Streamed } from './platform/http/api.ts'
import { forgetKeys } from './platform/http/idempotency.ts'
import { type Metrics, openMetrics } from './platform/http/metrics.ts'
import { describeApi } from './platform/http/open-api.ts'
import { type HttpServer, openServer } from './platform/http/server.ts'
import { forgetBuckets } from './platform/http/shared-limit.ts'
import type { Housekeeping } from './platform/jobs/housekeeping.ts'
import type { Log } from './platform/logging/log.ts'
import { type Sql, sql } from './platform/postgres/sql.ts'
import { type Channel, type ChannelName, pruneLedger } from './reach/reach.ts'
import { reachRoutes } from './reach/routes.ts'
import type { Stores } from './stores.ts'
import { taskRoutes } from './tasks/routes.ts'
import { VERSION } from './version.ts'

export type AppParts = {
  stores: Pick<Stores, 'db' | 'clickhouse' | 'keyring' | 'folders' | 'disk'>
  clock: BusinessClock
  log: Log
  publicUrl?: string | undefined
  /** How the outside world is reached. */
  channels?: readonly Channel[]
  /** Where providers are reached instead of at their own addresses; for tests. */
  providers?: Partial<Record<ChannelName, string>> | undefined
}

export type App = {
  /** Contract routers by capability. */
  router: ReturnType<typeof routersOf>
  streams: readonly Streamed<Call>[]
  loops: readonly Loop[]
  housekeeping: readonly Housekeeping[]
  api: Api
  doors: ReturnType<typeof openIntake>
  metrics: Metrics
  guard: ReturnType<typeof openGuard>
}

/** Builds every capability over open stores. Nothing runs yet: see `serveApp` and runLoops. */
export function buildApp(parts: AppParts): App {
  const { stores, log, publicUrl } = parts
  const router = routersOf(parts)
  const streams = streamsOf(parts)
  const guard = openGuard(stores.db, { publicUrl })
  const metrics = openMetrics((err) => parts.log.warn({ event: 'metrics.unreadable', err }))
  const doors = openIntake({
    db: stores.db,
    people: intakePeople(stores.keyring),
    disk: stores.disk,
    onError: (err) => log.warn({ event: 'intake.counts_not_written', err }),
  })
  watchGauges(metrics, parts, doors)
  return {
    doors,
    router,
    streams,
    loops: loopsOf(parts),
    housekeeping: housekeepingOf(parts),
    api: buildApi({
      router,
      streams,
      guard,
      db: stores.db,
      index: stores.keyring.index,
      log,
      disk: stores.disk,
    }),
    metrics,
    guard,
  }
}

function routersOf({ stores, clock, providers, publicUrl }: AppParts) {
  const { db, clickhouse, keyring, disk } = stores
  return {
    org: orgRoutes({ db }),
    members: memberPages({ db, clickhouse, deps: membersDeps(keyring) }),
    audience: audienceRoutes({
      db,
      clickhouse,
      visibleTo: aliased,
      memberRows: (viewer, ids) => memberRowsOf(membersDeps(keyring), db, viewer, ids),
      journeyNames: () => journeyNames(db),
    }),
    imports: importRoutes(importParts(stores, clock)),
    exports: exportRoutes(exportParts(stores, clock)),
    intake: intakeRoutes({ db, publicUrl }),
    batch: batchRoutes({ db, people: intakePeople(keyring) }),
    reach: reachRoutes({
      db,
      people: reachPorts(keyring).people,
      cipher: keyring.cipher,
      providers,
      receiptAddress: receiptAddress(keyring.index, publicUrl),
    }),
    tasks: taskRoutes({ db, putTag }),
    journeys: journeyRoutes({ db }),
    demo: demoRoutes({ db }),
    insight: insightRoutes({
      db,
      handlers,
      clockTrouble: () => clock.trouble(),
      clickhouseAnswers: () => clickhouse.ping(),
      diskFreeShare: async () => disk.share(),
      diskTrouble: () => disk.trouble(),
    }),
  }
}

/** What a viewer may see, as a condition over `person p`. */
function aliased(viewer: Viewer): Sql {
  return viewer.all ? sql`true` : sql`p.id in (select person.id from person where ${visibleTo(viewer)})`
}

function streamsOf({ stores, clock, log, channels = [] }: AppParts): readonly Streamed<Call>[] {
  const { db, keyring } = stores
  const { askAPerson } = reachPorts(keyring)
  const opened = openChannels({ sandbox: sandboxCredentials, cipher: keyring.cipher, clock })
  return [
    ...importStreams(importParts(stores, clock)),
    ...exportStreams(exportParts(stores, clock)),
    ...wecomStreams({ db, cipher: keyring.cipher, members: membersDeps(keyring), log }),
    ...smsStreams({
      db,
      channels: async () => [...channels, ...(await opened(db))],
      askAPerson,
      index: keyring.index,
    }),
  ]
}

function housekeepingOf({ stores, clock }: AppParts): readonly Housekeeping[] {
  const { db } = stores
  return [
    { name: 'forget-idempotency-keys', cron: '7 * * * *', run: () => forgetKeys(db, clock.now()) },
    {
      name: 'forget-imports',
      cron: '27 * * * *',
      run: () => forgetImports(importParts(stores, clock), clock.now()),
    },
    {
      name: 'forget-exports',
      cron: '57 * * * *',
      run: () => forgetExports(exportParts(stores, clock), clock.now()),
    },
    { name: 'forget-rate-buckets', cron: '47 * * * *', run: () => forgetBuckets(db) },
    { name: 'forget-touches', cron: '37 3 * * *', run: () => pruneLedger(db, clock.now()) },
    { name: 'order-membership', cron: '* * * * *', run: () => orderMembership(db) },
    { name: 'forget-sessions', cron: '17 * * * *', run: () => forgetSessions(db, clock.now()) },
  ]
}

const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url))

export type Serving = { host: string; port: number; trustProxy: boolean; webFolder?: string }

/** Opens the HTTP server over an app. Errors: `StartRefused` for a port that cannot be had. */
export function serveApp(app: App, parts: AppParts, how: Serving): Promise<HttpServer> {
  const { stores, clock, log } = parts
  let document: Promise<unknown> | undefined
  return openServer({
    host: how.host,
    port: how.port,
    trustProxy: how.trustProxy,
    webFolder: how.webFolder ?? WEB_FOLDER,
    api: app.api,
    doors: app.doors,
    metrics: app.metrics,
    clock,
    log,
    describe() {
      document ??= describeApi(
        app.router,
        app.streams.map(({ route }): StreamRoute => route),
        VERSION,
      )
      return document
    },
    async mayReadMetrics(request, call) {
      const { viewer } = await app.guard.identify(request, call)
      return viewer.scopes.includes('metrics:read')
    },
    async notReady() {
      try {
        await stores.db.run(sql`select 1`)
      } catch {
        return 'PostgreSQL does not answer.'
      }
      if (!(await stores.clickhouse.ping())) return 'ClickHouse does not answer.'
      return clock.trouble()
    },
  })
}
