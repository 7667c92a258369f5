/** A database of its own for a test file: a clone of the migrated template, dropped when the file is done. */
import { randomBytes } from 'node:crypto'
import { afterAll, inject } from 'vitest'
import { type Database, openDatabase } from '../../server/platform/postgres/database.ts'
import { type Sql, sql, trusted } from '../../server/platform/postgres/sql.ts'

const open: { db: Database; name: string }[] = []

/** A migrated database without rows of its own. About 40 ms; call it once at the top of a file or in `beforeAll`. */
export async function testDatabase(options: { max?: number } = {}): Promise<Database> {
  return make(options, trusted(`template ${inject('postgres').template} strategy file_copy`))
}

/** A database without any table. */
export async function emptyDatabase(): Promise<Database> {
  return make({}, trusted(''))
}

async function make(options: { max?: number }, how: Sql): Promise<Database> {
  const name = `t_${randomBytes(6).toString('hex')}`
  await onServer(sql`create database ${trusted(name)} ${how}`)
  const address = new URL(inject('postgres').url)
  address.pathname = `/${name}`
  const db = openDatabase(address.href, { max: options.max ?? 8, applicationName: 'liuliang-test' })
  open.push({ db, name })
  return db
}

async function onServer(statement: Sql): Promise<void> {
  const server = openDatabase(inject('postgres').url, { max: 1 })
  try {
    await server.run(statement)
  } finally {
    await server.close()
  }
}

afterAll(async () => {
  for (const { db, name } of open.splice(0)) {
    // A test that has closed its database itself is no error.
    await db.close().catch(() => undefined)
    await onServer(sql`drop database if exists ${trusted(name)} with (force)`)
  }
})
