/** The purchases of one person that a filter lets through, as a series. */
import { compares, type Measure, type OrderFilter } from '../../../contract/rule-parts.ts'
import type { PurchaseLine } from '../facts/person-facts.ts'
import { numberTest, type RowTest, rowFilter, textTest } from './row-filter.ts'
import { type Fill, NONE, Numbering, pushRows, type ValuesOf } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

type Field = 'amount' | 'quantity' | 'discount'
type By = Extract<Measure, { of: 'distinct' }>['by']

/** The number of each purchase: a field, or what is told from others. */
export function purchaseFill(filter: OrderFilter, measure: Measure, days: ZoneDays): Fill {
  const filtered = rowFilter(testsOf(filter))
  const values =
    measure.of === 'distinct' ? distinctValues(filter, measure.by, days) : fieldValues(filter, measure)
  return ({ purchases }, now, series) =>
    pushRows(purchases, now, filtered(purchases), series, values(purchases))
}

/** Two leaves with the same filter and the same of this share one series. */
export function purchaseNumber(measure: Measure): string {
  if (measure.of === 'distinct') return `distinct ${measure.by}`
  return 'field' in measure ? measure.field : 'amount'
}

function fieldValues(filter: OrderFilter, measure: Measure): ValuesOf {
  const field: Field = 'field' in measure ? measure.field : 'amount'
  const test = lineMatcher(filter)
  if (!test) return (table) => table.number(field)
  return (table) => (row) => table.lines(row).reduce((sum, line) => (test(line) ? sum + line[field] : sum), 0)
}

function distinctValues(filter: OrderFilter, by: By, days: ZoneDays): ValuesOf {
  if (by === 'day')
    return ({ at }) =>
      (row) =>
        days.of(at[row] ?? 0)
  if (by === 'store') {
    return (table) => {
      const { keys, codes } = table.text('store')
      return (row) => (keys[codes[row] ?? 0] === '' ? NONE : (codes[row] ?? 0))
    }
  }
  const test = lineMatcher(filter) ?? (() => true)
  return (table) => {
    const numbering = new Numbering<string>()
    return (row) => {
      const names = table.lines(row).filter(test)
      return names.flatMap((line) => (line[by] === '' ? [] : [numbering.of(line[by])]))
    }
  }
}

function testsOf(filter: OrderFilter): RowTest[] {
  const tests: RowTest[] = []
  const among = (values: readonly string[] | undefined, name: string): void => {
    if (!values) return
    const set = new Set(values)
    tests.push(textTest(name, (text) => set.has(text)))
  }
  among(filter.stores, 'store')
  among(filter.sellers, 'seller')
  among(filter.channels, 'channel')
  among(filter.sides, 'side')
  among(filter.campaigns, 'campaign')
  const { amount, withCoupon } = filter
  if (withCoupon !== undefined) tests.push(numberTest('coupon', (coupon) => (coupon === 1) === withCoupon))
  if (amount) tests.push(numberTest('amount', (cents) => compares(cents, amount)))
  const line = lineMatcher(filter)
  if (line) {
    tests.push((table, kept) => {
      for (let row = 0; row < table.rows; row += 1)
        if (kept[row] === 1 && !table.lines(row).some(line)) kept[row] = 0
    })
  }
  return tests
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
