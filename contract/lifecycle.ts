/**
 * Life cycle and the other states that follow from purchases, joining and contact: codes, names and edges.
 * Everything counts whole days of the brand's zone: d is the difference of two dates.
 *
 * active d < a; silent a ≤ d < b; near-sleep b ≤ d < c; hibernating c ≤ d ≤ e; lost d > e, by default 90, 180, 365, 730.
 * Day 730 belongs to hibernating: the only hard word of the method is "more than 730".
 * Whoever never bought has the same edges by days since joining.
 */
import { z } from 'zod'

export type Lang = 'zh' | 'en'
type Names = Readonly<Record<Lang, string>>

export const boughtStates = ['active', 'silent', 'near_sleep', 'hibernating', 'lost'] as const
export const neverStates = ['never_1', 'never_2', 'never_3', 'never_4', 'never_5', 'never_undated'] as const
export const lifecycleStates = [...boughtStates, ...neverStates] as const
export const LifecycleState = z.enum(lifecycleStates)
export type LifecycleState = z.infer<typeof LifecycleState>

/** [silent from, near-sleep from, hibernating from, lost above], in days. */
export const Edges = z
  .tuple([z.int().min(1), z.int(), z.int(), z.int().max(36_500)])
  .refine(([a, b, c, d]) => a < b && b < c && c < d, 'edges must grow')
export type Edges = z.infer<typeof Edges>
export const defaultEdges: Edges = [90, 180, 365, 730]

/** Edges of the brand and of the categories that differ from it. */
export type Bands = { readonly brand: Edges; readonly categories: Readonly<Record<string, Edges>> }

/** The edges that hold for a category. */
export function edgesOf(bands: Bands, category?: string): Edges {
  return (category === undefined ? undefined : bands.categories[category]) ?? bands.brand
}

/** Which of the five bands `days` lies in, 0 (active) to 4 (lost). A negative count (the future) is active. */
export function bandOf(days: number, edges: Edges): 0 | 1 | 2 | 3 | 4 {
  if (days > edges[3]) return 4
  if (days >= edges[2]) return 3
  if (days >= edges[1]) return 2
  return days >= edges[0] ? 1 : 0
}

/** The next count of days at which the band is another one; undefined in the last band. */
export function nextEdge(days: number, edges: Edges): number | undefined {
  const [a, b, c, d] = edges
  if (days < a) return a
  if (days < b) return b
  if (days < c) return c
  return days < d + 1 ? d + 1 : undefined
}

/** The state by days since the last purchase, else by days since joining; null where there is no such day. */
export function lifecycleOf(
  sincePurchase: number | null,
  sinceJoining: number | null,
  edges: Edges,
): LifecycleState {
  if (sincePurchase !== null) return boughtStates[bandOf(sincePurchase, edges)]
  return sinceJoining === null ? 'never_undated' : neverStates[bandOf(sinceJoining, edges)]
}

const lifecycleNames: Readonly<Record<LifecycleState, Names>> = {
  active: { zh: '活跃会员', en: 'Active' },
  silent: { zh: '沉默会员', en: 'Silent' },
  near_sleep: { zh: '濒临睡眠会员', en: 'Near sleep' },
  hibernating: { zh: '休眠会员', en: 'Hibernating' },
  lost: { zh: '流失会员', en: 'Lost' },
  never_1: { zh: '无消费会员', en: 'Never bought' },
  never_2: { zh: '无消费会员', en: 'Never bought' },
  never_3: { zh: '无消费会员', en: 'Never bought' },
  never_4: { zh: '无消费会员', en: 'Never bought' },
  never_5: { zh: '无消费会员', en: 'Never bought' },
  never_undated: { zh: '无消费会员(入会时间未知)', en: 'Never bought (joining date unknown)' },
}

