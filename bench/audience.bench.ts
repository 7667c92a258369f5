/**
 * What stays quick beside a large base and a hundred segments: touched members evaluated while events are being
 * inserted, a tick at a fixed rate of change, previews of rules that nobody has saved, and one member's page while
 * everybody is computed anew. No OPTIMIZE before.
 * Run: node bench/audience.bench.ts [persons] [rows]; BENCH_BASE names a folder in which the base is kept.
 */
import { randomBytes } from 'node:crypto'
import { evaluateOnce, previewRule, recompute } from '../server/audience/audience.ts'
import { append, lanes, PROJECT, projectOnce } from '../server/events/events.ts'
import { memberCard, memberOrders, memberTimeline } from '../server/insight/member-card.ts'
import { systemActor } from '../server/org/org.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { openKeyring } from '../server/platform/crypto/master-key.ts'
import { idOf } from '../server/platform/ids.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { activated, leaseOf } from './activated.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { hundredSegments } from './hundred-segments.ts'
import { baseRows, NOW, ZONE } from './large-base.ts'
import { inStores } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 200_000)
const ROWS = Number(process.argv[3] ?? PERSONS * 20)
const TOUCHED = 1000
const BATCHES = 60
const EVENTS_PER_SECOND = 2000
const INSERT_EVERY_MS = 250

/** Of each batch other members, spread over the base: read, decided and written. */
async function touchedMembers(
  db: Database,
  clickhouse: ClickHouse,
  persons: number,
  data: string,
): Promise<void> {
  const token = await leaseOf(db, 'evaluate')
  const project = await leaseOf(db, PROJECT)
  const inserting = insertEvents(clickhouse, persons)
  const seconds: number[] = []
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await touch(db, persons, batch)
    for (const lane of lanes)
      while ((await projectOnce(db, clickhouse, { lane, token: project, now: NOW })) > 0);
    let evaluated = 0
    const took = await secondsOf(async () => {
      evaluated = (await evaluateOnce(db, clickhouse, { token, now: NOW, zone: ZONE, batch: TOUCHED }))
        .persons
    })
    if (evaluated !== TOUCHED) throw new Error(`${evaluated} members were evaluated`)
    seconds.push(took)
  }
  const inserted = await inserting.stop()
  seconds.sort((left, right) => left - right)
  figure({
    what: `${count(TOUCHED)} touched members, evaluated and written, while ${count(inserted)} events/s are inserted`,
    data: `${data}, ${BATCHES} batches`,
    ours: `p50 ${inSeconds(at(seconds, 0.5))}, p99 ${inSeconds(at(seconds, 0.99))}`,
    wanted: 'p99 at most 0.3 s; from 2 M to 10 M members at most a fifth more',
  })
}

async function touch(db: Database, persons: number, batch: number): Promise<void> {
  const step = Math.floor(persons / TOUCHED)
  await db.transaction(async (tx) => {
    const events = Array.from({ length: TOUCHED }, (_, place) => {
      const person = 1 + ((place * step + batch * 7) % persons)
      return {
        id: idOf('bench', batch, person, process.pid),
        type: 'attributes_changed' as const,
        profileId: person,
        personId: person,
        at: NOW,
        data: { changed: {} },
      }
    })
    await append(tx, events, { lane: 'live', source: 'bench', receivedAt: NOW })
  })
}

/** Browsing of members all over the base, as the projector inserts it. `stop` answers how many a second there were. */
function insertEvents(clickhouse: ClickHouse, persons: number): { stop(): Promise<number> } {
  const many = (EVENTS_PER_SECOND * INSERT_EVERY_MS) / 1000
  const moment = NOW.toISOString().replace('T', ' ').replace('Z', '')
  const started = performance.now()
  let inserted = 0
  let writing = Promise.resolve()
  const timer = setInterval(() => {
    const rows = Array.from({ length: many }, (_, place) => {
      const person = 1 + (((inserted + place) * 7919) % persons)
      const id = idOf('inserted', process.pid, inserted + place)
      return { person_id: person, at: moment, id, profile_id: person, type: 'heartbeat', received_at: moment }
    })
    inserted += many
    writing = writing.then(() => clickhouse.insert('events', rows))
  }, INSERT_EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await writing
      return inserted / ((performance.now() - started) / 1000)
    },
  }
}

