/**
 * One range of a recompute: everybody in it through the function, and whose answers are others than those that are stored;
 * where only some segments are concerned, these alone.
 */
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { visitRange } from '../facts/range.ts'
import type { PersonRange } from '../facts/store-columns.ts'
import type { Answer, Evaluator } from '../rule/compile.ts'
import type { PartAnswer } from './membership.ts'
import { selectMembershipColumns } from './store-columns.ts'
import { readStored, StoredSegments } from './stored.ts'

export type Different = { personId: number; answer: Answer; cause: 'time' | 'definition' }
export type RangeAnswer = { persons: number; different: Different[] }
/** `strangers`: nothing is stored about them, so that they have to be answered whole. */
export type RangePart = { persons: number; parts: PartAnswer[]; strangers: number[] }

/** What time alone has changed has that cause. `now` in ms since 1970. Errors: those of the stores. */
export async function answerRange(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  { evaluator, now }: { evaluator: Evaluator; now: number },
): Promise<RangeAnswer> {
  const stored = await readStored(db, range)
  const different: Different[] = []
  const { needs, days } = evaluator
  const persons = await visitRange(db, clickhouse, range, { needs, days, now }, (group) => {
    const answers = evaluator.evaluateAll(group, now)
    for (const [place, { personId }] of group.persons.entries()) {
      if (stored.says(personId, answers, place)) continue
      const answer = answers.whole(place)
      different.push({ personId, answer, cause: stored.isLate(personId, now) ? 'time' : 'definition' })
    }
  })
  return { persons, different }
}

/**
 * The same about the `concerned` segments alone; `evaluator` is that of the part. Whose moment of change has come is left to
 * evaluation, which answers him whole.
 */
export async function answerPart(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  { evaluator, concerned, now }: { evaluator: Evaluator; concerned: ReadonlySet<number>; now: number },
): Promise<RangePart> {
  const stored = new StoredSegments(await selectMembershipColumns(db, range))
  const parts: PartAnswer[] = []
  const strangers: number[] = []
  const { needs, days } = evaluator
  const persons = await visitRange(db, clickhouse, range, { needs, days, now }, (group) => {
    const answers = evaluator.evaluateAll(group, now)
    for (const [place, { personId }] of group.persons.entries()) {
      const said = stored.compare(personId, answers, place, { concerned, now })
      if (said === 'unknown') strangers.push(personId)
      else if (said !== 'same' && said !== 'late') parts.push({ personId, ...said })
    }
  })
  return { persons, parts, strangers }
}