/** The name for people; for those who never bought with the days since joining, as the edges stand. */
export function lifecycleName(state: LifecycleState, lang: Lang, edges: Edges = defaultEdges): string {
  const name = lifecycleNames[state][lang]
  const band = neverStates.indexOf(state as (typeof neverStates)[number])
  if (band < 0 || state === 'never_undated') return name
  const span = daysText(band, edges, lang)
  return lang === 'zh' ? `${name}(注册${span})` : `${name} (joined ${span} ago)`
}

/** The span of a band as text: '90–179 天', '> 730 days'. */
export function daysText(band: number, edges: Edges, lang: Lang): string {
  const unit = lang === 'zh' ? '天' : 'days'
  const [a, b, c, d] = edges
  return (
    [
      `< ${a} ${unit}`,
      `${a}–${b - 1} ${unit}`,
      `${b}–${c - 1} ${unit}`,
      `${c}–${d} ${unit}`,
      `> ${d} ${unit}`,
    ][band] ?? ''
  )
}

/** By the member's own interval: the bands scaled to the median number of days between two purchases. */
export const ownCycleStates = [...boughtStates, 'unknown'] as const
export const OwnCycleState = z.enum(ownCycleStates)
export type OwnCycleState = z.infer<typeof OwnCycleState>

/**
 * Edges in multiples of the median gap. Half of all gaps are longer than the median, so the first edge is twice it;
 * from there each doubles, as the fixed bands do.
 */
export const OWN_CYCLE_MULTIPLES = [2, 4, 8, 16] as const

/** The person's own edges; undefined where there are fewer than two days with a purchase. */
export function ownEdges(medianGapDays: number | null): Edges | undefined {
  if (medianGapDays === null) return undefined
  const gap = Math.max(1, medianGapDays)
  const [a, b, c, d] = OWN_CYCLE_MULTIPLES
  return [Math.ceil(a * gap), Math.ceil(b * gap), Math.ceil(c * gap), Math.ceil(d * gap)]
}

export function ownCycleOf(sincePurchase: number | null, medianGapDays: number | null): OwnCycleState {
  const edges = ownEdges(medianGapDays)
  return edges === undefined || sincePurchase === null
    ? 'unknown'
    : boughtStates[bandOf(sincePurchase, edges)]
}

/** The middle of the gaps, in days; null for fewer than two distinct days. `days` ascending. */
export function medianGap(days: readonly number[]): number | null {
  const gaps: number[] = []
  for (let index = 1; index < days.length; index += 1) {
    const gap = (days[index] ?? 0) - (days[index - 1] ?? 0)
    if (gap > 0) gaps.push(gap)
  }
  if (gaps.length === 0) return null
  if (gaps.length > 1) ascend(gaps)
  const middle = gaps.length >> 1
  return gaps.length % 2 === 1 ? (gaps[middle] ?? 0) : ((gaps[middle - 1] ?? 0) + (gaps[middle] ?? 0)) / 2
}

/** Most have few: then this is faster than a comparing sort. */
function ascend(gaps: number[]): void {
  if (gaps.length > 24) {
    gaps.sort((left, right) => left - right)
    return
  }
  for (let place = 1; place < gaps.length; place += 1) {
    const gap = gaps[place] ?? 0
    let at = place
    for (; at > 0 && (gaps[at - 1] ?? 0) > gap; at -= 1) gaps[at] = gaps[at - 1] ?? 0
    gaps[at] = gap
  }
}

/** By number of purchases: 新客, 首购, 一转二, 二转三, 三转四及以上. */
export const orderStages = ['new', 'first_purchase', 'one_to_two', 'two_to_three', 'more'] as const
export const OrderStage = z.enum(orderStages)
export type OrderStage = z.infer<typeof OrderStage>

export function orderStageOf(purchases: number): OrderStage {
  return orderStages[Math.min(purchases, 4)] ?? 'more'
}

