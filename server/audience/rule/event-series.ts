/** The events of one person that a filter lets through, as a series. */
import { loggedAs } from '../../../contract/rule-events.ts'
import {
  compares,
  type EventFilter,
  type EventMeasure,
  numbersAmong,
  type PropertyFilter,
} from '../../../contract/rule-parts.ts'
import { type HistoryTable, property } from '../facts/history-table.ts'
import { numberTest, PassingTexts, type RowTest, rowFilter, textTest } from './row-filter.ts'
import { type Fill, NONE, Numbering, pushRows, type ValuesOf } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

/** Beyond this a number counts as this: sums of thousandths stay whole numbers. */
const GREATEST = 1e12

/** A number of a property in whole thousandths, half a one up. The same arithmetic as in SQL. */
export function thousandths(number: number): number {
  return Math.floor(Math.min(Math.max(number, -GREATEST), GREATEST) * 1000 + 0.5)
}

export function eventFill(filter: EventFilter, measure: EventMeasure, days: ZoneDays): Fill {
  const filtered = rowFilter(testsOf(filter))
  const values = valuesOf(measure, days)
  return ({ events }, now, series) => pushRows(events, now, filtered(events), series, values(events))
}

/** Two leaves with the same filter and the same of this share one series. */
export function eventNumber(measure: EventMeasure): string {
  if (measure.of === 'distinct') return `distinct ${measure.property}`
  if (measure.of === 'distinct_days') return 'day'
  return 'property' in measure ? `number ${measure.property}` : 'none'
}

function valuesOf(measure: EventMeasure, days: ZoneDays): ValuesOf {
  if (measure.of === 'distinct_days')
    return ({ at }) =>
      (row) =>
        days.of(at[row] ?? 0)
  if (!('property' in measure)) return ({ at }) => at
  const name = property(measure.property)
  if (measure.of === 'distinct') return (table) => toldValues(table, name)
  return (table) => {
    const numbers = table.number(name)
    // Not a number stays what it is.
    return (row) => thousandths(numbers[row] ?? NONE)
  }
}

/** Equal for equal values, so that a number and a text are never the same; NONE for none and for an empty text. */
function toldValues(table: HistoryTable, name: string): (row: number) => number {
  const numbers = table.number(name)
  const { keys, codes } = table.text(name)
  const numbering = new Numbering<number>()
  return (row) => {
    const number = numbers[row] ?? NONE
    if (!Number.isNaN(number)) return -1 - numbering.of(number)
    const code = codes[row] ?? 0
    return keys[code] === '' ? NONE : code
  }
}

function testsOf(filter: EventFilter): RowTest[] {
  const { type, state } = loggedAs(filter.event)
  const tests: RowTest[] = [textTest('type', (text) => text === type)]
  const among = (values: readonly string[] | undefined, name: string): void => {
    if (!values) return
    const set = new Set(values)
    tests.push(textTest(name, (text) => set.has(text)))
  }
  if (state !== undefined) tests.push(textTest('detail', (text) => text === state))
  among(filter.names, 'detail')
  among(filter.channels, 'channel')
  among(filter.stores, 'store')
  among(filter.journeys, 'subject')
  for (const one of filter.properties ?? []) tests.push(propertyTest(one))
  return tests
}

function propertyTest(filter: PropertyFilter): RowTest {
  const name = property(filter.property)
  switch (filter.op) {
    case 'in':
    case 'not_in': {
      const texts = new Set(filter.values)
      const numbers = new Set(numbersAmong(filter.values))
      return toldTest(name, {
        text: (text) => texts.has(text),
        number: (number) => numbers.has(number),
        wanted: filter.op === 'in',
      })
    }
    case 'contains':
      return textTest(name, (text) => filter.values.some((value) => text.includes(value)))
    case 'compare':
      return numberTest(name, (number) => !Number.isNaN(number) && compares(number, filter.compare))
    default:
      return toldTest(name, {
        text: (text) => text !== '',
        number: (number) => !Number.isNaN(number),
        wanted: filter.op === 'known',
      })
  }
}

type Told = { text: (text: string) => boolean; number: (number: number) => boolean; wanted: boolean }

/** Rows whose property passes as a text or as a number, or where neither does. */
function toldTest(name: string, { text, number, wanted }: Told): RowTest {
  const texts = new PassingTexts(text)
  return (table, kept) => {
    const column = table.text(name)
    const passing = texts.of(column)
    const numbers = table.number(name)
    for (let row = 0; row < table.rows; row += 1) {
      if (kept[row] === 0) continue
      const passes = passing[column.codes[row] ?? 0] === 1 || number(numbers[row] ?? NONE)
      if (passes !== wanted) kept[row] = 0
    }
  }
}
