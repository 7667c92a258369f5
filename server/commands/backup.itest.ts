import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Config, readConfig } from '../config.ts'
import { append, lanes, type NewEvent, PROJECT, projectOnce } from '../events/events.ts'
import { audit, systemActor } from '../org/org.ts'
import { printKey } from '../platform/crypto/master-key.ts'
import { newId } from '../platform/ids.ts'
import { withLease } from '../platform/jobs/lease.ts'
import { openLog } from '../platform/logging/log.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { systemClock } from '../platform/time/clock.ts'
import { prepareStores } from '../prepare.ts'
import { openStores, type Stores } from '../stores.ts'
import { takeBackup } from './backup.ts'
import type { Command } from './command.ts'
import { restore } from './restore.ts'
import { openTerminal } from './terminal.ts'

// Five starts of both engines and two restores: minutes where the machine is busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let folder: string
let stores: Stores
let key: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-backup-'))
  stores = await openStores(configFor('original'), command('original').log, 'own')
  await prepareStores(stores)
  key = printKey(stores.masterKey)
  await writeFile(join(folder, 'key'), key)
  await appendFile(join(stores.folders.files, 'upload.csv'), 'a,b\n')
})
afterAll(async () => {
  await stores.close()
  await rm(folder, { recursive: true, force: true })
})

test('what was backed up while writers ran comes back as it was: every table, and ClickHouse equal to the log', async () => {
  const stop = new AbortController()
  const writing = write(stores, stop.signal)
  await sleep(400)
  const before = await stores.db.row<{ events: number; audits: number }>(counts)
  await takeBackup(
    { config: configFor('original'), stores, terminal: command('original').terminal },
    join(folder, 'backup'),
  )
  await sleep(200)
  stop.abort()
  await writing
  const after = await stores.db.row<{ events: number; audits: number }>(counts)
  expect(after.events).toBeGreaterThan(before.events)

  await restore(command('restored'), join(folder, 'backup'), { keyFile: join(folder, 'key') })
  const restored = await openStores(configFor('restored'), command('restored').log, 'own')
  try {
    await prepareStores(restored)
    const back = await restored.db.row<{ events: number; audits: number }>(counts)
    expect(back.events).toBeGreaterThanOrEqual(before.events)
    expect(back.events).toBeLessThanOrEqual(after.events)
    // Nothing is there that was never written, and nothing is cut in the middle of a transaction.
    for (const table of await tablesOf(restored.db)) {
      if (APPEND_ONLY.has(table)) expect(await missingIn(stores.db, restored.db, table), table).toBe(0)
    }
    expect(await halfTransactions(restored.db)).toBe(0)
    await projectAll(restored)
    expect(await inClickHouse(restored)).toEqual(await inLog(restored.db))
    expect(await readFile(join(restored.folders.files, 'upload.csv'), 'utf8')).toBe('a,b\n')
  } finally {
    await restored.close()
  }
})

test('when nobody writes, every row of every table is the same', async () => {
  await projectAll(stores)
  const quiet = join(folder, 'quiet')
  await takeBackup({ config: configFor('original'), stores, terminal: command('original').terminal }, quiet)
  const wanted = await digests(stores.db)
  const wantedRows = await inClickHouse(stores)

  await restore(command('again'), quiet, { keyFile: join(folder, 'key') })
  const again = await openStores(configFor('again'), command('again').log, 'own')
  try {
    const { projection: _, ...found } = await digests(again.db)
    const { projection: __, ...expected } = wanted
    expect(found).toEqual(expected)
    expect(Object.keys(found).length).toBeGreaterThan(40)
    expect(await inClickHouse(again)).toEqual(wantedRows)
  } finally {
    await again.close()
  }
})

test('the key is in no file of a backup, and another key is refused', async () => {
  const raw = Buffer.from(key, 'base64')
  const { bytes } = await stat(join(folder, 'quiet', 'backup.json')).then(({ size }) => ({ bytes: size }))
  expect(bytes).toBeGreaterThan(100)
  for await (const line of (await readFile(join(folder, 'quiet', 'files.ndjson'), 'utf8'))
    .trim()
    .split('\n')) {
    const { path } = JSON.parse(line) as { path: string }
    const text = await readFile(join(folder, 'quiet', path))
    expect(text.includes(raw), path).toBe(false)
    expect(text.includes(key), path).toBe(false)
    expect(text.includes(raw.toString('hex')), path).toBe(false)
  }
  await writeFile(join(folder, 'other'), Buffer.alloc(32, 7).toString('base64'))
  await expect(
    restore(command('no'), join(folder, 'quiet'), { keyFile: join(folder, 'other') }),
  ).rejects.toThrow('not the master key')
  await expect(restore(command('no'), join(folder, 'quiet'), {})).rejects.toThrow('master key is needed')
})

