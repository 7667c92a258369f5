/**
 * Who is who, at scale. The search for likely duplicates on public data sets of known ones: precision and recall.
 * Then a base of generated people, one in ten there twice by an identifier and one in ten typed anew: resolved by four
 * writers at once, files and live words in any order; checked that nobody whom an identifier joins is left apart and
 * nobody joined who contradicts; and the likely duplicates of the whole base.
 * Run: node bench/identity.bench.ts [rows], or npm run bench:identity
 */
import { randomBytes } from 'node:crypto'
import { findDuplicates, resolve } from '../server/members/members.ts'
import { openKeyring } from '../server/platform/crypto/master-key.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { febrlPersons, type KnownSet, restaurants, scoreOf } from '../test/support/entity-sets.ts'
import { isAbsent } from '../test/support/shared-data.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { type GeneratedRow, generatedRow } from './identity-people.ts'
import { inFolder, inPostgres } from './stores.ts'

const ROWS = Number(process.argv[2] ?? 1_000_000)
const WRITERS = 4
/** Rows at once of a file, and of words that come in live. */
const CHUNK = { bulk: 5_000, live: 200 } as const
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }
const at = new Date('2026-03-01T02:00:00Z')

if (!isAbsent('er_restaurant')) await score('restaurants of two guides', restaurants(), 0.9)
if (!isAbsent('er_febrl')) await score('Febrl 1', febrlPersons(), 0.85)
await inFolder((folder) => inPostgres(folder, report))

async function score(what: string, set: KnownSet, recallWanted: number): Promise<void> {
  const { precision, recall, compared } = await scoreOf(set)
  figure({
    what: 'Likely duplicates: precision and recall',
    data: `${what}, ${count(set.persons.size)} records, ${count(set.truth.size)} known pairs`,
    ours: `${precision.toFixed(4)} and ${recall.toFixed(4)}, ${count(compared)} pairs compared`,
    wanted: `at least 0.98 and ${recallWanted.toFixed(2)}`,
  })
}

async function report(db: Database): Promise<void> {
  const memory = watchMemory()
  const data = `${count(ROWS)} rows, a tenth there twice by an identifier, a tenth typed anew`
  const profiles = new Int32Array(ROWS)
  const resolving = await secondsOf(() => resolveAll(db, profiles))
  figure({
    what: 'Resolve, four writers at once, files and live words mixed',
    data,
    ours: `${inSeconds(resolving)}, ${count(ROWS / resolving)} rows/s`,
  })
  const personOf = await presentPersons(db, profiles)
  const { apart, strangers, asked } = await wrongs(db, personOf)
  figure({
    what: 'Pairs with an identifier in common left apart; pairs that contradict joined, put before somebody',
    data,
    ours: `${count(apart)}; ${count(strangers)}, ${count(asked)}`,
    wanted: '0; 0, all',
  })
  await db.run(sql`vacuum analyze`)
  memory.restart()
  const atFirst = process.memoryUsage.rss()
  const before = process.cpuUsage()
  const searching = await secondsOf(() => findDuplicates(deps, db, at))
  const { user, system } = process.cpuUsage(before)
  const { precision, recall, proposed } = await proposals(db, personOf)
  figure({
    what: 'Likely duplicates of a base, from reading it to the last proposal',
    data,
    ours: `${inSeconds(searching)} (${inSeconds((user + system) / 1e6)} of processor here), ${count(proposed)} proposed, ${count(atFirst / 2 ** 20)} MB at first, at most ${count(memory.most() / 2 ** 20)}`,
    wanted: 'minutes',
  })
  figure({
    what: 'Likely duplicates: precision and recall',
    data,
    ours: `${precision.toFixed(4)} and ${recall.toFixed(4)}`,
    wanted: 'at least 0.98',
  })
  memory.stop()
}

