import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isDiskFull, openDataDirectory, runningAddress, spaceOf } from './data-directory.ts'
import { StartRefused } from './start-refused.ts'

const HOLDER = fileURLToPath(new URL('../../test/support/hold-directory.ts', import.meta.url))
let place: string

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'liuliang-data-'))
})

afterEach(async () => {
  await rm(place, { recursive: true, force: true })
})

async function refusal(path: string, options?: { leastFreeBytes: number }): Promise<string> {
  const error = await openDataDirectory(path, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StartRefused)
  return (error as StartRefused).message
}

test('a directory keeps its id, and its keys are for the owner alone', async () => {
  const first = await openDataDirectory(join(place, 'a/b'))
  expect(first.fresh).toBe(true)
  expect((await stat(first.keys)).mode & 0o777).toBe(0o700)
  await first.release()

  const second = await openDataDirectory(join(place, 'a/b'))
  expect(second).toMatchObject({ id: first.id, fresh: false, path: first.path })
  await second.release()
})

test('a second start with the same directory is told who runs, in this process too', async () => {
  const held = await openDataDirectory(place)
  await held.announce('http://127.0.0.1:7300')
  expect(await refusal(place)).toBe(
    `Liuliang is already running with the data directory ${held.path} (process ${process.pid}, http://127.0.0.1:7300). Stop it first, or set LIULIANG_DATA to another folder.`,
  )
  expect(await runningAddress(place)).toBe('http://127.0.0.1:7300')
  await held.release()
  expect(await runningAddress(place)).toBeUndefined()
})

test('the lock ends with the process that held it, whatever it leaves behind', async () => {
  const holder = spawn(process.execPath, [HOLDER, place], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  expect(await refusal(place)).toContain(`(process ${holder.pid}`)

  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const next = await openDataDirectory(place)
  expect(next.fresh).toBe(false)
  await next.release()
})

test('a folder of somebody else, a damaged and a newer one are refused in one sentence each', async () => {
  await writeFile(join(place, 'holiday.jpg'), '')
  expect(await refusal(place)).toContain('holds files but no liuliang.json')
  await writeFile(join(place, 'liuliang.json'), '{"format":')
  expect(await refusal(place)).toContain('liuliang.json is damaged')
  await writeFile(join(place, 'liuliang.json'), 'null')
  expect(await refusal(place)).toContain('liuliang.json is damaged')
  await writeFile(join(place, 'liuliang.json'), '{"format":2,"id":"x"}')
  expect(await refusal(place)).toContain('written by a newer Liuliang (format 2, this one reads 1)')
  await writeFile(join(place, 'file'), '')
  expect(await refusal(join(place, 'file'))).toContain('it is a file, not a folder')
  expect(await refusal(join(place, 'file', 'below'))).toContain('it is a file, not a folder')
})

test('a disk that is nearly full is refused with what is free and what is needed', async () => {
  const { free } = await spaceOf(place)
  expect(await refusal(place, { leastFreeBytes: free * 2 })).toMatch(
    /^Only \d+ MB are free on the disk that holds .*; Liuliang needs \d+ MB to start/,
  )
  expect(isDiskFull(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe(true)
  expect(isDiskFull(new Error('x'))).toBe(false)
})

test.skipIf(process.getuid?.() === 0)('a folder that this user may not write is refused', async () => {
  await mkdir(join(place, 'closed'))
  await chmod(join(place, 'closed'), 0o500)
  expect(await refusal(join(place, 'closed', 'data'))).toContain('this user may not write there')
  expect(await refusal(join(place, 'closed'))).toContain('this user may not write there')
})
