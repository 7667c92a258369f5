/** A disk that is nearly full: what comes in is refused, what goes out waits, pages say so, and all of it resumes by itself. */
import { expect, test, vi } from 'vitest'
import { testApp } from '../test/support/app.ts'
import { testDatabase } from '../test/support/database.ts'
import { fileOf, importWorld } from '../test/support/imports.ts'
import { importFile } from './events/events.ts'
import { type Loop, runLoops } from './loop.ts'
import { type Disk, GIB, watchDisk } from './platform/disk.ts'
import { sql } from './platform/postgres/sql.ts'

const FILE = '姓名,手机号\n张三,13812345678\n李四,13812345679\n'

let free = 3 * GIB
const db = await testDatabase()
const disk = await watchDisk(['/data'], {
  least: 2 * GIB,
  probe: async () => ({ free, share: 0.5 }),
  everyMs: 20,
})
const here = await testApp(db, { disk })
const owner = await here.as('owner')

/** Waits until the watch has seen it. */
async function setFree(bytes: number): Promise<void> {
  free = bytes
  await vi.waitFor(() => expect(disk.fullest()?.free).toBe(bytes))
}

function upload() {
  return owner('POST', '/api/imports?name=members.csv', FILE, { 'content-type': 'text/csv' })
}

async function stopped(): Promise<Record<string, string>> {
  const { body } = await owner('GET', '/api/home')
  const { stopped: all } = body as { stopped: { what: string; text: { en: string } }[] }
  return Object.fromEntries(all.map(({ what, text }) => [what, text.en]))
}

test('below two gigabytes an upload, a start and a receipt get 507 with what to do; a page still opens and says it', async () => {
  await setFree(3 * GIB)
  const taken = await upload()
  expect(taken.status).toBe(200)
  const { run } = taken.body as { run: { id: string } }
  expect(await stopped()).not.toHaveProperty('disk')

  await setFree(1.5 * GIB)
  const problem = {
    status: 507,
    body: { code: 'disk_full', message: expect.stringMatching(/Only 1\.5 GB are free.*Make room/) },
  }
  expect(await upload()).toMatchObject(problem)
  expect(await owner('POST', `/api/imports/${run.id}/check`)).toMatchObject(problem)
  expect(await owner('POST', `/api/imports/${run.id}/start`)).toMatchObject(problem)
  expect(await here.anonymous('POST', '/api/callbacks/sms/some-key', [])).toMatchObject(problem)
  expect((await owner('GET', `/api/imports/${run.id}`)).status).toBe(200)
  expect(await stopped()).toMatchObject({ disk: expect.stringContaining('imports, intake and sending wait') })

  await setFree(2 * GIB)
  expect((await owner('POST', `/api/imports/${run.id}/start`)).status).not.toBe(507)
  expect((await upload()).status).toBe(200)
  expect(await stopped()).not.toHaveProperty('disk')
})

test('what steps and sends stands still while there is no room, what catches up goes on, and both resume', async () => {
  const rounds = { sends: 0, catchesUp: 0 }
  const loop = (name: keyof typeof rounds, acts: boolean): Loop => ({
    name,
    acts,
    restMs: 5,
    async work() {
      rounds[name] += 1
      return 0
    },
  })
  await setFree(GIB)
  const stop = new AbortController()
  const { clock, log } = here.parts
  const running = runLoops(
    { db, clock, disk, log, metrics: here.app.metrics },
    [loop('sends', true), loop('catchesUp', false)],
    stop.signal,
  )
  await vi.waitFor(() => expect(rounds.catchesUp).toBeGreaterThan(5))
  expect(rounds.sends).toBe(0)
  await setFree(3 * GIB)
  await vi.waitFor(() => expect(rounds.sends).toBeGreaterThan(0))
  stop.abort()
  await running
})

test('an import under way stops between two chunks and goes on behind the last one when there is room', async () => {
  const world = await importWorld(db)
  const rows = Array.from(
    { length: 9000 },
    (_, n) => `D${n},139${String(n % 700).padStart(8, '0')},2025-01-02 10:00,9.50`,
  )
  const file = await fileOf(world, 'long.csv', `订单号,手机号,下单时间,实付金额\n${rows.join('\n')}\n`)
  const written = async () =>
    (await db.row<{ n: number }>(sql`select count(*)::int as n from document where source = 'till'`)).n
  let looks = 0
  const filling: Disk = {
    ...disk,
    // Full once the first chunk stands.
    trouble: () => {
      looks += 1
      return full ? 'Only 1 GB is left.' : undefined
    },
  }
  let full = false
  const given = { file, source: 'till', now: world.clock.now() }
  const running = importFile(
    { ...world, disk: filling },
    { ...given, onProgress: ({ stage }) => (full = stage === 'writing') },
  )
  await expect(running).rejects.toMatchObject({ code: 'disk_full' })
  const before = await written()
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThan(9000)
  expect(looks).toBeGreaterThan(1)
  await expect(importFile({ ...world, disk: filling }, given)).rejects.toMatchObject({ code: 'disk_full' })
  expect(await written()).toBe(before)

  const { run } = await importFile(world, given)
  expect(run.state).toBe('imported')
  expect(run.counts).toMatchObject({ read: 9000, accepted: 9000 })
  expect(await written()).toBe(9000)
})
