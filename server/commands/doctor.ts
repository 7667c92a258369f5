/** Looks at everything that stops a brand, in the order in which it would, and says what to do about each. */

import { restlessPersons } from '../audience/audience.ts'
import type { Config } from '../config.ts'
import { readLag } from '../events/events.ts'
import { acceptClock, brand, openBusinessClock } from '../org/org.ts'
import { GIB, inGigabytes } from '../platform/disk.ts'
import { listLeases } from '../platform/jobs/lease.ts'
import { readHorizon } from '../platform/postgres/horizon.ts'
import { sql } from '../platform/postgres/sql.ts'
import { systemClock } from '../platform/time/clock.ts'
import { thisMachine } from '../platform/time/machine.ts'
import { prepareStores } from '../prepare.ts'
import { openStores, type Stores } from '../stores.ts'
import { VERSION } from '../version.ts'
import { type Command, sentenceOf } from './command.ts'

/** `bad` stops something; `warn` will. `advice` says what to do. */
type Finding = { check: string; state: 'good' | 'warn' | 'bad'; found: string; advice?: string }

const SAYS = { good: 'ok  ', warn: 'warn', bad: 'BAD ' } as const
const OLD_HORIZON_SECONDS = 10
const BEHIND_SECONDS = 60

/** Exit code 0 when nothing is bad, else 1. */
export async function doctor(
  { config, log, terminal }: Command,
  options: { acceptClock?: boolean },
): Promise<number> {
  const findings: Finding[] = [environment(config)]
  let stores: Stores | undefined
  try {
    stores = await openStores(config, log, 'either')
    await prepareStores(stores)
    if (options.acceptClock === true) await acceptClock(stores.db, systemClock, thisMachine())
    findings.push(
      good(
        'stores',
        {
          own: 'not running; the built-in engines were started for this check',
          join: 'a running Liuliang answers',
          remote: 'both stores answer at their addresses',
        }[stores.mode],
      ),
    )
    findings.push(...(await lookAt(stores)))
  } catch (error) {
    findings.push({ check: 'stores', state: 'bad', found: sentenceOf(error) })
  } finally {
    await stores?.close()
  }
  for (const { check, state, found, advice } of findings) {
    terminal.say(`${SAYS[state]}  ${check.padEnd(12)} ${found}`)
    if (advice !== undefined) terminal.say(`      ${' '.repeat(12)} → ${advice}`)
  }
  const bad = findings.filter(({ state }) => state === 'bad').length
  terminal.say(bad === 0 ? 'Nothing is broken.' : `${bad} of ${findings.length} checks are bad.`)
  terminal.result({ version: VERSION, healthy: bad === 0, findings })
  return bad === 0 ? 0 : 1
}

function environment(config: Config): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const stores = `PostgreSQL ${config.databaseUrl ? 'by DATABASE_URL' : 'built in'}, ClickHouse ${config.clickhouseUrl ? 'by CLICKHOUSE_URL' : 'built in'}`
  const found = `Liuliang ${VERSION}, Node ${process.versions.node}, ${process.platform} ${process.arch}, ${stores}`
  if (major < 24)
    return bad('environment', found, 'Start by npm start or npx liuliang, which bring Node 24 along.')
  return good('environment', found)
}

async function disk(stores: Stores): Promise<Finding> {
  const fullest = stores.disk.fullest()
  if (fullest === undefined) return good('disk', 'both stores are on other machines, and so are their disks')
  const found = `${inGigabytes(fullest.free)} GB free for ${fullest.folder}`
  if (stores.disk.trouble() === undefined) return good('disk', found)
  return bad(
    'disk',
    found,
    `Below ${inGigabytes(stores.disk.least)} GB imports, intake and sending wait. Make room and they go on by themselves, or move LIULIANG_DATA.`,
  )
}

async function lookAt(stores: Stores): Promise<Finding[]> {
  const looks = [disk, postgres, clickhouse, clock, horizon, consumers, restless, leases, housekeeping]
  const findings: Finding[] = []
  for (const look of looks) {
    try {
      findings.push(await look(stores))
    } catch (error) {
      findings.push(
        bad(look.name, sentenceOf(error), 'This could not be looked at; the other findings may say why.'),
      )
    }
  }
  return findings
}

async function postgres({ db }: Stores): Promise<Finding> {
  const row = await db.row<{
    version: string
    fsync: string
    commit: string
    bytes: number
    connections: number
    most: number
  }>(sql`
    select current_setting('server_version') as version, current_setting('fsync') as fsync,
           current_setting('synchronous_commit') as commit, pg_database_size(current_database()) as bytes,
           (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
           current_setting('max_connections')::int as most`)
  const found = `PostgreSQL ${row.version}, ${(row.bytes / GIB).toFixed(2)} GB, ${row.connections} of ${row.most} connections, fsync ${row.fsync}, synchronous_commit ${row.commit}`
  if (row.fsync !== 'on' || row.commit === 'off')
    return bad(
      'postgres',
      found,
      'What was acknowledged can be lost. Set fsync and synchronous_commit to on.',
    )
  if (row.connections > row.most * 0.9)
    return warn(
      'postgres',
      found,
      'Almost no connection is left. Raise max_connections or lower LIULIANG_DB_POOL.',
    )
  return good('postgres', found)
}

