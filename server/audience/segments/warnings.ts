/** What an operator is told of a rule before it is saved: parts that hold never or always, and what it costs. */
import type { Lang } from '../../../contract/lifecycle.ts'
import { nodesOf, type Rule } from '../../../contract/rule.ts'
import { findingsOf } from '../../../contract/rule-check.ts'
import { costOf, costWarning, type Sizes } from '../../../contract/rule-cost.ts'
import type { RuleNames } from '../../../contract/rule-phrases.ts'
import { sentence } from '../../../contract/rule-sentence.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { countPersons } from '../facts/store.ts'

type Said = Readonly<Record<Lang, string>>

export function warningsOf(rule: Rule, names: RuleNames, sizes: Sizes): Said[] {
  const nodes = new Map([...nodesOf(rule)].map(({ path, rule: node }) => [path, node]))
  const found = findingsOf(rule).map(({ path, verdict }) => {
    const part = nodes.get(path) ?? rule
    const never = verdict === 'never'
    return {
      zh: `「${sentence(part, 'zh', names)}」${never ? '永远不会成立' : '永远成立，可以删去'}`,
      en: `“${sentence(part, 'en', names)}” ${never ? 'can never hold' : 'always holds and can be left out'}`,
    }
  })
  const costly = costWarning(costOf(rule, sizes))
  return costly ? [...found, costly] : found
}

/** Rows of ClickHouse as they stand, every version of an order counted: what a computation has to read. */
export async function sizesOf(db: Db, clickhouse: ClickHouse): Promise<Sizes> {
  const [persons, tables, types] = await Promise.all([
    countPersons(db),
    clickhouse.rows<{ orders: number; lines: number }>(
      `select toFloat64((select count() from orders)) as orders, toFloat64((select count() from order_lines)) as lines`,
    ),
    clickhouse.rows<{ type: string; events: number }>(
      `select toString(type) as type, toFloat64(count()) as events from events group by type`,
    ),
  ])
  return {
    persons,
    orders: tables[0]?.orders ?? 0,
    lines: tables[0]?.lines ?? 0,
    events: new Map(types.map(({ type, events }) => [type, events])),
  }
}
