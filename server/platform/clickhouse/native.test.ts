import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { nativeBlocks, uuidText } from './native.ts'

async function* cut(bytes: Buffer, at: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0
  for (const end of [...new Set(at)].sort((a, b) => a - b)) {
    yield bytes.subarray(from, end)
    from = end
  }
  yield bytes.subarray(from)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(bytes.length), bytes])
}

type Row = { name: string; amount: number; id: string; size: number | null }

function blockOf(rows: readonly Row[]): Buffer {
  const column = (name: string, type: string, values: readonly Buffer[]): Buffer =>
    Buffer.concat([text(name), text(type), ...values])
  const half = (hex: string): Buffer => Buffer.from(hex, 'hex').reverse()
  return Buffer.concat([
    varint(4),
    varint(rows.length),
    column(
      'name',
      'String',
      rows.map((row) => text(row.name)),
    ),
    column('amount', 'Float64', [Buffer.from(Float64Array.from(rows, (row) => row.amount).buffer)]),
    column(
      'id',
      'UUID',
      rows.flatMap(({ id }) => {
        const hex = id.replaceAll('-', '')
        return [half(hex.slice(0, 16)), half(hex.slice(16))]
      }),
    ),
    column('size', 'Nullable(Int32)', [
      Buffer.from(rows.map((row) => (row.size === null ? 1 : 0))),
      Buffer.from(Int32Array.from(rows, (row) => row.size ?? 0).buffer),
    ]),
  ])
}

const aRow = fc.record({
  name: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.constantFrom('', '𠮷', '<script>', 'pos'),
  ),
  amount: fc.double({ noNaN: true }),
  id: fc.uuid(),
  size: fc.option(fc.integer()),
})

async function all<T>(answer: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of answer) found.push(one)
  return found
}

test('columns come out whole, wherever the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(aRow, { maxLength: 12 }), { maxLength: 4 }),
      fc.array(fc.nat(3000)),
      async (blocks, at) => {
        const bytes = Buffer.concat(blocks.map(blockOf))
        const seen: Row[] = []
        const pieces = cut(
          bytes,
          at.map((each) => Math.min(each, bytes.length)),
        )
        for await (const { rows, names, columns } of nativeBlocks(pieces)) {
          expect(names).toEqual(['name', 'amount', 'id', 'size'])
          const [name, amount, id, size] = columns as [
            string[],
            Float64Array,
            { words: Uint32Array },
            { absent: Uint8Array; values: Int32Array },
          ]
          for (let row = 0; row < rows; row += 1) {
            seen.push({
              name: name[row] ?? 'none',
              amount: amount[row] ?? Number.NaN,
              id: uuidText(id.words, row),
              size: size.absent[row] === 1 ? null : (size.values[row] ?? null),
            })
          }
        }
        expect(seen).toEqual(blocks.flat())
      },
    ),
  )
})

test('an answer that breaks off is an error, and so is a column of a type that nobody asked for', async () => {
  const whole = blockOf([{ name: 'one', amount: 1, id: '01890000-0000-7000-8000-000000000001', size: null }])
  for (let end = 1; end < whole.length; end += 1) {
    const reading = all(nativeBlocks(cut(whole.subarray(0, end), [])))
    await expect(reading).rejects.toThrow('the answer broke off')
  }
  const unknown = Buffer.concat([varint(1), varint(1), text('x'), text('Array(Int32)'), Buffer.alloc(12)])
  await expect(all(nativeBlocks(cut(unknown, [])))).rejects.toThrow('Array(Int32)')
})
