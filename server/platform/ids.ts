import { hash, randomFillSync } from 'node:crypto'

const RANDOM_BYTES = 10
/** Random bytes are drawn in one call for many ids: the call costs more than the bytes. */
const POOL = RANDOM_BYTES * 512
let pool = ''

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of `at` in ms, then random. Sorts by time. */
export function newId(at: Date): string {
  if (pool === '') pool = randomFillSync(Buffer.allocUnsafe(POOL)).toString('hex')
  const random = pool.slice(0, RANDOM_BYTES * 2)
  pool = pool.slice(RANDOM_BYTES * 2)
  return format(at.getTime().toString(16).padStart(12, '0') + random, '7')
}

/**
 * A stable id of what `parts` name, for effects that must happen once: the same parts give the same id.
 * UUIDv8 (RFC 9562 section 5.8) over SHA-256.
 */
export function idOf(...parts: readonly (string | number)[]): string {
  return format(hash('sha256', JSON.stringify(parts), 'hex'), '8')
}

/** The first 128 bits of `hex` with version and variant in their places. */
function format(hex: string, version: string): string {
  const variant = VARIANT[Number.parseInt(hex.charAt(16), 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const VARIANT = ['8', '9', 'a', 'b']
