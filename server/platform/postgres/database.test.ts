import pg from 'pg'
import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { readInstant } from './database.ts'

/** As the driver reads it. */
const usual = pg.types.getTypeParser(pg.types.builtins.TIMESTAMP)

test('an instant is read as the driver reads it, whatever its form', () => {
  const texts = [
    '2026-03-01 02:00:00+00',
    '2026-03-01 02:00:00.1+00',
    '2026-03-01 02:00:00.123+00',
    '2026-03-01 02:00:00.123456+00',
    '1970-01-01 00:00:00+00',
    '0044-03-15 12:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    '20260-03-01 02:00:00+00',
    '2026-03-01 02:00:00+08',
    'infinity',
    '-infinity',
  ]
  for (const text of texts) expect(readInstant(text), text).toEqual(usual(text))
})

test('every instant comes back to the millisecond', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      (at) => {
        const text = at.toISOString().replace('T', ' ').replace('Z', '+00')
        expect(readInstant(text)).toEqual(at)
      },
    ),
  )
})
