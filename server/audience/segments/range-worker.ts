/** A thread of a recompute: reads a range of persons, decides and compares, and tells who is different. */
import { parentPort, workerData } from 'node:worker_threads'
import { openClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { openDatabase } from '../../platform/postgres/database.ts'
import { compileRules, type Evaluator } from '../rule/compile.ts'
import type { FromThread, ThreadData, ToThread } from './answering.ts'
import { answerPart, answerRange, type RangeAnswer, type RangePart } from './range.ts'

/** Connections to PostgreSQL: one reads persons while the other reads what is stored. */
const CONNECTIONS = 2

const port = parentPort
if (port === null) throw new Error('range-worker.ts runs in a worker thread')
const { url, clickhouse: options } = workerData as ThreadData
const db = openDatabase(url, { max: CONNECTIONS, applicationName: 'liuliang-recompute' })
const clickhouse = openClickHouse(options)
let evaluator: Evaluator | undefined
let last: Promise<unknown> = Promise.resolve()

async function answer({ range, now, concerned, definitions }: ToThread): Promise<RangeAnswer | RangePart> {
  if (definitions) evaluator = compileRules(definitions, { part: concerned !== undefined })
  if (!evaluator) throw new Error('no definitions')
  return concerned
    ? answerPart(db, clickhouse, range, { evaluator, now, concerned })
    : answerRange(db, clickhouse, range, { evaluator, now })
}

port.on('message', (message: ToThread) => {
  const say = (said: Omit<FromThread, 'number'>): void =>
    port.postMessage({ number: message.number, ...said })
  last = last
    .then(() => answer(message))
    .then(
      (found) => say({ answer: found }),
      (error: unknown) => say({ failed: error instanceof Error ? error.message : String(error) }),
    )
})
