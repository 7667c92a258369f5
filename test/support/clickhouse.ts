/** A migrated ClickHouse database of its own for a test file, in the engine that all files of a run share. */
import { randomBytes } from 'node:crypto'
import { afterAll, inject } from 'vitest'
import {
  type ClickHouse,
  type ClickHouseOptions,
  dropClickHouseDatabase,
  openClickHouse,
} from '../../server/platform/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '../../server/platform/clickhouse/migrate.ts'

const open: { clickhouse: ClickHouse; options: ClickHouseOptions }[] = []

/** The first call of a run starts the engine (about a second). `options` serve code that opens it by itself. */
export async function testClickHouse(): Promise<ClickHouse & { options: ClickHouseOptions }> {
  const answer = await fetch(inject('engineDoor'))
  if (!answer.ok) throw new Error(await answer.text())
  const engine = (await answer.json()) as Omit<ClickHouseOptions, 'database'>
  const options = { ...engine, database: `t_${randomBytes(6).toString('hex')}` }
  await migrateClickHouse(options)
  const clickhouse = openClickHouse(options)
  open.push({ clickhouse, options })
  return { ...clickhouse, options }
}

afterAll(async () => {
  for (const { clickhouse, options } of open.splice(0)) {
    await clickhouse.close()
    await dropClickHouseDatabase(options)
  }
})
