/** The purchases of one person that a filter lets through, as a series. */
import { compares, type Measure, type OrderFilter } from '../../../contract/rule-parts.ts'
import type { Purchase, PurchaseLine } from '../facts/person-facts.ts'
import { type Fill, Numbering, type Series } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

type Field = 'amount' | 'quantity' | 'discount'
type By = Extract<Measure, { of: 'distinct' }>['by']

/** The number of each purchase: a field, or what is told from others. */
export function purchaseFill(filter: OrderFilter, measure: Measure, days: ZoneDays): Fill {
  const matches = matcher(filter)
  const push = measure.of === 'distinct' ? pushDistinct(filter, measure.by, days) : pushField(filter, measure)
  return ({ purchases }, now, series) => {
    push.begin?.()
    for (const purchase of purchases) {
      if (purchase.at > now) break
      if (matches(purchase)) push.one(series, purchase)
    }
  }
}

/** Two leaves with the same filter and the same of this share one series. */
export function purchaseNumber(measure: Measure): string {
  if (measure.of === 'distinct') return `distinct ${measure.by}`
  return 'field' in measure ? measure.field : 'amount'
}

type Push = { begin?(): void; one(series: Series, purchase: Purchase): void }

function pushField(filter: OrderFilter, measure: Measure): Push {
  const field: Field = 'field' in measure ? measure.field : 'amount'
  const test = lineMatcher(filter)
  if (!test) return { one: (series, purchase) => series.push(purchase.at, purchase[field]) }
  const added = (purchase: Purchase): number =>
    purchase.lines.reduce((sum, line) => (test(line) ? sum + line[field] : sum), 0)
  return { one: (series, purchase) => series.push(purchase.at, added(purchase)) }
}

function pushDistinct(filter: OrderFilter, by: By, days: ZoneDays): Push {
  if (by === 'day') return { one: (series, { at }) => series.push(at, days.of(at)) }
  const numbering = new Numbering()
  const test = lineMatcher(filter) ?? (() => true)
  const one = (series: Series, { at, store, lines }: Purchase): void => {
    const names = by === 'store' ? [store] : lines.filter(test).map((line) => line[by])
    for (const name of names) if (name !== '') series.push(at, numbering.of(name))
  }
  return { begin: () => numbering.clear(), one }
}

function matcher(filter: OrderFilter): (purchase: Purchase) => boolean {
  const tests: ((purchase: Purchase) => boolean)[] = []
  const among = (values: readonly string[] | undefined, get: (purchase: Purchase) => string): void => {
    if (!values) return
    const set = new Set(values)
    tests.push((purchase) => set.has(get(purchase)))
  }
  among(filter.stores, (purchase) => purchase.store)
  among(filter.sellers, (purchase) => purchase.seller)
  among(filter.channels, (purchase) => purchase.channel)
  among(filter.sides, (purchase) => purchase.side)
  among(filter.campaigns, (purchase) => purchase.campaign)
  if (filter.withCoupon !== undefined) tests.push((purchase) => purchase.coupon === filter.withCoupon)
  const { amount } = filter
  if (amount) tests.push((purchase) => compares(purchase.amount, amount))
  const line = lineMatcher(filter)
  if (line) tests.push((purchase) => purchase.lines.some(line))
  const [first] = tests
  if (first === undefined) return () => true
  return tests.length === 1 ? first : (purchase) => tests.every((test) => test(purchase))
}

/** The test of single lines, where the filter looks at lines. */
export function lineMatcher({
  categories,
  skus,
}: OrderFilter): ((line: PurchaseLine) => boolean) | undefined {
  if (!categories && !skus) return undefined
  const inCategories = categories && new Set(categories)
  const inSkus = skus && new Set(skus)
  return (line) => (inCategories?.has(line.category) ?? true) && (inSkus?.has(line.sku) ?? true)
}

/** Whether the lines of the purchases have to be known. */
export function needsLines(filter: OrderFilter, measure: Measure): boolean {
  if (lineMatcher(filter)) return true
  if (measure.of === 'distinct') return measure.by === 'sku' || measure.by === 'category'
  return 'field' in measure && measure.field === 'quantity'
}
