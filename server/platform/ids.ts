import { hash, randomBytes } from 'node:crypto'

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of `at` in ms, then random. Sorts by time. */
export function newId(at: Date): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(at.getTime(), 0, 6)
  return format(bytes, 7)
}

/**
 * A stable id of what `parts` name, for effects that must happen once: the same parts give the same id.
 * UUIDv8 (RFC 9562 section 5.8) over SHA-256.
 */
export function idOf(...parts: readonly (string | number)[]): string {
  // A one-shot hash costs a third of what createHash does, and every event that comes in is named so.
  return format(Buffer.from(hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32), 'hex'), 8)
}

function format(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