async function clickhouse({ clickhouse: store, clickhouseOptions }: Stores): Promise<Finding> {
  const parts =
    clickhouseOptions.cluster === undefined
      ? 'system.parts'
      : 'clusterAllReplicas({cluster: String}, system.parts)'
  const [row] = await store.rows<{ version: string; bytes: string; rows: string }>(
    `select version() as version, toString(sum(bytes_on_disk)) as bytes, toString(sum(rows)) as rows from ${parts} where active and database = currentDatabase()`,
    { cluster: clickhouseOptions.cluster ?? '' },
  )
  return good(
    'clickhouse',
    `ClickHouse ${row?.version}, ${(Number(row?.bytes) / GIB).toFixed(2)} GB, ${Number(row?.rows).toLocaleString('en-US')} rows`,
  )
}

async function clock({ db }: Stores): Promise<Finding> {
  const business = await openBusinessClock(db, systemClock, thisMachine())
  business.stop()
  const trouble = business.trouble()
  const { seconds } = await db.row<{ seconds: number }>(
    sql`select extract(epoch from ${systemClock.now()}::timestamptz - statement_timestamp())::float8 as seconds`,
  )
  if (trouble !== undefined) return bad('clock', trouble)
  if (Math.abs(seconds) > 5)
    return warn(
      'clock',
      `The clocks of this machine and of PostgreSQL differ by ${seconds.toFixed(0)} s`,
      'Let both follow a time server.',
    )
  return good('clock', 'agrees with business time and with PostgreSQL')
}

async function horizon({ db }: Stores): Promise<Finding> {
  const { ageSeconds, holder } = await readHorizon(db)
  if (!holder) return good('log', 'no open transaction holds readers back')
  const found = `the oldest open transaction that writes is ${ageSeconds.toFixed(1)} s old (process ${holder.pid}, ${holder.program}, ${holder.state}, database ${holder.database})`
  if (ageSeconds < OLD_HORIZON_SECONDS) return good('log', found)
  return warn(
    'log',
    found,
    `Every consumer waits for it. If it is forgotten, end it: select pg_terminate_backend(${holder.pid})`,
  )
}

/** Persons whom time wakes again and again for nothing. */
async function restless({ db }: Stores): Promise<Finding> {
  const found = await restlessPersons(db, { now: systemClock.now(), zone: (await brand(db)).zone })
  if (found.length === 0) return good('restless', 'nobody is evaluated again and again for nothing')
  const segments = [...new Set(found.flatMap((one) => one.segments))].slice(0, 10).join(', ')
  return warn(
    'restless',
    `${found.length} or more persons were evaluated over 24 times today without a change (segments ${segments})`,
    'A rule changes its answer too often; look at the time windows of these segments.',
  )
}

async function consumers({ db }: Stores): Promise<Finding> {
  const lags = await readLag(db, systemClock.now())
  const behind = lags.filter((lag) => lag.seconds > BEHIND_SECONDS)
  if (behind.length === 0)
    return good('consumers', lags.length === 0 ? 'none known yet' : 'all have caught up')
  const found = behind
    .map((lag) => `${lag.name} (${lag.lane}) is ${Math.round(lag.seconds)} s behind`)
    .join(', ')
  return warn(
    'consumers',
    found,
    'Is a process with "work" or "start" running? If so, its log says what fails.',
  )
}

async function leases({ db }: Stores): Promise<Finding> {
  const held = await listLeases(db)
  if (held.length === 0) return good('work', 'no loop runs at this moment')
  const holders = new Map<string, number>()
  for (const { holder } of held) holders.set(holder, (holders.get(holder) ?? 0) + 1)
  return good('work', [...holders].map(([holder, count]) => `${holder} runs ${count} loops`).join(', '))
}

async function housekeeping({ db }: Stores): Promise<Finding> {
  const known = await db.maybe(sql`select 1 as known from pg_namespace where nspname = 'graphile_worker'`)
  if (!known) return good('housekeeping', 'has not run yet')
  const failed = await db.rows<{ task: string }>(
    sql`select task_identifier as task from graphile_worker.jobs where last_error is not null and attempts >= max_attempts limit 5`,
  )
  if (failed.length === 0) return good('housekeeping', 'nothing has failed')
  return warn(
    'housekeeping',
    `failed for good: ${failed.map(({ task }) => task).join(', ')}`,
    'The log says why; the next turn tries again.',
  )
}

function good(check: string, found: string): Finding {
  return { check, state: 'good', found }
}

function warn(check: string, found: string, advice: string): Finding {
  return { check, state: 'warn', found, advice }
}

function bad(check: string, found: string, advice?: string): Finding {
  return { check, state: 'bad', found, ...(advice === undefined ? {} : { advice }) }
}
