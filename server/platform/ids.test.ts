import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { idOf, newId } from './ids.ts'

test('a new id tells its time, is a UUIDv7, and never the same', () => {
  const at = new Date('2026-03-01T02:00:00.123Z')
  const ids = Array.from({ length: 5000 }, () => newId(at))
  expect(new Set(ids).size).toBe(5000)
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at.getTime())
  }
})

test('an id of parts is a UUIDv8 of their SHA-256, the same for ever', () => {
  const bytes = createHash('sha256')
    .update(JSON.stringify(['order', 'erp', 17]))
    .digest()
    .subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  expect(idOf('order', 'erp', 17).replaceAll('-', '')).toBe(bytes.toString('hex'))
  expect(idOf('order', 'erp', 17)).toMatch(/^\w{8}-\w{4}-8\w{3}-[89ab]\w{3}-\w{12}$/)
  expect(idOf('a', 'b')).not.toBe(idOf('a,b'))
})
