import { expect, test } from 'vitest'
import { configFile, defaultMemoryBytes } from './engine/config-file.ts'
import { checkPlatform } from './engine.ts'

const GiB = 2 ** 30

test('where the engine cannot run, one sentence says what to do', () => {
  const machine = { platform: 'linux', arch: 'x64', glibc: true }
  expect(checkPlatform(machine)).toBeUndefined()
  expect(checkPlatform({ ...machine, platform: 'darwin', glibc: false, arch: 'arm64' })).toBeUndefined()
  expect(checkPlatform({ ...machine, glibc: false })).toMatch(/needs glibc; Alpine.*CLICKHOUSE_URL/)
  expect(checkPlatform({ ...machine, platform: 'win32' })).toMatch(/Windows.*WSL2/)
  expect(checkPlatform({ ...machine, platform: 'freebsd' })).toMatch(/freebsd/)
  expect(checkPlatform({ ...machine, arch: 'riscv64' })).toMatch(/riscv64/)
})

test('it takes 30 % of the machine, at most 4 GiB, at least 512 MiB', () => {
  expect(defaultMemoryBytes(64 * GiB)).toBe(4 * GiB)
  expect(defaultMemoryBytes(10 * GiB)).toBe(3 * GiB)
  expect(defaultMemoryBytes(1 * GiB)).toBe(GiB / 2)
})

test('a folder’s name cannot change the configuration', () => {
  const text = configFile({ store: '/s', temporary: '/a&b/<x>', backup: '/b</allowed_path>' }, GiB)
  expect(text).toContain('<tmp_path>/a&amp;b/&lt;x&gt;/</tmp_path>')
  expect(text).toContain('<allowed_path>/b&lt;/allowed_path&gt;</allowed_path>')
})
