import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fc } from '../test/support/fast-check.ts'
import { isAbsent, sharedData } from '../test/support/shared-data.ts'
import { cutsOf, nextRecencyCut, quantile, rfmGroupName, rfmGroupOf, rfmGroups, rfmScores } from './rfm.ts'

test('quantiles are those of type 7', () => {
  expect(quantile([1, 2, 3, 4], 0.2)).toBeCloseTo(1.6)
  expect(quantile([10], 0.8)).toBe(10)
  expect(quantile([1, 1, 1, 9], 0.6)).toBeCloseTo(1)
})

test('equal values have equal scores, and a greater value never a smaller one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }), (values) => {
      const sorted = [...values].sort((left, right) => left - right)
      const cuts = { r: cutsOf(sorted, 'r'), f: cutsOf(sorted, 'f'), m: cutsOf(sorted, 'm') }
      const scores = sorted.map((value) =>
        rfmScores({ recencyDays: value, purchases: value, spentCents: value }, cuts),
      )
      scores.forEach((score, place) => {
        const before = scores[place - 1]
        if (!before) return
        expect(score.f).toBeGreaterThanOrEqual(before.f)
        expect(score.m).toBeGreaterThanOrEqual(before.m)
        expect(score.r).toBeLessThanOrEqual(before.r)
        if (sorted[place] === sorted[place - 1]) expect(score).toEqual(before)
      })
    }),
  )
})

test('the score for recency falls at the next cut and not before', () => {
  const cuts = { r: [31, 61.5, 121, 301], f: [1, 2, 3, 4], m: [1, 2, 3, 4] } as const
  const score = (days: number) =>
    rfmScores({ recencyDays: days, purchases: 1, spentCents: 1 }, cuts as never).r
  for (let days = 0; days < 320; days += 1) {
    const next = nextRecencyCut(days, cuts as never)
    for (let day = days; day < Math.min(next ?? 400, days + 400); day += 1)
      expect(score(day)).toBe(score(days))
    if (next !== undefined) expect(score(next)).toBe(score(days) - 1)
  }
})

test('every combination of scores has one group, and every group a Chinese name', () => {
  const seen = new Set<string>()
  for (let r = 1; r <= 5; r += 1) {
    for (let f = 1; f <= 5; f += 1) for (let m = 1; m <= 5; m += 1) seen.add(rfmGroupOf({ r, f, m }))
  }
  for (const group of seen) expect(rfmGroups).toContain(group)
  for (const group of rfmGroups) expect(rfmGroupName(group, 'zh')).toMatch(/\p{Script=Han}/u)
})

describe.skipIf(isAbsent('rfm_reference'))('against the published table', () => {
  const folder = sharedData('rfm_reference')
  const text = folder === undefined ? '' : readFileSync(`${folder}/published_order_level_scores.csv`, 'utf8')
  const [, ...lines] = text.trim().split('\n')
  const rows = lines.map((line) => {
    const fields = line.split(',')
    const [orders, recency, spend, r, f, m] = fields.slice(-6).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const segment = fields.at(-8) ?? ''
    return { segment, orders, recency, spend, r, f, m }
  })

  test('scores and groups are the same, row by row', () => {
    expect(rows.length).toBe(995)
    const ascending = (values: number[]) => values.sort((left, right) => left - right)
    const cuts = {
      r: cutsOf(ascending(rows.map((row) => row.recency)), 'r'),
      f: cutsOf(ascending(rows.map((row) => row.orders)), 'f'),
      m: cutsOf(ascending(rows.map((row) => row.spend * 100)), 'm'),
    }
    for (const row of rows) {
      const scores = rfmScores(
        { recencyDays: row.recency, purchases: row.orders, spentCents: row.spend * 100 },
        cuts,
      )
      expect(scores).toEqual({ r: row.r, f: row.f, m: row.m })
      expect(rfmGroupName(rfmGroupOf(scores), 'en')).toBe(row.segment)
    }
  })
})
