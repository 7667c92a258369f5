import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { Gathered } from '../platform/clickhouse/gathered.ts'
import { uuidText } from '../platform/clickhouse/native.ts'
import { inOrder } from './person-order.ts'

const aRow = fc.record({
  person: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(7, 536_870_912, 536_870_913)),
  moment: fc.integer({ min: 0, max: 4 }),
  words: fc.tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.integer({ min: 0, max: 2 }),
    fc.nat(),
    fc.constant(2 ** 32 - 1),
  ),
  version: fc.integer({ min: 1, max: 3 }),
})

test('rows stand by person, time, id as text and version, however they came and however far persons lie apart', () => {
  const many = fc.array(aRow, { minLength: 120, maxLength: 200 })
  fc.assert(
    fc.property(fc.oneof(fc.array(aRow), many), (rows) => {
      const columns = new Gathered(
        rows.length,
        new Map<string, Float64Array | Uint32Array>([
          ['person', Float64Array.from(rows, ({ person }) => person)],
          ['moment', Float64Array.from(rows, ({ moment }) => moment)],
          ['id', Uint32Array.from(rows.flatMap(({ words }) => words))],
        ]),
      )
      const versions = rows.map(({ version }) => version)
      const shown = (place: number): (number | string)[] => {
        const { person, moment, version } = rows[place] as (typeof rows)[number]
        return [person, moment, uuidText(columns.words('id'), place), version, place]
      }
      const sorted = rows
        .map((_, place) => shown(place))
        .sort((left, right) => {
          for (let part = 0; part < left.length; part += 1) {
            const [one, other] = [left[part] as number, right[part] as number]
            if (one !== other) return one < other ? -1 : 1
          }
          return 0
        })
      const order = inOrder(columns, (left, right) => (versions[left] ?? 0) - (versions[right] ?? 0))
      expect([...order].map(shown)).toEqual(sorted)
    }),
  )
})
