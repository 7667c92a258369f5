import { afterAll, expect, test } from 'vitest'
import { openClickHouse } from '../clickhouse/clickhouse.ts'
import { openLog } from '../logging/log.ts'
import { openDatabase } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { problemOf } from './failure.ts'

// Nobody listens at port 2.
const db = openDatabase('postgres://nobody@127.0.0.1:2/none')
const clickhouse = openClickHouse({ url: 'http://127.0.0.1:2', user: 'u', password: 'p', database: 'd' })
const log = openLog({ level: 'silent' })
const codeOf = (error: unknown): string => problemOf(error, log, 'request').code

afterAll(async () => {
  await db.close()
  await clickhouse.close()
})

async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('a store that cannot be reached is away, whichever way it was asked', async () => {
  const thrown = [
    await thrownBy(() => db.rows(sql`select 1`)),
    await thrownBy(() => db.transaction((tx) => tx.run(sql`select 1`))),
    await thrownBy(() => clickhouse.rows('select 1')),
    await thrownBy(() => clickhouse.stream('select 1')[Symbol.asyncIterator]().next()),
    await thrownBy(() => clickhouse.insert('t', [{ a: 1 }])),
    await thrownBy(() => clickhouse.command('select 1')),
  ]
  expect(thrown.map(codeOf)).toEqual(thrown.map(() => 'unavailable'))
})

test('a connection of anybody else that breaks is no store that is away', async () => {
  const provider = await thrownBy(() => fetch('http://127.0.0.1:2/'))
  const refused = (provider as Error).cause
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
  const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  expect([provider, refused, reset, late].map(codeOf)).toEqual([
    'internal',
    'internal',
    'internal',
    'internal',
  ])
})
