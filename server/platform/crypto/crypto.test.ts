import { createHmac, randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { openBlindIndex } from './blind-index.ts'
import { openFieldCipher, Unreadable } from './field-cipher.ts'
import { KeyRefused, masterKey, openKeyring, printKey } from './master-key.ts'

const folder = await mkdtemp(join(tmpdir(), 'liuliang-key-'))
afterAll(() => rm(folder, { recursive: true }))

test('the blind index is HMAC-SHA256, cut to 16 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), fc.string(), (key, a, b) => {
      const expected = createHmac('sha256', key).update(`${a}\u0000${b}`).digest().subarray(0, 16)
      expect(openBlindIndex(Buffer.from(key)).digest(a, b).equals(expected)).toBe(true)
    }),
  )
})

test('what was sealed opens again, and only under its own key and context', () => {
  const cipher = openFieldCipher(randomBytes(32))
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { key, wrapped } = cipher.newKey('profile:1')
      const sealed = cipher.seal(key, text, 'profile:1')
      expect(cipher.open(cipher.unwrap(wrapped, 'profile:1'), sealed, 'profile:1')).toBe(text)
      expect(() => cipher.open(key, sealed, 'profile:2')).toThrow(Unreadable)
      expect(() => cipher.unwrap(wrapped, 'profile:2')).toThrow(Unreadable)
      expect(() => cipher.open(cipher.newKey('profile:1').key, sealed, 'profile:1')).toThrow(Unreadable)
    }),
    { numRuns: 50 },
  )
})

test('one changed bit makes a sealed value or a wrapped key unreadable', () => {
  const cipher = openFieldCipher(randomBytes(32))
  const { key, wrapped } = cipher.newKey('c')
  for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
    const changed = Buffer.from(wrapped)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => cipher.unwrap(changed, 'c')).toThrow(Unreadable)
  }
  const sealed = cipher.seal(key, '13800001234', 'c')
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => cipher.open(key, changed, 'c')).toThrow(Unreadable)
  }
})

test('the same text is never sealed to the same bytes', () => {
  const cipher = openFieldCipher(randomBytes(32))
  const { key } = cipher.newKey('c')
  const seen = new Set(Array.from({ length: 3000 }, () => cipher.seal(key, 'same', 'c').toString('hex')))
  expect(seen.size).toBe(3000)
})

test('the first start makes a key that only its owner can read, and the next finds it', async () => {
  const directory = join(folder, 'fresh')
  const first = await masterKey({ directory })
  const again = await masterKey({ directory })
  expect(first.created).toBe(true)
  expect(again.created).toBe(false)
  expect(again.key.equals(first.key)).toBe(true)
  expect((await stat(join(directory, 'master.key'))).mode & 0o777).toBe(0o600)
  expect(await readdir(directory)).toEqual(['master.key'])
})

test('two starts at once end with the same key', async () => {
  const directory = join(folder, 'race')
  const keys = await Promise.all(Array.from({ length: 6 }, () => masterKey({ directory })))
  expect(new Set(keys.map(({ key }) => printKey(key))).size).toBe(1)
  expect(keys.filter(({ created }) => created)).toHaveLength(1)
})

test('a key from the environment is taken in hex and in base64, and refused when short', async () => {
  const key = randomBytes(32)
  const directory = join(folder, 'given')
  expect((await masterKey({ given: key.toString('hex'), directory })).key.equals(key)).toBe(true)
  expect((await masterKey({ given: printKey(key), directory })).key.equals(key)).toBe(true)
  await expect(masterKey({ given: 'c2hvcnQ=', directory })).rejects.toThrow(KeyRefused)
})

test('a key file that others can read is refused', async () => {
  const directory = await mkdtemp(join(folder, 'open-'))
  await writeFile(join(directory, 'master.key'), printKey(randomBytes(32)))
  await chmod(join(directory, 'master.key'), 0o644)
  await expect(masterKey({ directory })).rejects.toThrow(/chmod 600/)
})

test('different master keys give different digests', () => {
  const digest = (): string =>
    openKeyring(randomBytes(32)).index.digest('phone', '', '+8613800001234').toString('hex')
  expect(digest()).not.toBe(digest())
})
