/** Why somebody is in a segment or not, from the same function that decides. */
import type { Lang } from '../../../contract/lifecycle.ts'
import type { RuleNames } from '../../../contract/rule-phrases.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import type { LeafValue } from '../rule/bench.ts'
import { findSegment, ruleNames, sentences } from './segment.ts'
import { selectMembership } from './store.ts'

export type Explained = {
  segmentId: number
  name: string
  /** As stored: what SOPs and lists go by. */
  member: boolean
  /** As computed now; other than `member` only until the next evaluation. */
  verdict: boolean
  sentence: Record<Lang, string>
  leaves: {
    path: string
    sentence: Record<Lang, string>
    value: LeafValue
    verdict: boolean
    /** When it would change by itself. */
    changesAt: Date | null
  }[]
  evaluatedAt: Date | null
}

/** Errors: `not_found` for the person or the segment. */
export async function explainMembership(
  db: Database,
  clickhouse: ClickHouse,
  { personId, segmentId }: { personId: number; segmentId: number },
  how: { now: Date; zone: Zone; names?: RuleNames },
): Promise<Explained> {
  const segment = await findSegment(db, segmentId)
  if (!segment) throw new Problem('not_found', 'There is no such segment.')
  const evaluator = await presentEvaluator(db, how.zone)
  const facts = (await loadFacts(db, clickhouse, [personId], { ...evaluator, now: how.now.getTime() })).get(
    personId,
  )
  if (!facts) throw new Problem('not_found', 'There is no such person.')
  const names = how.names ?? (await ruleNames(db))
  const [row] = await selectMembership(db, [personId])
  const { verdict, leaves } = evaluator.explain(segment.rule, facts, how.now.getTime())
  return {
    segmentId,
    name: segment.name,
    member: row?.segments.includes(segmentId) ?? false,
    verdict,
    sentence: sentences(segment.rule, names),
    leaves: leaves.map(({ leaf, path, value, verdict: holds, next }) => ({
      path,
      sentence: sentences(leaf, names),
      value,
      verdict: holds,
      changesAt: Number.isFinite(next) ? instant(next) : null,
    })),
    evaluatedAt: row?.evaluatedAt ?? null,
  }
}
