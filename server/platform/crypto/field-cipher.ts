/**
 * Encryption of fields: AES-256-GCM (NIST SP 800-38D) under a data key of the row's own, which is itself wrapped by the
 * master key. Whoever deletes the wrapped key ends the readability of everything sealed under it.
 *
 * Stored form, for wrapped keys and sealed values alike: version (1 byte) | nonce (12) | tag (16) | ciphertext.
 * The context (whose value it is) is authenticated: a sealed value moved to another row does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'

const VERSION = 1
const NONCE = 12
const TAG = 16
const KEY = 32
const HEAD = 1 + NONCE + TAG
/** Random bytes are drawn in one call for many rows: the call costs more than the bytes. */
const POOL = 1 << 16

/** Keys are key objects: a cipher made with bytes costs 32 µs here, with a key object 4 (Node 24.21). */
export type DataKey = { readonly wrapped: Buffer; readonly key: KeyObject }

export type FieldCipher = {
  /** A fresh data key for `context` ('profile:17'). */
  newKey(context: string): DataKey
  /** The data key out of its wrapped form. Throws `Unreadable` where master key, context or bytes do not fit. */
  unwrap(wrapped: Buffer, context: string): KeyObject
  seal(key: KeyObject, text: string, context: string): Buffer
  /** Throws `Unreadable` where key, context or bytes do not fit. */
  open(key: KeyObject, sealed: Buffer, context: string): string
  /** As `seal` and `open`, of bytes that are no text. */
  sealBytes(key: KeyObject, bytes: Buffer, context: string): Buffer
  openBytes(key: KeyObject, sealed: Buffer, context: string): Buffer
  /** What wraps the data keys, so that a thread of this process can open a cipher of its own. */
  readonly wrapping: KeyObject
}

/** The sealed bytes do not belong to this key and context, or were changed. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}

/** A cipher whose data keys are wrapped by `wrappingKey` (32 bytes, or the `wrapping` of another cipher). */
export function openFieldCipher(wrappingKey: Buffer | KeyObject): FieldCipher {
  const master = Buffer.isBuffer(wrappingKey) ? createSecretKey(wrappingKey) : wrappingKey
  if (master.symmetricKeySize !== KEY) throw new RangeError('a field cipher needs a key of 32 bytes')
  const random = randomPool()
  return {
    newKey(context) {
      const key = random(KEY)
      return { key: createSecretKey(key), wrapped: encrypt(master, key, context, random(NONCE)) }
    },
    unwrap: (wrapped, context) => createSecretKey(decrypt(master, wrapped, context)),
    seal: (key, text, context) => encrypt(key, Buffer.from(text, 'utf8'), context, random(NONCE)),
    open: (key, sealed, context) => decrypt(key, sealed, context).toString('utf8'),
    sealBytes: (key, bytes, context) => encrypt(key, bytes, context, random(NONCE)),
    openBytes: decrypt,
    wrapping: master,
  }
}

function encrypt(key: KeyObject, plain: Buffer, context: string, nonce: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context, 'utf8'))
  const body = cipher.update(plain)
  cipher.final()
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body])
}

function decrypt(key: KeyObject, sealed: Buffer, context: string): Buffer {
  if (sealed.length < HEAD || sealed[0] !== VERSION)
    throw new Unreadable('not a sealed value of this program')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE))
    decipher.setAAD(Buffer.from(context, 'utf8'))
    decipher.setAuthTag(sealed.subarray(1 + NONCE, HEAD))
    const plain = decipher.update(sealed.subarray(HEAD))
    // Judges the tag; a mode that counts (GCM) has given all its bytes before.
    decipher.final()
    return plain
  } catch {
    throw new Unreadable('the key or the context does not fit, or the bytes were changed')
  }
}

function randomPool(): (bytes: number) => Buffer {
  let pool = Buffer.alloc(0)
  return (bytes) => {
    if (pool.length < bytes) pool = randomFillSync(Buffer.alloc(POOL))
    const taken = Buffer.from(pool.subarray(0, bytes))
    pool = pool.subarray(bytes)
    return taken
  }
}
