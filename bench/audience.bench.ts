/**
 * Recompute of everybody through the one compiled function with 20 segments: the first (every answer written), again
 * (nothing differs), and after one new segment; previews by SQL of each segment. The limit of a recompute is reading the
 * same columns of the same orders from ClickHouse in the same order, without doing anything with them.
 * Run: node bench/audience.bench.ts [persons] [orders]
 */
import type { Rule } from '../contract/rule.ts'
import {
  createSegment,
  evaluateOnce,
  previewRule,
  publishCutPoints,
  recompute,
} from '../server/audience/audience.ts'
import { loadDefinitions } from '../server/audience/definitions.ts'
import { loadPersons, purchasesOf } from '../server/audience/facts/load.ts'
import type { PersonFacts } from '../server/audience/facts/person-facts.ts'
import { compileRules } from '../server/audience/rule/compile.ts'
import { append, PROJECT, projectOnce, registerConsumers, streamOrders } from '../server/events/events.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { newId } from '../server/platform/ids.ts'
import { type LeaseToken, takeLease } from '../server/platform/jobs/lease.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { count, type Figure, figure, inSeconds, secondsOf } from './figures.ts'
import { inStores } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 200_000)
const ORDERS = Number(process.argv[3] ?? PERSONS * 20)
const ZONE = 'Asia/Shanghai'
const now = new Date('2026-03-01T02:00:00Z')

await inStores(({ db, clickhouse }) => report(db, clickhouse))

async function report(on: Database, from: ClickHouse): Promise<void> {
  await registerConsumers(on, [PROJECT, 'evaluate'])
  await fill(on, from)
  const token = await leaseOf(on, 'evaluate')
  const project = await leaseOf(on, PROJECT)
  for (const [name, rule] of segments())
    await on.transaction((tx) => createSegment(tx, { name, description: '', rule }, { by: null, at: now }))
  const how = { token, now: () => now, zone: ZONE, always: true }
  const first = await secondsOf(() => recompute(on, from, how))
  const cuts = await secondsOf(() => publishCutPoints(on, { token, now, zone: ZONE, always: true }))
  await recompute(on, from, how)
  const limit = await secondsOf(() => rawScan(from))
  const door = await secondsOf(() => doorScan(from))
  const again = await secondsOf(() => recompute(on, from, how))
  const pure = await inMemory(on, from)
  await on.transaction((tx) =>
    createSegment(
      tx,
      { name: 'new', description: '', rule: orders('count', 'rolling', 180, 3) },
      { by: null, at: now },
    ),
  )
  const added = await secondsOf(() => recompute(on, from, how))
  const previews: number[] = []
  for (const [, rule] of segments())
    previews.push(await secondsOf(() => previewRule(on, from, rule, { now, zone: ZONE })))
  previews.sort((left, right) => left - right)
  await touch(on, 5000)
  while ((await projectOnce(on, from, { lane: 'live', token: project, now })) > 0);
  let touched = 0
  const touching = await secondsOf(async () => {
    for (;;) {
      const { persons } = await evaluateOnce(on, from, { token, now, zone: ZONE })
      if (persons === 0) return
      touched += persons
    }
  })
  const data = `${count(PERSONS)} persons, ${count(ORDERS)} orders, 20 segments`
  const rows: Omit<Figure, 'data'>[] = [
    {
      what: 'First recompute, every answer written',
      ours: `${inSeconds(first)} (${count(PERSONS / first)} persons/s)`,
    },
    { what: 'Publish cut points', ours: inSeconds(cuts) },
    {
      what: 'Recompute where nothing differs, against reading the same columns in order',
      ours: `${inSeconds(again)} (${count(ORDERS / again)} orders/s)`,
      limit: inSeconds(limit),
      ratio: limit / again,
    },
    { what: 'The same read through the events door (versions folded)', ours: inSeconds(door) },
    {
      what: 'The compiled function alone, one thread',
      ours: `${count(pure.orders / pure.seconds)} orders/s`,
    },
    { what: 'Recompute after one new segment', ours: inSeconds(added) },
    {
      what: 'Preview by SQL, median and slowest of 20 rules',
      ours: `${inSeconds(previews[10] ?? 0)}, ${inSeconds(previews.at(-1) ?? 0)}`,
      wanted: 'at most 2 s',
    },
    {
      what: 'Evaluate touched persons',
      ours: `${inSeconds(touching)} for ${count(touched)} (${count(touched / touching)} persons/s)`,
    },
  ]
  for (const row of rows) figure({ ...row, data })
}

async function fill(on: Database, into: ClickHouse): Promise<void> {
  await on.run(sql`
    insert into person (id, public_id, kind, gender, city, joined_at, birthday, source, first_seen_at, changed_at)
    select i, gen_random_uuid(), 'member', case i % 3 when 0 then 'female' when 1 then 'male' end, (array['杭州','上海','北京'])[1 + i % 3],
      ${now}::timestamptz - (i * 7919 % 1200) * interval '1 day', to_char(date '1970-01-01' + i % 12000, 'YYYY-MM-DD'), 'organic', ${now}, ${now}
    from generate_series(1, ${PERSONS}::int) i`)
  await on.run(sql`
    insert into profile (id, person_id, source, key, attributes, created_at)
    select i, i, 'bench', int4send(i), '{}', ${now} from generate_series(1, ${PERSONS}::int) i`)
  await on.run(sql`analyze`)
  await into.command(
    `insert into orders (person_id, at, id, profile_id, placed, version, deleted, source, external_id, placed_at, paid_at, status,
       purchase, total, refunded, discount, line_count, store_id, seller_id, channel, side, campaign, coupon)
     select toInt32(1 + cityHash64(number) % {persons:Int32}) as person, toDateTime64({now:Int64} - cityHash64(number, 1) % (1100 * 86400), 3, 'UTC') as moment,
       generateUUIDv4(number), person, 0, 1, 0, 'bench', toString(number), moment, moment, 'paid', 1,
       toDecimal64(10 + cityHash64(number, 2) % 500, 2), 0, 0, 1, toUUID('01890000-0000-7000-8000-000000000001'), toUUID('00000000-0000-0000-0000-000000000000'),
       if(number % 2 = 0, 'pos', '小程序'), if(number % 2 = 0, 'offline', 'online'), '', ''
     from numbers({orders:UInt64})`,
    { persons: PERSONS, orders: ORDERS, now: Math.floor(now.getTime() / 1000) },
    { timeoutMs: 600_000 },
  )
  await into.command('optimize table orders final', {}, { timeoutMs: 600_000 })
}

