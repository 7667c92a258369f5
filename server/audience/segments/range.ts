/** One range of a recompute: everybody in it through the function, and whose answers are others than those that are stored. */
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { visitRange } from '../facts/range.ts'
import type { PersonRange } from '../facts/store-columns.ts'
import type { Answer, Evaluator } from '../rule/compile.ts'
import { readStored } from './stored.ts'

export type Different = { personId: number; answer: Answer; cause: 'time' | 'definition' }
export type RangeAnswer = { persons: number; different: Different[] }

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
