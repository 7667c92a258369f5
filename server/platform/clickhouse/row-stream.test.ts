import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { exceptionBlock } from './engine/exception.ts'
import { rowBatches } from './row-stream.ts'

async function* cut(bytes: Buffer, at: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0
  for (const end of [...new Set(at)].sort((a, b) => a - b)) {
    yield bytes.subarray(from, end)
    from = end
  }
  yield bytes.subarray(from)
}

test('rows come out whole, wherever the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer(), fc.string({ unit: 'grapheme' }))),
      fc.array(fc.nat(400)),
      async (rows, at) => {
        const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
        const seen: unknown[] = []
        for await (const batch of rowBatches(
          cut(
            bytes,
            at.map((each) => Math.min(each, bytes.length)),
          ),
          'tag',
        ))
          seen.push(...batch)
        expect(seen).toEqual(rows)
      },
    ),
  )
})

test('an exception in the stream is thrown with its code, wherever it is cut', async () => {
  const text =
    'Code: 395. DB::Exception: Value passed to throwIf\nis non-zero. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26)'
  const bytes = Buffer.concat([Buffer.from('[1]\n[2]\n'), exceptionBlock(text, 'abcdef')])
  for (let at = 1; at < bytes.length; at += 1) {
    const read = async () => {
      for await (const _ of rowBatches(cut(bytes, [at]), 'abcdef'));
    }
    await expect(read()).rejects.toMatchObject({ code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' })
  }
})
