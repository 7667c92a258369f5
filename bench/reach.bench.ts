/**
 * Decisions of the arbiter: members with one marketing candidate each, from the offer to a planned touch with its
 * ledger row and its event. The limit, in the same run: the same rows brought into the same three tables with their
 * indexes by plain inserts of 1,000 rows, without reading or deciding anything.
 * Run: node bench/reach.bench.ts [persons]
 */
import { idOf } from '../server/platform/ids.ts'
import { takeLease } from '../server/platform/jobs/lease.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql, trusted } from '../server/platform/postgres/sql.ts'
import { arbitrateOnce, type Candidate, offer, type People, simulate } from '../server/reach/reach.ts'
import { count, figure } from './figures.ts'
import { inFolder, inPostgres } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 50_000)
const BATCH = 1000
const at = new Date('2026-03-02T02:00:00Z')
const content = idOf('bench content')
const sender = idOf('bench sender')

/** Everybody follows one guide: what is measured is the arbiter, not the reading of members. */
const people: People = {
  recipients: async (_db, ids) =>
    ids.map((personId) => ({
      personId,
      demo: false,
      consents: {},
      sms: false,
      contacts: [
        {
          staffId: sender,
          wecomUserId: 'guide',
          externalUserId: `wm${personId}`,
          owner: true,
          addedAt: at,
          lastTalkedAt: null,
        },
      ],
      digests: { wecom: [], sms: [] },
    })),
  phones: async () => new Map(),
  digest: () => Buffer.alloc(16),
}

await inFolder((folder) =>
  inPostgres(folder, async (db) => {
    await prepare(db)
    await report(db)
  }),
)

async function prepare(on: Database): Promise<void> {
  await on.run(sql`
    insert into person (id, public_id, kind, source, first_seen_at, changed_at)
    select id, gen_random_uuid(), 'member', 'organic', ${at}, ${at} from generate_series(1, ${PERSONS}::int) as p (id)`)
  await on.run(sql`
    insert into content (id, name, channel, body, per_member, changed_at)
    values (${content}, 'bench', 'wecom', 'hello', false, ${at})`)
  await on.transaction((tx) => simulate(tx, 'wecom', 'http://127.0.0.1:1', at))
}

async function report(on: Database): Promise<void> {
  const offered = await rate(PERSONS, () => offerAll(on))
  const token = await takeLease(on, 'reach', 3_600_000)
  if (!token) throw new Error('the lease is taken')
  const how = { token, now: at, zone: 'Asia/Shanghai' }
  const half = PERSONS / 2
  const one = await rate(half, () => decide(on, how, half))
  const two = await rate(half, async () => {
    await Promise.all([decide(on, how, half / 2), decide(on, how, half / 2)])
  })
  await setAside(on)
  const limit = await rate(PERSONS, () => insertAgain(on))
  const found: [string, number][] = [
    ['Offer touches to the arbiter', offered],
    ['Decisions of the arbiter, one worker', one],
    ['Decisions of the arbiter, two workers', two],
  ]
  for (const [what, perSecond] of found)
    figure({
      what: `${what}, against inserts of the same rows`,
      data: `${count(PERSONS)} persons with one marketing touch each`,
      ours: `${count(perSecond)}/s`,
      limit: `${count(limit)}/s`,
      ratio: perSecond / limit,
    })
}

async function offerAll(on: Database): Promise<void> {
  for (let from = 1; from <= PERSONS; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, PERSONS - from + 1) }, (_, n) => candidate(from + n))
    await on.transaction((tx) => offer(tx, some, at))
  }
}

function candidate(personId: number): Candidate {
  return {
    id: idOf('bench', personId),
    personId,
    channel: 'wecom',
    class: 'marketing',
    contentId: content,
    facts: {},
    journeyId: idOf('bench journey'),
    score: 1,
    notBefore: at,
    expiresAt: new Date(at.getTime() + 86_400_000),
    costCents: null,
  }
}

async function decide(
  on: Database,
  how: Parameters<typeof arbitrateOnce>[2],
  persons: number,
): Promise<void> {
  let done = 0
  while (done < persons) {
    const round = await arbitrateOnce(on, people, how)
    if (round.persons === 0) return
    done += round.persons
  }
}

/** What came out of it, so that it can be read by person without a search. */
async function setAside(on: Database): Promise<void> {
  for (const table of ['touch', 'touch_ledger', 'event_log'] as const) {
    const name = trusted(table)
    const aside = trusted(`aside_${table}`)
    await on.run(sql`create table ${aside} as select * from ${name}`)
    await on.run(sql`create index on ${aside} (person_id)`)
    await on.run(sql`create table ${trusted(`raw_${table}`)} (like ${name} including all)`)
  }
  await on.run(sql`alter table raw_event_log alter column seq drop identity`)
}

/** The rows that came out of it, into empty tables of the same shape and with the same indexes. */
async function insertAgain(on: Database): Promise<void> {
  for (let from = 1; from <= PERSONS; from += BATCH) {
    await on.transaction(async (tx) => {
      for (const table of ['touch', 'touch_ledger', 'event_log'] as const)
        await tx.run(sql`
          insert into ${trusted(`raw_${table}`)} select * from ${trusted(`aside_${table}`)}
          where person_id between ${from} and ${from + BATCH - 1}`)
    })
  }
}

async function rate(rows: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return rows / ((performance.now() - start) / 1000)
}