async function previews(db: Database, clickhouse: ClickHouse, data: string): Promise<void> {
  const found: { name: string; seconds: number; exact: boolean }[] = []
  for (const [name, rule] of hundredSegments()) {
    let exact = true
    const seconds = await secondsOf(async () => {
      exact = (await previewRule(db, clickhouse, rule, { now: NOW, zone: ZONE })).exact
    })
    found.push({ name: `${name} (${rule.kind})`, seconds, exact })
  }
  for (const exact of [true, false]) {
    const some = found
      .filter((one) => one.exact === exact)
      .sort((left, right) => left.seconds - right.seconds)
    const seconds = some.map((one) => one.seconds)
    const slowest = some.at(-1)
    if (!slowest) continue
    const late = seconds.filter((one) => one > 2).length
    figure({
      what: exact
        ? `Preview of a draft rule by SQL, ${some.length} rules`
        : `Preview by a draw, ${some.length} rules`,
      data,
      ours: `p50 ${inSeconds(at(seconds, 0.5))}, slowest ${inSeconds(slowest.seconds)} (${slowest.name}), ${late} beyond 2 s`,
      wanted: 'at most 2 s',
    })
  }
}

async function pageBesideRecompute(
  db: Database,
  clickhouse: ClickHouse,
  persons: number,
  data: string,
): Promise<void> {
  const rest = await pagesWhile(db, clickhouse, persons, new Promise((resolve) => setTimeout(resolve, 3000)))
  const token = await leaseOf(db, 'evaluate')
  const running = recompute(db, clickhouse, { token, now: () => NOW, zone: ZONE, always: true })
  const beside = await pagesWhile(db, clickhouse, persons, running)
  figure({
    what: 'Data of one member’s page while everybody is computed anew',
    data: `${data}, ${beside.length} pages`,
    ours: `p50 ${inSeconds(at(beside, 0.5))}, p99 ${inSeconds(at(beside, 0.99))}`,
    limit: `at rest p50 ${inSeconds(at(rest, 0.5))}, p99 ${inSeconds(at(rest, 0.99))}`,
    ratio: at(rest, 0.5) / at(beside, 0.5),
    wanted: 'p99 at most 0.1 s',
  })
}

const REST_MS = 20
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }

async function pagesWhile(
  db: Database,
  clickhouse: ClickHouse,
  persons: number,
  work: Promise<unknown>,
): Promise<number[]> {
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  const { viewer } = systemActor(NOW)
  const seconds: number[] = []
  for (let page = 0; !over; page += 1) {
    const person = 1 + ((page * 104_729) % persons)
    const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where id = ${person}`)
    seconds.push(
      await secondsOf(() =>
        Promise.all([
          memberCard({ deps, db, viewer, now: NOW, zone: ZONE }, id),
          memberOrders(db, person),
          memberTimeline({ db, clickhouse }, person, { limit: 20 }),
        ]),
      ),
    )
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
  }
  await ended
  return seconds.sort((left, right) => left - right)
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

await inStores(async ({ db, clickhouse }) => {
  const { persons } = await activated(db, clickhouse, { persons: PERSONS, rows: ROWS })
  const { orders, events } = await baseRows(clickhouse)
  const data = `${count(persons)} persons, ${count(orders)} orders, ${count(events)} events, 100 segments`
  await touchedMembers(db, clickhouse, persons, data)
  await previews(db, clickhouse, data)
  await pageBesideRecompute(db, clickhouse, persons, data)
}, process.env['BENCH_BASE'])
