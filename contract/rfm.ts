/**
 * RFM: scores 1 to 5 by published cut points, and the named groups.
 *
 * Cut points are the quantiles 20, 40, 60 and 80 % of the base, type 7 (Hyndman and Fan 1996: linear between the two
 * nearest order statistics), plus one unit (a day, an order, one whole unit of the currency). The score is 1 + the
 * number of cut points that the value reaches; for recency, where less is better, 6 less that. Equal values have
 * equal scores, whatever their number. The groups are tried in order and the first that fits wins.
 */
import { z } from 'zod'
import type { Lang } from './lifecycle.ts'

const Cuts = z.tuple([z.number(), z.number(), z.number(), z.number()])
export type Cuts = z.infer<typeof Cuts>
/** `r` in days since the last purchase, `f` in purchases, `m` in cents. */
export const CutPoints = z.object({ r: Cuts, f: Cuts, m: Cuts })
export type CutPoints = z.infer<typeof CutPoints>

/** One unit of each measure, in the unit of its values. */
const UNIT = { r: 1, f: 1, m: 100 } as const
const SHARES = [0.2, 0.4, 0.6, 0.8] as const

/** Quantile type 7 of ascending values. NaN for none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = (sorted.length - 1) * share
  const below = Math.floor(place)
  const low = sorted[below] ?? Number.NaN
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN
  return low + (place - below) * (high - low)
}

/** Cut points of one measure; `sorted` ascending and not empty. */
export function cutsOf(sorted: ArrayLike<number>, measure: 'r' | 'f' | 'm'): Cuts {
  return cutsFrom(
    SHARES.map((share) => quantile(sorted, share)),
    measure,
  )
}

/** Cut points from the four quantiles. */
export function cutsFrom(quantiles: readonly number[], measure: 'r' | 'f' | 'm'): Cuts {
  const cut = (place: number): number => (quantiles[place] ?? Number.NaN) + UNIT[measure]
  return [cut(0), cut(1), cut(2), cut(3)]
}

export type RfmScores = { r: number; f: number; m: number }

/** Scores against a published table. `recencyDays` since the last purchase, `purchases`, `spentCents`. */
export function rfmScores(
  value: { recencyDays: number; purchases: number; spentCents: number },
  cuts: CutPoints,
): RfmScores {
  return {
    r: 5 - reached(value.recencyDays, cuts.r),
    f: 1 + reached(value.purchases, cuts.f),
    m: 1 + reached(value.spentCents, cuts.m),
  }
}

/** The next recency at which the score for it is another one; undefined when it is the last. */
export function nextRecencyCut(recencyDays: number, cuts: CutPoints): number | undefined {
  for (const cut of cuts.r) if (Math.ceil(cut) > recencyDays) return Math.ceil(cut)
  return undefined
}

function reached(value: number, cuts: Cuts): number {
  let count = 0
  for (const cut of cuts) if (value >= cut) count += 1
  return count
}

export const rfmGroups = [
  'champions',
  'potential_loyalist',
  'loyal_customers',
  'promising',
  'new_customers',
  'cannot_lose_them',
  'at_risk',
  'need_attention',
  'about_to_sleep',
  'lost',
  'others',
] as const
export const RfmGroup = z.enum(rfmGroups)
export type RfmGroup = z.infer<typeof RfmGroup>

type Span = readonly [number, number]
/** The groups in the order in which they are tried, each with the scores that it holds. */
export const rfmRules: readonly { group: RfmGroup; r: Span; f: Span; m: Span }[] = [
  { group: 'champions', r: [5, 5], f: [5, 5], m: [5, 5] },
  { group: 'potential_loyalist', r: [3, 5], f: [3, 5], m: [2, 5] },
  { group: 'loyal_customers', r: [2, 4], f: [2, 4], m: [2, 4] },
  { group: 'promising', r: [3, 4], f: [1, 3], m: [3, 5] },
  { group: 'new_customers', r: [4, 5], f: [1, 3], m: [1, 5] },
  { group: 'cannot_lose_them', r: [1, 2], f: [3, 4], m: [4, 5] },
  { group: 'at_risk', r: [1, 2], f: [2, 5], m: [4, 5] },
  { group: 'need_attention', r: [1, 3], f: [3, 5], m: [3, 5] },
  { group: 'about_to_sleep', r: [2, 3], f: [1, 3], m: [1, 4] },
  { group: 'lost', r: [1, 1], f: [1, 5], m: [1, 5] },
]

/** The first group whose three spans hold the scores; 'others' where none does. */
export function rfmGroupOf({ r, f, m }: RfmScores): RfmGroup {
  const within = (score: number, [low, high]: Span): boolean => score >= low && score <= high
  return (
    rfmRules.find((rule) => within(r, rule.r) && within(f, rule.f) && within(m, rule.m))?.group ?? 'others'
  )
}

const names: Readonly<Record<RfmGroup, Readonly<Record<Lang, string>>>> = {
  champions: { zh: '冠军客户', en: 'Champions' },
  potential_loyalist: { zh: '潜力忠诚客户', en: 'Potential Loyalist' },
  loyal_customers: { zh: '忠诚客户', en: 'Loyal Customers' },
  promising: { zh: '有希望的客户', en: 'Promising' },
  new_customers: { zh: '新客户', en: 'New Customers' },
  cannot_lose_them: { zh: '不能流失的客户', en: "Can't Lose Them" },
  at_risk: { zh: '有流失风险的客户', en: 'At Risk' },
  need_attention: { zh: '需要关注的客户', en: 'Need Attention' },
  about_to_sleep: { zh: '即将沉睡的客户', en: 'About To Sleep' },
  lost: { zh: '已流失客户', en: 'Lost' },
  others: { zh: '其他', en: 'Others' },
}

export const rfmGroupName = (group: RfmGroup, lang: Lang): string => names[group][lang]
