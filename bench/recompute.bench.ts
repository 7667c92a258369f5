/**
 * Recompute of everybody for a hundred segments through the one compiled function: the first (every answer written),
 * where nothing differs, and after one definition has changed; then what the program does after such a change, which is to
 * ask everybody about the changed segment alone. The yardstick is the plainest thing that reads the same
 * rows in order of person and writes one row for each; beside it a hundred queries, one for each segment, whose answers
 * are compared with those that are stored.
 * Run: node bench/recompute.bench.ts [persons] [rows]; BENCH_BASE names a folder in which the base is kept,
 * BENCH_QUERIES=no leaves the hundred queries out.
 */
import type { Rule } from '../contract/rule.ts'
import { changeSegment, recompute } from '../server/audience/audience.ts'
import { presentEvaluator } from '../server/audience/definitions.ts'
import type { Definitions } from '../server/audience/rule/definitions.ts'
import { NoSql } from '../server/audience/rule/history-sql.ts'
import { compileSql, personsFrom } from '../server/audience/rule/person-sql.ts'
import { placement } from '../server/events/events.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { activated, leaseOf, projected } from './activated.ts'
import { count, figure, inSeconds, type Spent, spentOn } from './figures.ts'
import { distinctConditions, hundredSegments } from './hundred-segments.ts'
import { baseRows, NOW, ZONE } from './large-base.ts'
import { memoryOf, processorOf } from './program.ts'
import { inStores } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 2_000_000)
const ROWS = Number(process.argv[3] ?? PERSONS * 20)

/** By kind of process; what is neither PostgreSQL nor the engine is this process with its threads, and guards. */
type OfOurs = Spent & { ours: Map<string, number> }

const NAMES: Readonly<Record<string, string>> = { guards: 'reading, deciding and comparing' }
let peak = 0
const look = (): void => {
  peak = Math.max(peak, sumOf(memoryOf(process.pid)))
}
const sumOf = (kinds: ReadonlyMap<string, number>): number =>
  [...kinds.values()].reduce((sum, one) => sum + one, 0)

const looking = setInterval(look, 1000)
await inStores(({ db, clickhouse }) => report(db, clickhouse), process.env['BENCH_BASE'])
clearInterval(looking)

async function oursOf(work: () => Promise<unknown>): Promise<OfOurs> {
  const before = processorOf(process.pid)
  const spent = await spentOn(work)
  const after = processorOf(process.pid)
  return {
    ...spent,
    ours: new Map([...after].map(([kind, seconds]) => [kind, seconds - (before.get(kind) ?? 0)])),
  }
}

async function report(db: Database, clickhouse: ClickHouse): Promise<void> {
  const { persons, first } = await activated(db, clickhouse, { persons: PERSONS, rows: ROWS })
  const rows = await baseRows(clickhouse)
  const segments = hundredSegments()
  const data = `${count(persons)} persons, ${count(rows.orders)} orders, ${count(rows.events)} events, ${segments.length} segments of ${distinctConditions(segments.map(([, rule]) => rule))} conditions`
  const token = await leaseOf(db, 'evaluate')
  let lastChanged = 0
  const run = async (always = true) => {
    const done = await recompute(db, clickhouse, { token, now: () => NOW, zone: ZONE, always })
    if (!done?.finished) throw new Error('the recompute did not end')
    lastChanged = done.changed
    return done
  }
  const yard = await yardstick(clickhouse)
  const wanted = (most: number): string => `at most ${most} × the yardstick`
  const tell = (what: string, spent: OfOurs, more: string, bar?: string): void =>
    figure({
      what,
      data,
      ours: `${said(spent)}${more}`,
      limit: `${said(yard)}: count, sum and max by person of the same rows, written into a table`,
      ratio: yard.seconds / spent.seconds,
      ...(bar !== undefined && { wanted: bar }),
    })
  if (first) {
    const whole = { ...first, ours: new Map([['machine', first.processor]]) }
    tell('Full recompute, first activation: every answer written', whole, '', wanted(15))
  }
  tell(
    'Full recompute where nothing differs',
    await oursOf(() => run()),
    `; ${count(lastChanged)} answers differed`,
    wanted(10),
  )
  await projected(db, clickhouse)
  const changed = await changeOne(db)
  let differed = 0
  const after = await oursOf(async () => {
    differed = (await run()).changed
  })
  await projected(db, clickhouse)
  tell(
    `Full recompute after ${changed}`,
    after,
    `; ${count(differed)} answers changed (${((differed / persons) * 100).toFixed(1)} %)`,
    wanted(10),
  )
  for (const kind of ['sample', 'events', 'orders'] as const) {
    const words = await changeOne(db, kind)
    let partly = 0
    const spent = await oursOf(async () => {
      partly = (await run(false)).changed
    })
    await projected(db, clickhouse)
    tell(
      `Recompute of that segment alone after ${words}`,
      spent,
      `; ${count(partly)} answers changed`,
      wanted(10),
    )
  }
  look()
  figure({
    what: 'Memory of all processes at most (sum of PSS, looked at every second)',
    data,
    ours: `${count(peak)} MB`,
    wanted: 'at most 8 GB',
  })
  if (process.env['BENCH_QUERIES'] !== 'no') await compareQueries(db, clickhouse, data, after)
}

