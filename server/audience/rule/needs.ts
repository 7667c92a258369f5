/** What a rule refers to must exist; whoever keeps the rule is known as a user of it. */
import { needsOf, type Rule } from '../../../contract/rule.ts'
import { findingsOf } from '../../../contract/rule-check.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { type User, uses } from '../usage.ts'

export const NOT_FOLLOWED =
  'A segment on demand is computed only when somebody asks: nothing is told when members enter or leave it. Make it live, or a snapshot, first'

/** Errors: `rule_invalid` for a segment on demand, for a segment, tag or group that does not exist, and for a rule that holds for nobody by itself. */
export async function checkRule(db: Db, rule: Rule): Promise<void> {
  const needs = needsOf(rule)
  const missing = await db.rows<{ kind: string; id: number }>(sql`
    select 'segment' as kind, id from unnest(${needs.segments}::int[]) id
      where not exists (select from segment s where s.id = id.id and s.state = 'live')
    union all select 'tag', id from unnest(${needs.tags}::int[]) id
      where not exists (select from tag t where t.id = id.id and t.state = 'active')
    union all select 'tag group', id from unnest(${needs.groups}::int[]) id
      where not exists (select from tag_group g where g.id = id.id and g.level = 's' and g.state = 'active')`)
  const [first] = missing
  if (first) {
    throw new Problem(
      'rule_invalid',
      `The rule refers to a ${first.kind} that does not exist (${first.id}).`,
      {
        field: 'rule',
        details: { missing },
      },
    )
  }
  const asked = await db.maybe<{ id: number; name: string }>(sql`
    select id, name from segment where id = any(${needs.segments}::int[]) and kind = 'on_demand' order by id limit 1`)
  if (asked) {
    throw new Problem('rule_invalid', `${NOT_FOLLOWED}: ${asked.name}`, {
      field: 'rule',
      details: { onDemand: asked },
    })
  }
  const never = findingsOf(rule).find(({ path, verdict }) => path === '' && verdict === 'never')
  if (never && !isEmptyAny(rule)) {
    throw new Problem(
      'rule_invalid',
      'Nobody can ever satisfy this rule: its conditions exclude one another.',
      {
        field: 'rule',
        details: { findings: findingsOf(rule) },
      },
    )
  }
}

function isEmptyAny(rule: Rule): boolean {
  return rule.kind === 'any' && rule.rules.length === 0
}

/** Notes the uses of a kept rule. */
export async function declareNeeds(tx: Tx, rule: Rule, by: User): Promise<void> {
  const { segments, tags, groups, channels } = needsOf(rule)
  for (const id of segments) await uses(tx, { kind: 'segment', id }, by)
  for (const id of tags) await uses(tx, { kind: 'tag', id }, by)
  for (const id of groups) await uses(tx, { kind: 'tag_group', id }, by)
  for (const id of channels) await uses(tx, { kind: 'channel', id }, by)
}
