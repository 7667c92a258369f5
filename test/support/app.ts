/** The whole program over a test database, served on the loopback, and callers of every kind. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { CSRF_HEADER, type Right, type Role, type Scope } from '../../contract/base.ts'
import { type App, type AppParts, buildApp, serveApp } from '../../server/app.ts'
import {
  createApiKey,
  createStaff,
  openBusinessClock,
  openSession,
  systemActor,
} from '../../server/org/org.ts'
import { type ClickHouse, openClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { openKeyring } from '../../server/platform/crypto/master-key.ts'
import { type Disk, noDisk } from '../../server/platform/disk.ts'
import { openLog } from '../../server/platform/logging/log.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { FixedClock } from '../../server/platform/time/clock.ts'

export type Reply = { status: number; body: unknown; headers: Headers }
/** Sends a request with the credentials of its caller. */
export type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Reply>

export type TestApp = {
  address: string
  db: Database
  app: App
  parts: AppParts
  clock: FixedClock
  /** Everything that was logged. */
  logged: string[]
  anonymous: Caller
  /** A new member of staff with these roles, signed in. */
  as(
    role: Role | readonly Role[],
    more?: {
      rights?: readonly Right[]
      storeIds?: readonly string[]
      regionIds?: readonly string[]
      mustChangePassword?: boolean
    },
  ): Promise<Caller & { staffId: string }>
  withKey(scopes: readonly Scope[], perMinute?: number): Promise<Caller & { secret: string }>
}

export type TestAppOptions = {
  clickhouse?: ClickHouse
  at?: string
  webFolder?: string
  disk?: Disk
  providers?: AppParts['providers']
  /** For another process that must open what this one sealed. */
  masterKey?: Buffer
}

const closing: (() => Promise<void>)[] = []
const NO_CLICKHOUSE = { url: 'http://127.0.0.1:9', user: 'none', password: 'none', database: 'none' }

/** Serves the program over `db`. Without `clickhouse` every question to it fails. */
export async function testApp(db: Database, options: TestAppOptions = {}): Promise<TestApp> {
  const path = await mkdtemp(join(tmpdir(), 'liuliang-app-'))
  const clock = new FixedClock(options.at ?? '2026-03-02T02:00:00Z')
  const logged: string[] = []
  const parts: AppParts = {
    stores: {
      db,
      clickhouse: options.clickhouse ?? openClickHouse(NO_CLICKHOUSE),
      keyring: openKeyring(options.masterKey ?? randomBytes(32)),
      folders: { path, clickhouse: path, archive: path, files: path, keys: path, logs: path },
      disk: options.disk ?? noDisk,
    },
    clock: await openBusinessClock(db, clock),
    providers: options.providers,
    log: openLog({ level: 'debug', destination: { write: (line) => logged.push(line) } }),
  }
  const app = buildApp(parts)
  const webFolder = options.webFolder ?? path
  const server = await serveApp(app, parts, { host: '127.0.0.1', port: 0, trustProxy: false, webFolder })
  closing.push(async () => {
    parts.clock.stop()
    await server.stop()
    await rm(path, { recursive: true, force: true })
  })
  const callWith = (credentials: Record<string, string>): Caller => caller(server.address, credentials)
  let made = 0
  const here: TestApp = {
    address: server.address,
    db,
    app,
    parts,
    clock,
    logged,
    anonymous: callWith({}),
    async as(role, more = {}) {
      made += 1
      const { staff } = await createStaff(db, systemActor(clock.now()), {
        login: `staff-${made}-${randomBytes(3).toString('hex')}`,
        name: `员工${made}`,
        wecomUserId: null,
        roles: typeof role === 'string' ? [role] : [...role],
        rights: [...(more.rights ?? [])],
        storeIds: [...(more.storeIds ?? [])] as never[],
        regionIds: [...(more.regionIds ?? [])] as never[],
      })
      await db.run(
        sql`update staff set must_change_password = ${more.mustChangePassword ?? false} where id = ${staff.id}`,
      )
      const { token, csrf } = await openSession(db, staff.id, { now: clock.now() })
      const call = callWith({ cookie: `liuliang_session=${token}`, [CSRF_HEADER]: csrf })
      return Object.assign(call, { staffId: staff.id as string })
    },
    async withKey(scopes, perMinute = 100_000) {
      const owner = await here.as('owner')
      const actor = systemActor(clock.now())
      const { secret } = await createApiKey(
        db,
        { ...actor, viewer: { ...actor.viewer, staffId: owner.staffId, maySeePersonal: true } },
        { name: 'test', scopes, perMinute, expiresAt: null },
      )
      return Object.assign(callWith({ authorization: `Bearer ${secret}` }), { secret })
    },
  }
  return here
}

function caller(address: string, credentials: Record<string, string>): Caller {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        ...credentials,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return {
      status: response.status,
      body: isJson && text !== '' ? JSON.parse(text) : text,
      headers: response.headers,
    }
  }
}

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
