/** Counting and sampling a rule that nobody has saved yet: by SQL, or by the function on a part of the base where SQL cannot ask. */
import { edgesOf, type LifecycleState } from '../../../contract/lifecycle.ts'
import type { Rule } from '../../../contract/rule.ts'
import { placement } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import type { Definitions } from '../rule/definitions.ts'
import { NoSql } from '../rule/history-sql.ts'
import { checkRule } from '../rule/needs.ts'
import { compileSql, lifecycleSql, type PersonSql, personsFrom } from '../rule/person-sql.ts'
import { drawSql, seedOf } from '../rule/sample.ts'
import { DRAFT, draftEvaluator } from './draft.ts'

export type Previewed = {
  persons: number
  /** Everybody who could be meant: live persons that the viewer may see. */
  of: number
  /** How many were looked at: everybody, or a draw. */
  lookedAt: number
  byLifecycle: { state: LifecycleState; persons: number }[]
  bySource: { source: string; persons: number }[]
  /** The largest stores, the largest first; null: without one. */
  byStore: { store: string | null; persons: number }[]
  /** In all other stores together. */
  otherStores: number
  /** How many of them a channel can reach, by the facts of the person. */
  reachable: { channel: 'wecom' | 'sms'; persons: number }[]
  /** Ids of some of them, spread over the base; the same for the same rule. */
  sample: number[]
  /** False where only a part of the base was looked at and counts are estimates. */
  exact: boolean
}
export type PreviewHow = {
  now: Date
  zone: Zone
  sample?: number
  /** A condition over `person p`: what the viewer may see. */
  visible?: Sql
}

/** How many the rule means now, by life cycle, and some of them. Errors: `rule_invalid`, `rule_cycle`. */
export async function previewRule(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  how: PreviewHow,
): Promise<Previewed> {
  await checkRule(db, rule)
  const { definitions } = await presentEvaluator(db, how.zone)
  const seen = how.visible ?? sql`true`
  const { condition, share } = await meaningOf(db, clickhouse, rule, { definitions, now: how.now, seen })
  const found = await db.rows<Found>(sql`
    with found as materialized (
      select p.id, ${lifecycleSql(edgesOf(definitions.bands))} as state, p.source, p.home_store_id as store,
        p.wecom = 'followed' and p.consents ->> 'wecom' is distinct from 'withdrawn' as wecom,
        p.phone = 'mobile' and p.consents ->> 'sms' = 'granted' as sms
      from ${personsFrom(definitions, how.now.getTime())} where p.state = 'live' and ${seen} and ${condition})
    select state, count(*)::int as persons, count(*) filter (where wecom)::int as wecom, count(*) filter (where sms)::int as sms,
      (select array_agg(id) from (select f.id from found f order by ${drawSql(0, sql`f.id`)}, f.id limit ${how.sample ?? 10}) picked) as sample,
      (select json_agg(by_source) from (select source, count(*)::int as persons from found group by source order by 2 desc, 1) by_source) as sources,
      (select json_agg(by_store) from (
        select s.name as store, f.persons from (select store, count(*)::int as persons from found group by store) f
        left join store s on s.id = f.store order by (f.store is null), f.persons desc, s.name) by_store) as stores
    from found group by state order by state`)
  const { of } = await db.row<{ of: number }>(
    sql`select count(*)::int as of from person p where p.state = 'live' and ${seen}`,
  )
  const sum = (count: 'persons' | 'wecom' | 'sms'): number =>
    Math.round(found.reduce((total, row) => total + row[count], 0) / share)
  const whole = (persons: number): number => Math.round(persons / share)
  const stores = (found[0]?.stores ?? []).map((row) => ({ ...row, persons: whole(row.persons) }))
  const named = stores.filter(({ store }) => store !== null)
  return {
    persons: sum('persons'),
    of,
    lookedAt: share === 1 ? of : Math.round(of * share),
    byLifecycle: found.map(({ state, persons }) => ({ state, persons: whole(persons) })),
    bySource: (found[0]?.sources ?? []).map((row) => ({ ...row, persons: whole(row.persons) })),
    byStore: [...named.slice(0, STORES_SHOWN), ...stores.filter(({ store }) => store === null)],
    otherStores: named.slice(STORES_SHOWN).reduce((total, { persons }) => total + persons, 0),
    reachable: [
      { channel: 'wecom', persons: sum('wecom') },
      { channel: 'sms', persons: sum('sms') },
    ],
    sample: found[0]?.sample ?? [],
    exact: share === 1,
  }
}

/** `share`: which part of the base the condition can mean at all, more than 0. */
type Meaning = { condition: Sql; share: number }
type MeaningHow = { definitions: Definitions; now: Date; seen: Sql }

async function meaningOf(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  how: MeaningHow,
): Promise<Meaning> {
  try {
    return { condition: await conditionOf(db, clickhouse, rule, how.definitions, how.now), share: 1 }
  } catch (error) {
    if (!(error instanceof NoSql)) throw error
    return drawnMeaning(db, clickhouse, rule, how)
  }
}

/** So many persons are looked at; of a smaller base everybody. */
const DRAWN = 10_000

/** Those of a stable draw from the base whom the function says the rule means. */
async function drawnMeaning(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  { definitions, now, seen }: MeaningHow,
): Promise<Meaning> {
  const evaluator = draftEvaluator(definitions, rule)
  const drawn = await db.rows<{ id: number; total: number }>(sql`
    select id, total from (select p.id, count(*) over ()::int as total from person p where p.state = 'live' and ${seen}) base
    order by ${drawSql(seedOf('preview'), sql`id`)}, id limit ${DRAWN}`)
  const ids = drawn.map(({ id }) => id)
  const facts = await loadFacts(db, clickhouse, ids, { ...evaluator, now: now.getTime() })
  const meant = ids.filter((id) => {
    const own = facts.get(id)
    return own !== undefined && evaluator.evaluate(own, now.getTime()).segments.includes(DRAFT)
  })
  return { condition: sql`p.id = any(${meant}::int[])`, share: ids.length / (drawn[0]?.total ?? 1) || 1 }
}

const STORES_SHOWN = 8

type Found = {
  state: LifecycleState
  persons: number
  wecom: number
  sms: number
  sample: number[]
  /** Of all rows together. */
  sources: { source: string; persons: number }[]
  stores: { store: string | null; persons: number }[]
}

/** Everybody the rule means, ascending, by SQL. For tests; bounded by memory. Errors: `NoSql`. */
export async function personsOf(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  how: { definitions: Definitions; now: Date },
): Promise<number[]> {
  const condition = await conditionOf(db, clickhouse, rule, how.definitions, how.now)
  const rows = await db.rows<{ id: number }>(sql`
    select p.id from ${personsFrom(how.definitions, how.now.getTime())}
    where p.state = 'live' and ${condition} order by p.id`)
  return rows.map((row) => row.id)
}

/** The rule as a condition over `personsFrom`, its sets asked for. Errors: `NoSql`. */
export async function conditionOf(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  definitions: Definitions,
  now: Date,
): Promise<Sql> {
  const compiled = compileSql(rule, definitions, now.getTime(), await placement(db))
  return compiled.condition(await membersOf(clickhouse, compiled))
}

async function membersOf(clickhouse: ClickHouse, { sets }: PersonSql): Promise<number[][]> {
  const members: number[][] = []
  for (const { text, params } of sets) {
    const found: number[] = []
    for await (const rows of clickhouse.stream<[number]>(text, params, { lane: 'page' })) {
      for (const [person] of rows) found.push(person)
    }
    members.push(found)
  }
  return members
}