/** Chunks of a file of 5,000 rows and of live words of 200, in an order that has nothing to do with who is who. */
async function resolveAll(db: Database, profiles: Int32Array): Promise<void> {
  const chunks: { from: number; size: number; lane: 'bulk' | 'live' }[] = []
  for (let from = 0; from < ROWS; ) {
    const lane = chunks.length % 4 === 3 ? 'live' : 'bulk'
    const size = Math.min(CHUNK[lane], ROWS - from)
    chunks.push({ from, size, lane })
    from += size
  }
  chunks.sort((a, b) => ((a.from * 2_654_435_761) % 65_521) - ((b.from * 2_654_435_761) % 65_521))
  const work = async (): Promise<void> => {
    for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
      const { from, size, lane } = chunk
      const rows = Array.from({ length: size }, (_, index) => ({
        n: from + index,
        ...generatedRow(from + index),
      }))
      for (const source of ['erp', 'shop', 'wecom'] as const) {
        const some = rows.filter((row) => row.source === source)
        if (some.length > 0) await resolveSome(db, some, { source, lane, profiles })
      }
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, work))
}

async function resolveSome(
  db: Database,
  rows: readonly ({ n: number } & GeneratedRow)[],
  { source, lane, profiles }: { source: string; lane: 'bulk' | 'live'; profiles: Int32Array },
): Promise<void> {
  const found = await db.transaction((tx) =>
    resolve(
      deps,
      tx,
      rows.map(({ row }) => row),
      { lane, source, at },
    ),
  )
  for (const [index, { n }] of rows.entries()) profiles[n] = found[index]?.profileId ?? 0
}

/** The person of each row, by its profile, as of now. */
async function presentPersons(db: Database, profiles: Int32Array): Promise<Int32Array> {
  const byProfile = new Map<number, number>()
  for (let after = 0; ; ) {
    const rows = await db.rows<{ id: number; person: number }>(
      sql`select id, person_id as person from profile where id > ${after} order by id limit 20000`,
    )
    for (const { id, person } of rows) byProfile.set(id, person)
    const last = rows.at(-1)
    if (!last) break
    after = last.id
  }
  return profiles.map((profile) => byProfile.get(profile) ?? 0)
}

/** `apart`: pairs that share an identifier and are two persons. `strangers`: of the pairs that contradict, those joined. */
async function wrongs(
  db: Database,
  personOf: Int32Array,
): Promise<{ apart: number; strangers: number; asked: number }> {
  let [apart, strangers] = [0, 0]
  for (let n = 0; n < ROWS; n += 1) {
    const { is, other } = generatedRow(n)
    const one = personOf[n] === personOf[other]
    if (is === 'joins' && !one) apart += 1
    if (is === 'contradicts' && one) strangers += 1
  }
  const { asked } = await db.row<{ asked: number }>(
    sql`select count(*)::int as asked from review where kind = 'conflict' and state = 'open'`,
  )
  return { apart, strangers, asked }
}

async function proposals(
  db: Database,
  personOf: Int32Array,
): Promise<{ precision: number; recall: number; proposed: number }> {
  const wanted = new Set<string>()
  for (let n = 0; n < ROWS; n += 1) {
    const { is, other } = generatedRow(n)
    const [low = 0, high = 0] = [personOf[n] ?? 0, personOf[other] ?? 0].sort((a, b) => a - b)
    if (is === 'typed_anew' && low !== high) wanted.add(`${low}-${high}`)
  }
  let [right, proposed] = [0, 0]
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const rows = await db.rows<{ id: string; pair: string }>(sql`
      select id, profiles[1] || '-' || profiles[2] as pair from review
      where kind = 'fuzzy' and id > ${after}::uuid order by id limit 20000`)
    for (const { pair } of rows) {
      proposed += 1
      if (wanted.has(pair)) right += 1
    }
    const last = rows.at(-1)
    if (!last) break
    after = last.id
  }
  return { precision: right / Math.max(1, proposed), recall: right / wanted.size, proposed }
}

/** Greatest resident memory of this process, in bytes, sampled ten times a second. */
function watchMemory(): { most(): number; restart(): void; stop(): void } {
  let most = 0
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 100)
  return {
    most: () => most,
    restart: () => {
      most = 0
    },
    stop: () => clearInterval(timer),
  }
}
