/** Processes that join the engines of another one, on a data directory of their own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Kept } from '../test/support/program.ts'
import { readConfig } from './config.ts'
import { openLog } from './platform/logging/log.ts'
import { openStores } from './stores.ts'

const folder = await mkdtemp(join(tmpdir(), 'liuliang-joined-'))
await chmod(folder, 0o755)
const environment = { LIULIANG_DATA: join(folder, 'data'), LIULIANG_LOG: 'error' }
let serve = new Kept('serve', environment)
let taken: Server | undefined

afterAll(async () => {
  await serve.stop()
  taken?.close()
  await rm(folder, { recursive: true, force: true })
})

function takePort(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

test('a process that joined is told when ClickHouse came back at another address, and the next one finds it there', async () => {
  await serve.tells('address')
  const open = () => openStores(readConfig(environment), openLog({ level: 'silent' }), 'either')
  const joined = await open()
  const port = Number(new URL(joined.clickhouseOptions.url).port)
  try {
    expect([joined.mode, await joined.clickhouse.ping()]).toEqual(['join', true])
    await serve.stop()
    taken = await takePort(port)
    serve = new Kept('serve', environment)
    expect(await joined.lost).toBe('ClickHouse was started again on another port. Start this process again.')
  } finally {
    await joined.close()
  }
  await serve.tells('address')
  const again = await open()
  try {
    expect(await again.clickhouse.ping()).toBe(true)
    expect(new URL(again.clickhouseOptions.url).port).not.toBe(String(port))
  } finally {
    await again.close()
  }
})