/** By days since joining: new ≤ 30, recent-new ≤ 90, historical > 90. */
export const joinRecencies = ['new', 'recent_new', 'historical', 'unknown'] as const
export const JoinRecency = z.enum(joinRecencies)
export type JoinRecency = z.infer<typeof JoinRecency>
export const JOIN_NEW_DAYS = 30
export const JOIN_RECENT_DAYS = 90

export function joinRecencyOf(sinceJoining: number | null): JoinRecency {
  if (sinceJoining === null) return 'unknown'
  if (sinceJoining <= JOIN_NEW_DAYS) return 'new'
  return sinceJoining <= JOIN_RECENT_DAYS ? 'recent_new' : 'historical'
}

/** 认知 known to the brand, 兴趣 has been in contact or joined, 购买 bought, 忠诚 bought often and still active. */
export const aiplStages = ['awareness', 'interest', 'purchase', 'loyalty'] as const
export const AiplStage = z.enum(aiplStages)
export type AiplStage = z.infer<typeof AiplStage>
export const LOYAL_PURCHASES = 3

export function aiplOf(person: {
  purchases: number
  lifecycle: LifecycleState
  joined: boolean
  interacted: boolean
}): AiplStage {
  if (person.purchases >= LOYAL_PURCHASES && person.lifecycle === 'active') return 'loyalty'
  if (person.purchases > 0) return 'purchase'
  return person.joined || person.interacted ? 'interest' : 'awareness'
}

/** No exchange with the brand (no reply, visit, view or new contact; purchases do not count) for so many days. */
export const INTERACTION_SILENT_DAYS = 90

/** Silent in conversation: a different thing from the purchase-silent band. Counts from joining where nothing was ever said. */
export function interactionSilentOf(sinceInteraction: number | null, sinceJoining: number | null): boolean {
  const since = sinceInteraction ?? sinceJoining
  return since === null || since >= INTERACTION_SILENT_DAYS
}

const ownCycleNames: Readonly<Record<OwnCycleState, Names>> = {
  active: { zh: '按自身周期:活跃', en: 'Active by own cycle' },
  silent: { zh: '按自身周期:沉默', en: 'Silent by own cycle' },
  near_sleep: { zh: '按自身周期:濒临睡眠', en: 'Near sleep by own cycle' },
  hibernating: { zh: '按自身周期:休眠', en: 'Hibernating by own cycle' },
  lost: { zh: '按自身周期:流失', en: 'Lost by own cycle' },
  unknown: { zh: '自身周期未知', en: 'Own cycle unknown' },
}
const orderStageNames: Readonly<Record<OrderStage, Names>> = {
  new: { zh: '新客', en: 'No purchase yet' },
  first_purchase: { zh: '首购', en: 'First purchase' },
  one_to_two: { zh: '一转二', en: 'Second purchase (1→2)' },
  two_to_three: { zh: '二转三', en: 'Third purchase (2→3)' },
  more: { zh: '三转四及以上', en: 'Four purchases or more' },
}
const joinRecencyNames: Readonly<Record<JoinRecency, Names>> = {
  new: { zh: '新会员', en: 'New member' },
  recent_new: { zh: '次新会员', en: 'Recent-new member' },
  historical: { zh: '历史会员', en: 'Historical member' },
  unknown: { zh: '入会时间未知', en: 'Joining date unknown' },
}
const aiplNames: Readonly<Record<AiplStage, Names>> = {
  awareness: { zh: '认知', en: 'Awareness' },
  interest: { zh: '兴趣', en: 'Interest' },
  purchase: { zh: '购买', en: 'Purchase' },
  loyalty: { zh: '忠诚', en: 'Loyalty' },
}

export const ownCycleName = (state: OwnCycleState, lang: Lang): string => ownCycleNames[state][lang]
export const orderStageName = (stage: OrderStage, lang: Lang): string => orderStageNames[stage][lang]
export const joinRecencyName = (recency: JoinRecency, lang: Lang): string => joinRecencyNames[recency][lang]
export const aiplName = (stage: AiplStage, lang: Lang): string => aiplNames[stage][lang]
