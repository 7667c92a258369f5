/**
 * What the page of a new segment asks: how many a rule means that nobody has saved, with a distribution and a sample, for
 * typical rules of every kind. The limit is counting the live persons once, in the same run.
 * Run: node bench/previews.bench.ts [persons] [rows]; BENCH_BASE names a folder in which the base is kept.
 */
import { type Rule, Rule as RuleSchema } from '../contract/rule.ts'
import { previewRule } from '../server/audience/audience.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { baseRows, fillBase, NOW, TAGS, ZONE } from './large-base.ts'
import { inStores } from './stores.ts'

const PERSONS = Number(process.argv[2] ?? 2_000_000)
const ROWS = Number(process.argv[3] ?? PERSONS * 20)
const TURNS = 3
/** As the page asks. */
const LOOKED_AT_FIRST = 50_000

const rolling = (days: number) => ({ kind: 'rolling', days })
const atLeast = (value: number) => ({ op: 'ge', value })

const rules: readonly (readonly [string, object])[] = [
  ['everybody', { kind: 'all', rules: [] }],
  ['an attribute', { kind: 'attribute', attribute: 'city', op: 'in', values: ['上海', '北京'] }],
  ['a life cycle', { kind: 'lifecycle', states: ['silent', 'near_sleep'] }],
  ['joined within 30 days', { kind: 'joined', daysAgo: { op: 'le', value: 30 } }],
  ['a birthday within 30 days', { kind: 'birthday', withinDays: 30 }],
  ['a tag', { kind: 'tag', tags: [TAGS[0]] }],
  [
    'two purchases within 90 days',
    { kind: 'orders', measure: { of: 'count' }, filter: {}, window: rolling(90), compare: atLeast(2) },
  ],
  [
    'spent 2,000 ever',
    {
      kind: 'orders',
      measure: { of: 'sum', field: 'amount' },
      filter: {},
      window: { kind: 'ever' },
      compare: atLeast(200_000),
    },
  ],
  [
    'browsed within 30 days',
    {
      kind: 'events',
      filter: { event: 'page_viewed' },
      measure: { of: 'count' },
      window: rolling(30),
      compare: atLeast(3),
    },
  ],
  [
    'asleep, not bought within a year, in WeCom',
    {
      kind: 'all',
      rules: [
        { kind: 'lifecycle', states: ['hibernating', 'lost'] },
        { kind: 'attribute', attribute: 'wecom', op: 'in', values: ['followed'] },
        {
          kind: 'not',
          rule: {
            kind: 'orders',
            measure: { of: 'count' },
            filter: {},
            window: rolling(365),
            compare: atLeast(1),
          },
        },
      ],
    },
  ],
]

await inStores(async ({ db, clickhouse }) => {
  if ((await baseRows(clickhouse)).orders === 0) {
    await fillBase(db, clickhouse, { persons: PERSONS, rows: ROWS })
    await fillStates(db)
  }
  await report(db, clickhouse)
}, process.env['BENCH_BASE'])

async function report(db: Database, clickhouse: ClickHouse): Promise<void> {
  const { orders, events } = await baseRows(clickhouse)
  const data = `${count(PERSONS)} members, ${count(orders)} orders, ${count(events)} events`
  const limit = await best(() => db.rows(sql`select count(*) from person where state = 'live'`))
  for (const [what, given] of rules) {
    const rule: Rule = RuleSchema.parse(given)
    let found: Awaited<ReturnType<typeof previewRule>> | undefined
    const seconds = await best(async () => {
      found = await previewRule(db, clickhouse, rule, { now: NOW, zone: ZONE })
    })
    const first = await best(() =>
      previewRule(db, clickhouse, rule, { now: NOW, zone: ZONE, quick: LOOKED_AT_FIRST }),
    )
    figure({
      what: `Preview of a draft: ${what}`,
      data: `${data}; means ${count(found?.persons ?? 0)}${found?.exact ? '' : ', by a draw'}`,
      ours: `${inSeconds(first)} for a first answer from a part of the base, ${inSeconds(seconds)} for the exact one`,
      limit: inSeconds(limit),
      ratio: limit / seconds,
      wanted: 'at most 2 s at 2,000,000 members',
    })
  }
}

async function best(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < TURNS; turn += 1) least = Math.min(least, await secondsOf(work))
  return least
}

/** States as an evaluation stores them, of purchases spread over two years; a quarter never bought. */
async function fillStates(db: Database): Promise<void> {
  await db.run(sql`
    insert into person_state (person_id, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent, purchases,
      spent_cents, first_purchase_at, last_purchase_at, reading, changed_at)
    select i, 'active', 'unknown', 'more', 'loyalty', 'historical', false, i % 4, 10000 * (i % 4)::bigint * (1 + i % 90),
      case when i % 4 > 0 then bought end, case when i % 4 > 0 then bought end, 1, ${NOW}
    from (select i, ${NOW}::timestamptz - (i * 7919::bigint % 730) * interval '1 day' as bought
      from generate_series(1, ${PERSONS}::int) i) bought`)
  await db.run(sql`vacuum analyze`)
}
