import { expect, test } from 'vitest'
import { keepAnswer } from './kept-answer.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1) + seconds * 1000)

test('whoever asks the same meanwhile or shortly after gets the one answer, and later a new one', async () => {
  const ask = keepAnswer<number>(10_000)
  const first = Promise.withResolvers<number>()
  let made = 0
  const make = () => (++made === 1 ? first.promise : Promise.resolve(made))
  const waiting = [ask('a', at(0), make), ask('a', at(60), make)]
  expect(made).toBe(1)
  first.resolve(1)
  expect(await Promise.all(waiting)).toEqual([1, 1])
  expect(await ask('a', at(9.9), make)).toBe(1)
  expect(await ask('a', at(10), make)).toBe(2)
  expect(await ask('b', at(10), make)).toBe(3)
  // Taken back by an hour.
  expect(await ask('b', at(-3600), make)).toBe(4)
})

test('a fault is not kept', async () => {
  const ask = keepAnswer<string>(10_000)
  await expect(ask('a', at(0), () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await ask('a', at(0), async () => 'here')).toBe('here')
})
