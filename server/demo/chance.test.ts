import { describe, expect, test } from 'vitest'
import { Chance } from './chance.ts'

const N = 40_000
const draws = (draw: (chance: Chance) => number): number[] => {
  const chance = new Chance('distributions')
  return Array.from({ length: N }, () => draw(chance))
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const variance = (values: readonly number[]): number => {
  const middle = mean(values)
  return mean(values.map((value) => (value - middle) ** 2))
}
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

describe('chance', () => {
  test('the same seed draws the same, another seed does not', () => {
    const first = (...seed: (string | number)[]) =>
      Array.from(
        { length: 5 },
        (
          (chance) => () =>
            chance.next()
        )(new Chance(...seed)),
      )
    expect(first('a', 1)).toEqual(first('a', 1))
    expect(first('a', 1)).not.toEqual(first('a', 2))
    expect(first('a', 1)).not.toEqual(first('a1'))
  })

  test('uniform lies in [0, 1) with mean 1/2 and variance 1/12', () => {
    const values = draws((chance) => chance.next())
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(mean(values)).toBeCloseTo(0.5, 2)
    expect(variance(values)).toBeCloseTo(1 / 12, 2)
  })

  test('exponential has mean 1/rate and variance 1/rate²', () => {
    const values = draws((chance) => chance.exponential(2))
    expect(mean(values)).toBeCloseTo(0.5, 1)
    expect(variance(values)).toBeCloseTo(0.25, 1)
  })

  test.each([
    [0.6, 2],
    [3, 1.5],
  ])('gamma with shape %f and rate %f has mean shape/rate and variance shape/rate²', (shape, rate) => {
    const values = draws((chance) => chance.gamma(shape, rate))
    expect(mean(values) / (shape / rate)).toBeCloseTo(1, 1)
    expect(variance(values) / (shape / rate ** 2)).toBeCloseTo(1, 0)
  })

  test('log-normal has the median that was asked for', () => {
    const values = draws((chance) => chance.logNormal(40, 1.1))
    expect(median(values) / 40).toBeCloseTo(1, 1)
    expect(Math.sqrt(variance(values.map(Math.log)))).toBeCloseTo(1.1, 1)
  })

  test('poisson has mean and variance alike', () => {
    const values = draws((chance) => chance.poisson(3.5))
    expect(mean(values) / 3.5).toBeCloseTo(1, 1)
    expect(variance(values) / 3.5).toBeCloseTo(1, 1)
  })
})