function orders(of: 'count' | 'sum', window: 'rolling' | 'ever', days: number, value: number): Rule {
  return {
    kind: 'orders',
    measure: of === 'count' ? { of } : { of, field: 'amount' },
    filter: {},
    window: window === 'ever' ? { kind: 'ever' } : { kind: 'rolling', days },
    compare: { op: 'ge', value },
  }
}

function segments(): [string, Rule][] {
  const rules: Rule[] = [
    { kind: 'lifecycle', states: ['active'] },
    { kind: 'lifecycle', states: ['silent', 'near_sleep'] },
    { kind: 'lifecycle', states: ['lost', 'never_5'] },
    { kind: 'own_cycle', states: ['near_sleep', 'hibernating'] },
    { kind: 'order_stage', stages: ['first_purchase'] },
    { kind: 'join_recency', recencies: ['new'] },
    { kind: 'aipl', stages: ['loyalty'] },
    { kind: 'one_time_buyer' },
    { kind: 'rfm_group', groups: ['champions', 'at_risk'] },
    { kind: 'birthday', withinDays: 7 },
    { kind: 'age', compare: { op: 'between', from: 25, to: 35 } },
    { kind: 'attribute', attribute: 'gender', op: 'in', values: ['female'] },
    orders('count', 'rolling', 30, 1),
    orders('count', 'rolling', 90, 2),
    orders('sum', 'rolling', 365, 300_000),
    orders('sum', 'ever', 0, 1_000_000),
    {
      kind: 'orders',
      measure: { of: 'days_since_last' },
      filter: { sides: ['offline'] },
      window: { kind: 'ever' },
      compare: { op: 'le', value: 60 },
    },
    {
      kind: 'orders',
      measure: { of: 'count' },
      filter: { channels: ['小程序'] },
      window: { kind: 'calendar', unit: 'month', back: 1, count: 1 },
      compare: { op: 'ge', value: 1 },
    },
    {
      kind: 'all',
      rules: [
        { kind: 'lifecycle', states: ['active'] },
        { kind: 'not', rule: orders('count', 'rolling', 30, 1) },
      ],
    },
    {
      kind: 'any',
      rules: [orders('sum', 'rolling', 7, 50_000), { kind: 'sample', salt: 'bench', per10000: 500 }],
    },
  ]
  return rules.map((rule, place) => [`bench ${place + 1}`, rule])
}

/** Read in the same ranges of persons as a recompute reads them. */
async function rawScan(from: ClickHouse): Promise<void> {
  const query = `select person_id, toUnixTimestamp64Milli(at), id, version, deleted, profile_id, placed, paid_at is not null, purchase, status,
      toInt64(total * 100), toInt64(refunded * 100), toInt64(discount * 100), store_id, seller_id, channel, side, campaign, coupon
    from orders order by person_id, orders.at, id`
  let rows = 0
  for await (const some of from.stream<unknown[]>(
    query,
    {},
    { settings: { output_format_json_quote_64bit_integers: 0 } },
  ))
    rows += some.length
  if (rows !== ORDERS) throw new Error(`${rows} rows`)
}

async function doorScan(from: ClickHouse): Promise<void> {
  let rows = 0
  for await (const some of streamOrders(from, { from: 0, before: PERSONS + 1, without: new Set() })) {
    for (const { orders: own } of some) rows += own.length
  }
  if (rows !== ORDERS) throw new Error(`${rows} rows`)
}

async function inMemory(on: Database, from: ClickHouse): Promise<{ seconds: number; orders: number }> {
  const count = Math.min(PERSONS, 50_000)
  const persons = await loadPersons(
    on,
    Array.from({ length: count }, (_, index) => index + 1),
  )
  const facts: PersonFacts[] = []
  let found = 0
  for await (const some of streamOrders(from, { from: 1, before: count + 1, without: new Set() })) {
    for (const { personId, orders: own } of some) {
      const person = persons.get(personId)
      if (person) facts.push({ ...person, purchases: purchasesOf(own), events: [], lastInteractionAt: null })
      found += own.length
    }
  }
  const evaluator = compileRules(await on.transaction((tx) => loadDefinitions(tx, ZONE)))
  const seconds = await secondsOf(async () => {
    for (const person of facts) evaluator.evaluate(person, now.getTime())
  })
  return { seconds, orders: found }
}

async function touch(on: Database, persons: number): Promise<void> {
  await on.transaction(async (tx) => {
    const events = Array.from({ length: persons }, (_, index) => ({
      id: newId(now),
      type: 'attributes_changed' as const,
      profileId: index + 1,
      personId: index + 1,
      at: now,
      data: { changed: {} },
    }))
    await append(tx, events, { lane: 'live', source: 'bench', receivedAt: now })
  })
}

async function leaseOf(on: Database, name: string): Promise<LeaseToken> {
  const token = await takeLease(on, name, 3_600_000)
  if (!token) throw new Error('held')
  return token
}