function said({ seconds, ours }: OfOurs): string {
  const kinds = [...ours].map(([kind, own]) => `${NAMES[kind] ?? kind} ${inSeconds(own)}`)
  return `${inSeconds(seconds)} (${inSeconds(sumOf(ours))} of processor: ${kinds.join(', ')})`
}

type Changing = { id: number; version: number; name: string; description: string; rule: Rule }

/** Whoever is in a draw of 3 % less, or more again; or one purchase or event more, or less again. */
async function changeOne(db: Database, kind: 'sample' | 'events' | 'orders' = 'sample'): Promise<string> {
  const segment = await db.row<Changing>(
    sql`select id, version, name, description, rule from segment
      where rule ->> 'kind' = ${kind} and (${kind} = 'sample' or rule -> 'compare' ->> 'op' = 'ge') order by id limit 1`,
  )
  const { rule } = segment
  const change = (to: Rule, words: string): Promise<string> =>
    db.transaction(async (tx) => {
      await changeSegment(tx, { ...segment, rule: to }, { at: NOW })
      return words
    })
  if (rule.kind === 'sample') {
    const per10000 = rule.per10000 === 1000 ? 700 : 1000
    return change({ ...rule, per10000 }, `a draw became ${per10000 / 100} % of everybody`)
  }
  if ((rule.kind !== 'events' && rule.kind !== 'orders') || !('value' in rule.compare))
    throw new Error(`no rule of ${kind} to change`)
  const before = rule.compare.value
  const value = before % 2 === 0 ? Math.max(1, before - 1) : before + 1
  return change(
    { ...rule, compare: { ...rule.compare, value } } as Rule,
    `a rule of ${kind} asks for ${value} instead of ${before}`,
  )
}

async function yardstick(clickhouse: ClickHouse): Promise<OfOurs> {
  const answers: OfOurs[] = []
  for (let round = 0; round < 3; round += 1) {
    await clickhouse.command('drop table if exists yardstick')
    await clickhouse.command(
      "create table yardstick (person_id Int32, found UInt64, spent Decimal(38, 2), last DateTime64(3, 'UTC')) engine = MergeTree order by person_id",
    )
    answers.push(
      await oursOf(() =>
        clickhouse.command(
          `insert into yardstick select person_id, count(), sum(amount), max(moment) from (
            select person_id, total as amount, orders.at as moment from orders
            union all select person_id, toDecimal64(0, 2), events.at from events) group by person_id`,
          {},
          { timeoutMs: 3_600_000 },
        ),
      ),
    )
  }
  await clickhouse.command('drop table yardstick')
  return answers.sort((left, right) => left.seconds - right.seconds)[0] as OfOurs
}

async function compareQueries(
  db: Database,
  clickhouse: ClickHouse,
  data: string,
  ours: OfOurs,
): Promise<void> {
  const { definitions } = await presentEvaluator(db, ZONE)
  const sizes = new Map(
    (
      await db.rows<{ id: number; members: number }>(
        sql`select id, count(*) as members from person_segment, unnest(segments) id group by id`,
      )
    ).map(({ id, members }) => [id, members]),
  )
  let other = 0
  let without = 0
  const spent = await oursOf(async () => {
    for (const { id, rule } of definitions.segments) {
      try {
        if ((await countBySql(db, clickhouse, rule, definitions)) !== (sizes.get(id) ?? 0)) other += 1
      } catch (error) {
        if (!(error instanceof NoSql)) throw error
        without += 1
      }
    }
  })
  figure({
    what: `The same answers by one query after the other (${other} of another size, ${without} that SQL cannot ask)`,
    data,
    ours: said(spent),
    limit: `${said(ours)}: the recompute`,
    ratio: spent.seconds / ours.seconds,
    wanted: 'the recompute at least 8 × as fast, aim 15 ×',
  })
}

async function countBySql(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  definitions: Definitions,
): Promise<number> {
  const compiled = compileSql(rule, definitions, NOW.getTime(), await placement(db))
  const members: number[][] = []
  for (const { text, params } of compiled.sets) {
    const found: number[] = []
    for await (const rows of clickhouse.stream<[number]>(text, params))
      for (const [id] of rows) found.push(id)
    members.push(found)
  }
  const { persons } = await db.row<{ persons: number }>(sql`
    select count(*) as persons from ${personsFrom(definitions, NOW.getTime())}
    where p.state = 'live' and ${compiled.condition(members)}`)
  return persons
}
