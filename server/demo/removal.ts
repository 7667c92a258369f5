/**
 * Taking the demo brand out.
 *
 * Stored: `demo_brand.state`. Always true: once it is `removing` nothing of the demo lives or is sent any more; each
 * transaction is short and fenced, and taking it again is harmless, so a removal that was killed goes on. It ends when
 * a whole pass over every table of both stores finds nothing: what loops had still in hand is found by the next pass.
 * What something real has come to use (a store of a real member, a tag on one) is left to it. The audit trail stays.
 */
import { deleteSegment, retireTags } from '../audience/audience.ts'
import { endJourney } from '../journeys/journeys.ts'
import { audit, systemActor } from '../org/org.ts'
import type { ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../platform/crash.ts'
import { fence, type LeaseToken, withLease } from '../platform/jobs/lease.ts'
import { type Database, sqlState, type Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { listChannels, switchOff } from '../reach/reach.ts'
import { unnameDemoBrand } from './organisation.ts'
import {
  clickhouseRows,
  deleteShared,
  demoIds,
  demoJourneys,
  demoSegments,
  demoTags,
  disableStaff,
  forgetMeasures,
  leaveToReal,
  logParts,
  logStep,
  ordersOfNobody,
  type Shared,
  shared,
  steps,
  takeOut,
} from './removal-store.ts'
import { type DemoState, moveState, noteRemoved, readDemo } from './store.ts'

export type RemovalParts = { db: Database; clickhouse: ClickHouse }
type How = { token: LeaseToken; now: Date }

/** Longer passes find nothing new; something else writes demo rows and must be found. */
const MOST_PASSES = 20
const FOREIGN_KEY = '23503'
const RESTRICTED = '23001'
const THERE: readonly DemoState[] = ['seeding', 'settling', 'living']

/**
 * Says that the demo brand is to go: simulated people stop at once, its SOPs end, and the work loop takes it out.
 * False where there is none. Errors: none; a repeat changes nothing.
 */
export async function askForRemoval(db: Database): Promise<boolean> {
  if (await moveState(db, THERE, 'removing')) return true
  return (await readDemo(db))?.state === 'removing'
}

/**
 * Takes the demo brand out now, in this process; waits while another one does. Answers rows by table.
 * Errors: `not_found` where there is none.
 */
export async function removeDemo(
  parts: RemovalParts,
  { now, lease, onProgress }: { now: Date; lease: string; onProgress?: (rows: number) => void },
): Promise<number> {
  if (!(await askForRemoval(parts.db))) throw new Problem('not_found', 'There is no demo brand here.')
  let rows = 0
  for (;;) {
    await withLease(parts.db, lease, async (token) => {
      for await (const gone of removal(parts, { token, now })) {
        rows += gone
        onProgress?.(rows)
      }
    })
    if ((await readDemo(parts.db))?.state !== 'removing') return rows
    // The work loop of a running program has the lease: it does the same.
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** The removal as short steps: each yields how many rows went. */
export async function* removal(parts: RemovalParts, how: How): AsyncGenerator<number> {
  yield* stopWorking(parts, how)
  for (let pass = 1; ; pass += 1) {
    if (pass > MOST_PASSES) throw new Error('something still writes rows of the demo brand')
    let found = 0
    for await (const gone of onePass(parts, how)) {
      found += gone
      if (gone > 0) yield gone
    }
    if (found === 0) break
  }
  // Before the end: whoever is killed here does it again.
  await unnameDemoBrand(parts.db, how.now)
  crashPoint('demo.forgotten')
  await parts.db.transaction(async (tx) => {
    await fence(tx, how.token)
    await forgetMeasures(tx)
    await audit(tx, systemActor(how.now), { action: 'demo.removed', objectKind: 'brand' })
    await noteRemoved(tx, how.now)
  })
}

/** Nothing is sent any more, SOPs end, segments and tags are given up. */
async function* stopWorking({ db }: RemovalParts, how: How): AsyncGenerator<number> {
  const { now } = how
  await inOwn(db, how, async (tx) => {
    for (const { name, mode } of await listChannels(tx))
      if (mode === 'simulated') await switchOff(tx, name, now)
  })
  for (const { id, state } of await demoJourneys(db)) {
    if (state === 'live' || state === 'paused') await inOwn(db, how, (tx) => endJourney(tx, id, now))
    yield 0
  }
  for (const { id, version, state } of await demoSegments(db)) {
    if (state !== 'live') continue
    await unlessUsed(
      () => inOwn(db, how, (tx) => deleteSegment(tx, { id, version }, { at: now })),
      () => leaveToReal(db, 'segment', String(id)),
    )
    yield 0
  }
  const reason = 'the demo brand is taken out'
  for (const { id, state, kept } of await demoTags(db)) {
    if (kept) await leaveToReal(db, 'tag', String(id))
    else if (state === 'active')
      await unlessUsed(
        () => inOwn(db, how, (tx) => retireTags(tx, [id], { reason, by: null, at: now })),
        () => leaveToReal(db, 'tag', String(id)),
      )
    yield 0
  }
}

async function unlessUsed(give: () => Promise<unknown>, leave: () => Promise<void>): Promise<void> {
  try {
    await give()
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'in_use') throw error
    await leave()
  }
}

/** Everything once, the log first: then nobody reads of the demo any more. */
async function* onePass(parts: RemovalParts, how: How): AsyncGenerator<number> {
  const { db, clickhouse } = parts
  for (const step of [...(await logParts(db)).map(logStep), ...steps]) {
    for (;;) {
      const gone = await inOwn(db, how, (tx) => takeOut(tx, step))
      yield gone
      if (gone < step.rows) break
    }
  }
  yield await sweepClickHouse(clickhouse, { staff: await demoIds(db, 'staff'), until: how.now })
  for (const table of shared) {
    for (const id of await demoIds(db, table)) yield await giveUp(db, how, table, id)
  }
}

/**
 * Takes out of ClickHouse what a rebuild from archived days has brought back of a demo that is gone. What a real brand
 * has published since then stays.
 */
export async function sweepRemoved({ db, clickhouse }: RemovalParts): Promise<number> {
  const demo = await readDemo(db)
  if (demo?.state !== 'removed' || demo.removedAt === null) return 0
  return sweepClickHouse(clickhouse, { staff: [], until: demo.removedAt })
}

/** `staff`: whose events without a person go too; `until`: cut points published by then were those of the demo's base. */
type Sweep = { staff: readonly string[]; until: Date }

/** Takes rows of the demo out of ClickHouse; how many there were. */
async function sweepClickHouse(clickhouse: ClickHouse, sweep: Sweep): Promise<number> {
  let gone = 0
  for (const { table, where, given } of clickhouseRows) {
    for (const params of await parametersOf(clickhouse, given, sweep)) {
      const counting = `select count() as rows from ${table} where ${where}`
      const [row] = await clickhouse.rows<{ rows: number }>(counting, params)
      if (!row || row.rows === 0) continue
      await clickhouse.remove(table, where, params)
      gone += row.rows
    }
  }
  return gone
}

const ORDERS_AT_ONCE = 2_000

/** The parameters of each delete that a kind of rows takes. */
async function parametersOf(
  clickhouse: ClickHouse,
  given: (typeof clickhouseRows)[number]['given'],
  { staff, until }: Sweep,
): Promise<Params[]> {
  if (given === 'nothing') return [{}]
  if (given === 'brand') return [{ staff, until }]
  const orders: string[] = []
  for await (const rows of clickhouse.stream<[string]>(ordersOfNobody)) orders.push(...rows.map(([id]) => id))
  return Array.from({ length: Math.ceil(orders.length / ORDERS_AT_ONCE) }, (_, part) => ({
    orders: orders.slice(part * ORDERS_AT_ONCE, (part + 1) * ORDERS_AT_ONCE),
  }))
}

async function giveUp(db: Database, how: How, table: Shared, id: string): Promise<number> {
  try {
    await inOwn(db, how, (tx) => deleteShared(tx, table, id))
    return 1
  } catch (error) {
    const state = sqlState(error)
    if (state !== FOREIGN_KEY && state !== RESTRICTED) throw error
    if (table === 'staff') await disableStaff(db, id)
    await leaveToReal(db, table, id)
    return 0
  }
}

async function inOwn<T>(db: Database, { token }: How, work: (tx: Tx) => Promise<T>): Promise<T> {
  const result = await db.transaction(async (tx) => {
    await fence(tx, token)
    const done = await work(tx)
    crashPoint('demo.before_commit')
    return done
  })
  crashPoint('demo.step')
  return result
}