test('a damaged backup, one that was broken off, and a used target are refused before anything is written', async () => {
  const options = { keyFile: join(folder, 'key') }
  await expect(restore(command('original'), join(folder, 'quiet'), options)).rejects.toThrow('is not empty')
  await appendFile(join(folder, 'quiet', 'files', 'upload.csv'), 'x')
  await expect(restore(command('no'), join(folder, 'quiet'), options)).rejects.toThrow(
    'damaged: files/upload.csv',
  )
  await rm(join(folder, 'quiet', 'backup.json'))
  await expect(restore(command('no'), join(folder, 'quiet'), options)).rejects.toThrow('no whole backup')
  await expect(stat(join(folder, 'no'))).rejects.toThrow()
})

test('nothing starts on a data directory whose restore was broken off', async () => {
  await writeFile(join(folder, 'again', 'restoring'), '')
  await expect(openStores(configFor('again'), command('again').log, 'own')).rejects.toThrow('broken off')
})

const counts = sql`select (select count(*)::int from event_log) as events, (select count(*)::int from audit_trail) as audits`
const APPEND_ONLY = new Set(['event_log', 'audit_trail'])

function configFor(name: string): Config {
  return readConfig({ LIULIANG_DATA: join(folder, name), LIULIANG_LOG: 'silent' })
}

function command(name: string): Command {
  const quiet = { write: () => true }
  return {
    config: configFor(name),
    log: openLog({ level: 'silent' }),
    terminal: openTerminal({ json: false, out: quiet, err: quiet }),
  }
}

/** Each transaction writes three events and one entry of the audit trail; projection goes on beside it. */
async function write({ db, clickhouse }: Stores, signal: AbortSignal): Promise<void> {
  const project = async () => {
    while (!signal.aborted) {
      await withLease(db, PROJECT, async (token) => {
        for (const lane of lanes)
          await projectOnce(db, clickhouse, { lane, token, now: systemClock.now(), batch: 200 })
      })
      // Every insert is a part, and a part is a folder of files.
      await sleep(100)
    }
  }
  const writer = async (number: number) => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await writeOne(db, `${number}-${turn}`)
      await sleep(5)
    }
  }
  await Promise.all([project(), writer(1), writer(2)])
}

async function writeOne(db: Database, name: string): Promise<void> {
  const at = systemClock.now()
  const transactionId = newId(at)
  await db.transaction(async (tx) => {
    const events = Array.from(
      { length: 3 },
      (): NewEvent => ({
        id: newId(at),
        type: 'page_viewed',
        profileId: 1,
        personId: 1,
        at,
        data: { page: transactionId, dwellSeconds: null },
      }),
    )
    await append(tx, events, { lane: 'live', source: 'test', receivedAt: at })
    await audit(tx, systemActor(at), { action: 'test.wrote', objectKind: 'test', objectId: name })
  })
}

async function tablesOf(db: Database): Promise<string[]> {
  const rows = await db.rows<{ name: string }>(sql`
    select relname as name from pg_class where relkind in ('r', 'p') and not relispartition
      and relnamespace = 'public'::regnamespace order by 1`)
  return rows.map(({ name }) => name)
}

/** Rows of the restored table that the original does not have. */
async function missingIn(original: Database, restored: Database, table: string): Promise<number> {
  const ids = await restored.rows<{ id: string }>(sql`select id from ${trusted(table)}`)
  const { found } = await original.row<{ found: number }>(
    sql`select count(*)::int as found from ${trusted(table)} where id = any(${ids.map(({ id }) => id)}::uuid[])`,
  )
  return ids.length - found
}

async function halfTransactions(db: Database): Promise<number> {
  const rows = await db.rows(
    sql`select data ->> 'page' from event_log where type = 'page_viewed' group by 1 having count(*) <> 3`,
  )
  return rows.length
}

async function digests(db: Database): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const table of await tablesOf(db)) {
    const { digest } = await db.row<{ digest: string }>(
      sql`select count(*) || ':' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as digest from ${trusted(table)} t`,
    )
    found[table] = digest
  }
  // Leases are of processes; the lease of the restore itself is one.
  const { lease: _, ...lasting } = found
  return lasting
}

async function projectAll({ db, clickhouse }: Stores): Promise<void> {
  await withLease(db, PROJECT, async (token) => {
    for (const lane of lanes) {
      while ((await projectOnce(db, clickhouse, { lane, token, now: systemClock.now() })) > 0);
    }
  })
}

async function inClickHouse({ clickhouse }: Stores): Promise<string[]> {
  const rows = await clickhouse.rows<{ id: string }>('select toString(id) as id from events order by id')
  return rows.map(({ id }) => id)
}

async function inLog(db: Database): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    sql`select id::text as id from event_log where type <> 'order_recorded' order by id::text`,
  )
  return rows.map(({ id }) => id)
}
