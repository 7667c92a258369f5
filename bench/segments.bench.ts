/**
 * What the page of a segment asks of a large base: the overlap of two segments that a third and a tenth of the base are
 * in, and the size by day. The limit is counting the rows of the same table once, in the same run.
 * Run: node bench/segments.bench.ts [persons]
 */
import { segmentGrowth, segmentOverlap } from '../server/audience/audience.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { inFolder, inPostgres } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 2_000_000)
const SEGMENTS = 100
const ZONE = 'Asia/Shanghai'
const now = new Date('2026-03-01T02:00:00Z')

await inFolder((folder) => inPostgres(folder, report))

async function report(db: Database): Promise<void> {
  await fill(db)
  const limit = await best(() =>
    db.rows(sql`select count(*), sum(cardinality(segments)) from person_segment`),
  )
  const overlap = await best(() => segmentOverlap(db, [1, 2], undefined))
  const growth = await best(() => segmentGrowth(db, 1, { days: 365, now, zone: ZONE }))
  const data = `${count(PERSONS)} persons, each in about 16 of ${SEGMENTS} segments`
  for (const [what, ours] of [
    ['Overlap of two segments', overlap],
    ['Size by day, a year', growth],
  ] as const)
    figure({ what, data, ours: inSeconds(ours), limit: inSeconds(limit), ratio: limit / ours })
}

/** The best of three: the first reads what the others find in memory. */
async function best(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < 3; turn += 1) times.push(await secondsOf(work))
  return Math.min(...times)
}

async function fill(db: Database): Promise<void> {
  await db.run(sql`
    insert into segment (id, name, rule, reading, created_at, changed_at) overriding system value
    select i, 'segment ' || i, '{"kind":"all","rules":[]}', 0, ${now}::timestamptz - interval '400 days', ${now}
    from generate_series(1, ${SEGMENTS}::int) i`)
  await db.run(sql`
    insert into person (id, public_id, kind, source, first_seen_at, changed_at)
    select i, gen_random_uuid(), 'member', 'organic', ${now}, ${now} from generate_series(1, ${PERSONS}::int) i`)
  await db.run(sql`
    insert into person_segment (person_id, segments, reading, evaluated_at)
    select i, array(select s from generate_series(1, ${SEGMENTS}::int) s
      where (case s when 1 then i % 3 when 2 then i % 10 else (i::bigint * s * 7919) % 7 end) = 0), 1, ${now}
    from generate_series(1, ${PERSONS}::int) i`)
  await db.run(sql`
    insert into segment_day (segment_id, day, entered, "left")
    select s, date '2025-02-01' + d, 100, 90 from generate_series(1, ${SEGMENTS}::int) s, generate_series(0, 390) d`)
  await db.run(sql`vacuum analyze person_segment`)
  await db.run(sql`analyze`)
}
