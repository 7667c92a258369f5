/**
 * One PostgreSQL for all test files of a run, with a migrated template that each file clones (test/support/database.ts),
 * and one ClickHouse engine that is started when the first file asks for it (test/support/clickhouse.ts).
 * Everything lives in a temporary folder and is gone afterwards.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Engine, startEngine } from '../../server/platform/clickhouse/engine.ts'
import { startCluster } from '../../server/platform/postgres/cluster.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { migratePostgres } from '../../server/platform/postgres/migrate.ts'
import { sql, trusted } from '../../server/platform/postgres/sql.ts'

declare module 'vitest' {
  // biome-ignore lint/style/useConsistentTypeDefinitions: only an interface merges with the one of vitest.
  export interface ProvidedContext {
    /** Address of the database `postgres`, and the name of the migrated template. */
    postgres: { url: string; template: string }
    /** Asked by GET, answers with the address of the ClickHouse engine, which the first question starts. */
    engineDoor: string
  }
}

const TEMPLATE = 'liuliang_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'liuliang-test-'))
  // Root hands the cluster to another user, who must be able to enter.
  await chmod(folder, 0o755)
  const cluster = await startCluster({ dataDirectory: folder, durable: false, maxConnections: 200 })
  const url = addressOf(cluster.url, 'postgres')
  await makeTemplate(url)
  project.provide('postgres', { url, template: TEMPLATE })
  const engine = await openEngineDoor(join(folder, 'clickhouse'))
  project.provide('engineDoor', engine.door)
  return async () => {
    await engine.stop()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

type EngineDoor = { door: string; stop(): Promise<void> }

/** Test files run in processes of their own; those that need ClickHouse share the one engine behind this door. */
async function openEngineDoor(dataDir: string): Promise<EngineDoor> {
  let engine: Promise<Engine> | undefined
  const tell = (entry: object) => void process.stderr.write(`${JSON.stringify(entry)}\n`)
  const door = createServer((_request, response) => {
    engine ??= startEngine({ dataDir, log: { info: () => undefined, warn: tell, error: tell } })
    engine.then(
      ({ url, user, password }) => response.end(JSON.stringify({ url, user, password })),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  return {
    door: `http://127.0.0.1:${(door.address() as AddressInfo).port}/`,
    stop: async () => {
      door.close()
      await (await engine)?.stop()
    },
  }
}

async function makeTemplate(url: string): Promise<void> {
  const server = openDatabase(url, { max: 1 })
  await server.run(sql`create database ${trusted(TEMPLATE)}`)
  const template = openDatabase(addressOf(url, TEMPLATE), { max: 2 })
  await migratePostgres(template)
  await template.close()
  await server.close()
}

function addressOf(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}
