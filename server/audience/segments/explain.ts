/** Why somebody is in a segment or not, and what would change it, from the same function that decides. */
import type { Lang } from '../../../contract/lifecycle.ts'
import { actsText } from '../../../contract/rule-act.ts'
import type { RuleNames } from '../../../contract/rule-phrases.ts'
import { valueText } from '../../../contract/rule-value.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import type { LeafValue } from '../rule/bench.ts'
import { changesOf } from './changes.ts'
import { draftEvaluator } from './draft.ts'
import { findSegment, ruleNames, type SegmentKind, sentences } from './segment.ts'
import { selectMembership } from './store.ts'
import { isInTake } from './store-takes.ts'

export type Explained = {
  segmentId: number
  name: string
  kind: SegmentKind
  /** Of a snapshot or a segment on demand: when it was taken; null for never. */
  takenAt: Date | null
  /** As stored: what SOPs and lists go by. */
  member: boolean
  /** As computed now; other than `member` only until the next evaluation. */
  verdict: boolean
  sentence: Record<Lang, string>
  leaves: {
    path: string
    sentence: Record<Lang, string>
    value: LeafValue
    /** The value in words. */
    said: Record<Lang, string>
    verdict: boolean
    /** When it would change by itself, if that is known to happen: the first moment at which it is another one. */
    changesAt: Date | null
    /** The smallest thing that would turn it now, if one is known. */
    act: Record<Lang, string> | null
    /** That alone turns the whole answer. */
    alone: boolean
    /** It has to turn for the whole answer to turn, together with the others of which this is said. */
    needed: boolean
  }[]
  /** When the rule's answer turns by time alone. */
  changesAt: Date | null
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
  const present = await presentEvaluator(db, how.zone)
  const evaluator = segment.kind === 'live' ? present : draftEvaluator(present.definitions, segment.rule)
  const now = how.now.getTime()
  const facts = (await loadFacts(db, clickhouse, [personId], { ...evaluator, now })).get(personId)
  if (!facts) throw new Problem('not_found', 'There is no such person.')
  const names = how.names ?? (await ruleNames(db))
  const [row] = await selectMembership(db, [personId])
  const explained = evaluator.explain(segment.rule, facts, now)
  const { verdict, leaves } = explained
  const changes = changesOf(evaluator, segment.rule, facts, now, explained)
  const onDemand = segment.kind === 'on_demand'
  return {
    segmentId,
    name: segment.name,
    kind: segment.kind,
    takenAt: segment.takenAt,
    member: onDemand ? await isInTake(db, segmentId, personId) : (row?.segments.includes(segmentId) ?? false),
    verdict,
    sentence: sentences(segment.rule, names),
    leaves: leaves.map(({ leaf, path, value, verdict: holds }) => {
      const change = changes.leaves.get(path)
      const acts = change?.acts
      return {
        path,
        sentence: sentences(leaf, names),
        value,
        said: {
          zh: valueText(leaf, value, { lang: 'zh', names }),
          en: valueText(leaf, value, { lang: 'en', names }),
        },
        verdict: holds,
        changesAt: momentOf(change?.byTime),
        act: acts
          ? { zh: actsText(acts, { lang: 'zh', names }), en: actsText(acts, { lang: 'en', names }) }
          : null,
        alone: change?.alone ?? false,
        needed: change?.needed ?? false,
      }
    }),
    changesAt: momentOf(changes.byTime),
    evaluatedAt: row?.evaluatedAt ?? null,
  }
}

function momentOf(ms: number | undefined): Date | null {
  return ms === undefined ? null : instant(ms)
}
