/** Counting and sampling a rule that nobody has saved yet, by SQL. */
import { edgesOf, type LifecycleState } from '../../../contract/lifecycle.ts'
import type { Rule } from '../../../contract/rule.ts'
import { placement } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import type { Definitions } from '../rule/definitions.ts'
import { checkRule } from '../rule/needs.ts'
import { compileSql, lifecycleSql, type PersonSql } from '../rule/person-sql.ts'
import { drawSql } from '../rule/sample.ts'
import { ZoneDays } from '../rule/zone-days.ts'

export type Previewed = {
  persons: number
  /** Everybody who could be meant: live persons that the viewer may see. */
  of: number
  byLifecycle: { state: LifecycleState; persons: number }[]
  /** How many of them a channel can reach, by the facts of the person. */
  reachable: { channel: 'wecom' | 'sms'; persons: number }[]
  /** Ids of some of them, spread over the base; the same for the same rule. */
  sample: number[]
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
  const condition = await conditionOf(db, clickhouse, rule, definitions, how.now)
  const context = { days: new ZoneDays(how.zone), now: how.now.getTime() }
  const seen = how.visible ?? sql`true`
  const byLifecycle = await db.rows<{ state: LifecycleState; persons: number }>(sql`
    select ${lifecycleSql(edgesOf(definitions.bands), context)} as state, count(*)::int as persons
    from person p left join person_state st on st.person_id = p.id
    where p.state = 'live' and ${seen} and ${condition} group by 1 order by 1`)
  const reached = await db.row<{ wecom: number; sms: number }>(sql`
    select count(*) filter (where p.wecom = 'followed' and p.consents ->> 'wecom' is distinct from 'withdrawn')::int as wecom,
      count(*) filter (where p.phone = 'mobile' and p.consents ->> 'sms' = 'granted')::int as sms
    from person p left join person_state st on st.person_id = p.id where p.state = 'live' and ${seen} and ${condition}`)
  const { of } = await db.row<{ of: number }>(
    sql`select count(*)::int as of from person p where p.state = 'live' and ${seen}`,
  )
  const sample = await db.rows<{ id: number }>(sql`
    select p.id from person p left join person_state st on st.person_id = p.id
    where p.state = 'live' and ${seen} and ${condition} order by ${drawSql(0, sql`p.id`)}, p.id limit ${how.sample ?? 10}`)
  return {
    persons: byLifecycle.reduce((sum, row) => sum + row.persons, 0),
    of,
    byLifecycle,
    reachable: [
      { channel: 'wecom', persons: reached.wecom },
      { channel: 'sms', persons: reached.sms },
    ],
    sample: sample.map((row) => row.id),
  }
}

/** Everybody the rule means, ascending. For tests and for one new segment; bounded by memory. */
export async function personsOf(
  db: Database,
  clickhouse: ClickHouse,
  rule: Rule,
  how: { definitions: Definitions; now: Date },
): Promise<number[]> {
  const condition = await conditionOf(db, clickhouse, rule, how.definitions, how.now)
  const rows = await db.rows<{ id: number }>(sql`
    select p.id from person p left join person_state st on st.person_id = p.id
    where p.state = 'live' and ${condition} order by p.id`)
  return rows.map((row) => row.id)
}

async function conditionOf(
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
