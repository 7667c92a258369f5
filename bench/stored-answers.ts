/** What a first recompute would store, written by COPY: for bases so large that the log of everything entered would not fit. */
import { availableParallelism } from 'node:os'
import { nextReading, presentEvaluator } from '../server/audience/definitions.ts'
import { openAnswering } from '../server/audience/segments/answering.ts'
import type { Different } from '../server/audience/segments/range.ts'
import { upsertStates } from '../server/audience/segments/store.ts'
import { settleSTags } from '../server/audience/tags/store.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { copyField, copyIn } from '../server/platform/postgres/copy.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { NOW, ZONE } from './large-base.ts'

const AT_ONCE = 20_000

/** Writes the answers of everybody without telling the log. What was stored before is gone. */
export async function storeAnswers(db: Database, clickhouse: ClickHouse, persons: number): Promise<void> {
  const evaluator = await presentEvaluator(db, ZONE)
  const reading = await nextReading(db)
  const answering = openAnswering(db, clickhouse, persons)
  await db.run(sql`truncate person_segment, person_state`)
  await db.run(sql`drop index person_segment_segments`)
  try {
    for (let from = 1; from <= persons; from += AT_ONCE * availableParallelism()) {
      const ranges = Array.from({ length: availableParallelism() }, (_, place) => from + place * AT_ONCE)
      const answers = await Promise.all(
        ranges.map((begin) =>
          answering.answer({ from: begin, before: begin + AT_ONCE }, { evaluator, now: NOW.getTime() }),
        ),
      )
      for (const { different } of answers) await write(db, different, reading)
    }
  } finally {
    await answering.close()
    await db.run(sql`create index person_segment_segments on person_segment using gin (segments)`)
  }
  await db.run(sql`vacuum analyze`)
}

async function write(db: Database, answers: readonly Different[], reading: number): Promise<void> {
  const at = NOW.toISOString()
  await db.transaction(async (tx) => {
    await copyIn(
      tx,
      'copy person_segment (person_id, segments, next_at, reading, evaluated_at) from stdin',
      answers.map(({ personId, answer: { segments, next } }) => {
        const nextAt = Number.isFinite(next) ? new Date(next).toISOString() : null
        return `${personId}\t{${segments.join(',')}}\t${copyField(nextAt)}\t${reading}\t${at}\n`
      }),
    )
    await upsertStates(
      tx,
      answers.map(({ personId, answer }) => ({ personId, state: answer.state })),
      { reading, now: NOW },
    )
    // Values that attributes give stand in rows of their own.
    await settleSTags(
      tx,
      answers.map(({ personId }) => personId),
    )
  })
}
