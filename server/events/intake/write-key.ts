import { randomBytes } from 'node:crypto'

/** 32 letters and digits that name a source to the doors. It is no secret: it stands in every page. */
export function newWriteKey(): string {
  return randomBytes(24).toString('base64url').replaceAll('-', 'a').replaceAll('_', 'b')
}
