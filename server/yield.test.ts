import { expect, test } from 'vitest'
import { yieldTo } from './yield.ts'

const never = new AbortController().signal

/** How often the doors are looked at before it goes on. */
async function looks(crowded: (look: number) => boolean, took: number, signal = never): Promise<number> {
  let asked = 0
  await yieldTo(
    () => {
      asked += 1
      return crowded(asked)
    },
    { took, signal },
  )
  return asked
}

test('a rest ends when the doors have been at ease three times in a row, however long the round took', async () => {
  expect(await looks(() => false, 10_000)).toBe(3)
  expect(await looks((look) => look === 2, 10_000)).toBe(5)
})

test('while the doors stay crowded it ends by itself', async () => {
  const few = await looks(() => true, 0)
  expect(few).toBeGreaterThan(0)
  expect(few).toBeLessThanOrEqual(6)
})

test('who is told to stop does not rest', async () => {
  const stopping = new AbortController()
  stopping.abort()
  expect(await looks(() => true, 10_000, stopping.signal)).toBe(0)
})
