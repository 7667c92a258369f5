/** Counting and sampling a rule that nobody has saved yet: by SQL, or by the function on a part of the base where SQL cannot ask. */
import { edgesOf, type LifecycleState } from '../../../contract/lifecycle.ts'
import type { Rule } from '../../../contract/rule.ts'
import { placement } from '../../events/events.ts'
import { reachableForMarketing } from '../../members/members.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import type { Definitions } from '../rule/definitions.ts'
import { NoSql } from '../rule/history-sql.ts'
import { checkRule } from '../rule/needs.ts'
import { compileSql, lifecycleSql, type PersonSql, personsFrom } from '../rule/person-sql.ts'
import { drawSql, seedOf } from '../rule/sample.ts'
import { ZoneDays } from '../rule/zone-days.ts'
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
  /** How many of them marketing can reach on a channel, by the facts of the person. */
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
  /** About so many persons are looked at where there are twice as many; undefined: everybody. */
  quick?: number
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
  const { of } = await db.row<{ of: number }>(
    sql`select count(*)::int as of from person p where p.state = 'live' and ${seen}`,
  )
  const draw = await drawnOf(db, { of, seen, quick: how.quick })
  const { condition, share } = await meaningOf(db, clickhouse, rule, {
    definitions,
    now: how.now,
    seen,
    draw,
  })
  const from = sql`from ${personsFrom(definitions, how.now.getTime(), condition)} where p.state = 'live' and ${seen} and ${condition}`
  const [found, sample] = await Promise.all([
    db.rows<Found>(sql`
      select ${lifecycleSql(edgesOf(definitions.bands), { days: new ZoneDays(how.zone), now: how.now.getTime() })} as state, p.source,
        p.home_store_id as store, ${reachableForMarketing('wecom', 'p')} as "canWecom", ${reachableForMarketing('sms', 'p')} as "canSms", count(*)::int as persons
      ${from} group by 1, 2, 3, 4, 5`),
    sampleOf(db, from, how.sample ?? 10),
  ])
  const stores = await storesOf(db, countBy(found, 'store', share))
  const sum = (which: (row: Found) => boolean): number =>
    Math.round(found.reduce((total, row) => total + (which(row) ? row.persons : 0), 0) / share)
  return {
    persons: sum(() => true),
    of,
    lookedAt: share === 1 ? of : Math.round(of * share),
    byLifecycle: countBy(found, 'state', share).sort((left, right) => (left.state < right.state ? -1 : 1)),
    bySource: countBy(found, 'source', share),
    ...stores,
    reachable: [
      { channel: 'wecom', persons: sum((row) => row.canWecom) },
      { channel: 'sms', persons: sum((row) => row.canSms) },
    ],
    sample,
    exact: share === 1,
  }
}

/** A part of the base by a hash of the number, which PostgreSQL knows without finding anything else of a person. */
async function drawnOf(
  db: Db,
  { of, seen, quick }: { of: number; seen: Sql; quick: number | undefined },
): Promise<Meaning | undefined> {
  const parts = quick === undefined ? 1 : 2 ** Math.floor(Math.log2(Math.max(1, of / quick)))
  if (parts === 1) return undefined
  const condition = sql`hashint4(p.id) & ${parts - 1}::int = 0`
  const { drawn } = await db.row<{ drawn: number }>(
    sql`select count(*)::int as drawn from person p where p.state = 'live' and ${seen} and ${condition}`,
  )
  return drawn === 0 ? undefined : { condition, share: drawn / of }
}

/** Persons by one of the things that they have in common, the most first; of a draw as many as it stands for. */
function countBy<By extends 'state' | 'source' | 'store'>(
  found: readonly Found[],
  by: By,
  share: number,
): ({ [K in By]: Found[K] } & { persons: number })[] {
  return [...Map.groupBy(found, (row) => row[by])]
    .map(([value, own]) => ({
      [by]: value,
      persons: own.reduce((total, { persons }) => total + persons, 0),
    }))
    .sort((left, right) => right.persons - left.persons || (String(left[by]) < String(right[by]) ? -1 : 1))
    .map((row) => ({ ...row, persons: Math.round(row.persons / share) })) as never
}

/** The largest stores by name, and those without one. */
async function storesOf(
  db: Db,
  counts: readonly { store: string | null; persons: number }[],
): Promise<Pick<Previewed, 'byStore' | 'otherStores'>> {
  const named = counts.filter(({ store }) => store !== null)
  const shown = named.slice(0, STORES_SHOWN)
  const rows = await db.rows<{ id: string; name: string }>(
    sql`select id, name from store where id = any(${shown.map(({ store }) => store)}::uuid[])`,
  )
  const names = new Map(rows.map(({ id, name }) => [id, name]))
  return {
    byStore: [
      ...shown.map(({ store, persons }) => ({ store: names.get(store ?? '') ?? null, persons })),
      ...counts.filter(({ store }) => store === null),
    ],
    otherStores: named.slice(STORES_SHOWN).reduce((total, { persons }) => total + persons, 0),
  }
}

/**
 * The first by a draw. One in a thousand is drawn first, for which a large base is hardly read; where too few of them are
 * meant, everybody is looked at. Both put the same persons first.
 */
async function sampleOf(db: Db, from: Sql, wanted: number): Promise<number[]> {
  const drawn = sql`hashint4(p.id) & 1023`
  const first = (condition: Sql) =>
    db.rows<{ id: number }>(
      sql`select p.id ${from} and ${condition} order by ${drawn}, hashint4(p.id), p.id limit ${wanted}`,
    )
  const few = await first(sql`${drawn} = 0`)
  return (few.length === wanted ? few : await first(sql`true`)).map(({ id }) => id)
}

/** `share`: which part of the base the condition can mean at all, more than 0. */
type Meaning = { condition: Sql; share: number }
type MeaningHow = { definitions: Definitions; now: Date; seen: Sql; draw: Meaning | undefined }

async function meaningOf(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  how: MeaningHow,
): Promise<Meaning> {
  try {
    const condition = await conditionOf(db, clickhouse, rule, how.definitions, how.now)
    const { draw } = how
    return draw
      ? { condition: sql`${draw.condition} and (${condition})`, share: draw.share }
      : { condition, share: 1 }
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

/** Those who have these in common. */
type Found = {
  state: LifecycleState
  source: string
  store: string | null
  canWecom: boolean
  canSms: boolean
  persons: number
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
