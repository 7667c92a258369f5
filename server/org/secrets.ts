import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits as text; only its digest is stored. A plain hash is enough for what nobody can guess. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export function sameDigest(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
