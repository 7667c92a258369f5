/**
 * The master key: 32 bytes, given by the environment (base64 or hex) or kept in the data directory.
 * Always true: the file is readable by its owner only and is written whole before it has its name, so a crash leaves
 * either no key or a whole one; two starts at once end with the same key. It is in no backup: print it once.
 */
import { hkdfSync, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlindIndex, openBlindIndex } from './blind-index.ts'
import { type FieldCipher, openFieldCipher } from './field-cipher.ts'

const FILE = 'master.key'
const BYTES = 32

/** Everything that is derived from the master key. */
export type Keyring = { readonly cipher: FieldCipher; readonly index: BlindIndex }

/** The key is no key, or others may read it: one sentence that says what to do. */
export class KeyRefused extends Error {
  override name = 'KeyRefused'
}

/**
 * The master key: `given` (64 hex digits or base64 of 32 bytes) where it is set, else the file `master.key` in
 * `directory`, created with mode 0600 on the first start. `created` says that it is new and should be kept safe.
 */
export async function masterKey(from: {
  given?: string | undefined
  directory: string
}): Promise<{ key: Buffer; created: boolean }> {
  if (from.given !== undefined && from.given !== '') return { key: parse(from.given), created: false }
  await mkdir(from.directory, { recursive: true, mode: 0o700 })
  const path = join(from.directory, FILE)
  const present = await read(path)
  if (present) return { key: present, created: false }
  const created = await create(path)
  const key = await read(path)
  if (!key) throw new KeyRefused(`The key file ${FILE} vanished while it was being written. Start again.`)
  return { key, created }
}

/** The keys for each use, derived by HKDF-SHA256 (RFC 5869), so that no use can tell anything about another. */
export function openKeyring(key: Buffer): Keyring {
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', key, 'liuliang', use, BYTES))
  return { cipher: openFieldCipher(derive('wrap')), index: openBlindIndex(derive('index')) }
}

/** How a key is written for people and for the environment. */
export function printKey(key: Buffer): string {
  return key.toString('base64')
}

function parse(text: string): Buffer {
  const trimmed = text.trim()
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64')
  if (key.length !== BYTES) {
    throw new KeyRefused('The master key must be 32 bytes, written as 64 hex digits or as base64.')
  }
  return key
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0) {
      throw new KeyRefused(
        `Others may read ${FILE}. Close it first: chmod 600 ${FILE} in the data directory.`,
      )
    }
    return parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** False where another start was faster. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600)
  try {
    await file.writeFile(`${printKey(randomBytes(BYTES))}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(draft, 0o600)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(draft)
  }
}
