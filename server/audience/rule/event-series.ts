/** The events of one person that a filter lets through, as a series. */
import { loggedAs } from '../../../contract/rule-events.ts'
import {
  compares,
  type EventFilter,
  type EventMeasure,
  numbersAmong,
  type PropertyFilter,
} from '../../../contract/rule-parts.ts'
import type { PersonEvent } from '../facts/person-facts.ts'
import { type Fill, Numbering, type Series } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

/** Beyond this a number counts as this: sums of thousandths stay whole numbers. */
const GREATEST = 1e12

/** A number of a property in whole thousandths, half a one up. The same arithmetic as in SQL. */
export function thousandths(number: number): number {
  return Math.floor(Math.min(Math.max(number, -GREATEST), GREATEST) * 1000 + 0.5)
}

export function eventFill(filter: EventFilter, measure: EventMeasure, days: ZoneDays): Fill {
  const matches = matcher(filter)
  const numbering = new Numbering()
  const push = pushOf(measure, days, numbering)
  return ({ events }, now, series) => {
    if (events.length === 0) return
    numbering.clear()
    for (const event of events) {
      if (event.at > now) break
      if (matches(event)) push(series, event)
    }
  }
}

/** Two leaves with the same filter and the same of this share one series. */
export function eventNumber(measure: EventMeasure): string {
  if (measure.of === 'distinct') return `distinct ${measure.property}`
  if (measure.of === 'distinct_days') return 'day'
  return 'property' in measure ? `number ${measure.property}` : 'none'
}

function pushOf(
  measure: EventMeasure,
  days: ZoneDays,
  numbering: Numbering,
): (series: Series, event: PersonEvent) => void {
  if (measure.of === 'distinct_days') return (series, { at }) => series.push(at, days.of(at))
  if (!('property' in measure)) return (series, { at }) => series.push(at, 0)
  const { property } = measure
  if (measure.of === 'distinct') {
    return (series, event) => {
      const value = toldValue(event, property)
      if (value !== undefined) series.push(event.at, numbering.of(value))
    }
  }
  return (series, { at, numbers }) => {
    const number = numbers[property]
    if (number !== undefined) series.push(at, thousandths(number))
  }
}

/** A value of a property, so that a number and a text are never the same; undefined for none and for an empty text. */
function toldValue({ texts, numbers }: PersonEvent, property: string): string | undefined {
  const number = numbers[property]
  if (number !== undefined) return `n${number + 0}`
  const text = texts[property] ?? ''
  return text === '' ? undefined : `t${text}`
}

function matcher(filter: EventFilter): (event: PersonEvent) => boolean {
  const { type, state } = loggedAs(filter.event)
  const tests: ((event: PersonEvent) => boolean)[] = []
  const among = (values: readonly string[] | undefined, get: (event: PersonEvent) => string): void => {
    if (!values) return
    const set = new Set(values)
    tests.push((event) => set.has(get(event)))
  }
  if (state !== undefined) tests.push(({ detail }) => detail === state)
  const [only, ...names] = filter.names ?? []
  if (only !== undefined && names.length === 0) tests.push(({ detail }) => detail === only)
  else among(filter.names, ({ detail }) => detail)
  among(filter.channels, ({ channel }) => channel)
  among(filter.stores, ({ store }) => store)
  among(filter.journeys, ({ subject }) => subject)
  for (const property of filter.properties ?? []) tests.push(propertyTest(property))
  const [first, second] = tests
  if (first === undefined) return (event) => event.type === type
  if (second === undefined) return (event) => event.type === type && first(event)
  return (event) => event.type === type && tests.every((test) => test(event))
}

function propertyTest(filter: PropertyFilter): (event: PersonEvent) => boolean {
  const { property } = filter
  const text = ({ texts }: PersonEvent): string => texts[property] ?? ''
  switch (filter.op) {
    case 'in':
    case 'not_in': {
      const texts = new Set(filter.values)
      const numbers = new Set(numbersAmong(filter.values))
      const wanted = filter.op === 'in'
      return (event) => {
        const number = event.numbers[property]
        return (texts.has(text(event)) || (number !== undefined && numbers.has(number))) === wanted
      }
    }
    case 'contains':
      return (event) => filter.values.some((value) => text(event).includes(value))
    case 'compare':
      return ({ numbers }) => compares(numbers[property] ?? null, filter.compare)
    default: {
      const wanted = filter.op === 'known'
      return (event) => (toldValue(event, property) !== undefined) === wanted
    }
  }
}
