/** Conditions about attributes: texts, numbers and dates as they were written. */
import type { Leaf } from '../../../contract/rule.ts'
import { compares, numberOf } from '../../../contract/rule-parts.ts'
import { numberOfDay } from '../../platform/time/zone.ts'
import type { Person } from '../facts/history-table.ts'
import type { LeafReader } from './bench.ts'
import { nextFlip } from './measured.ts'
import { dayCount, type ZoneDays } from './zone-days.ts'

type AttributeLeaf = Extract<Leaf, { kind: 'attribute' }>
type DateLeaf = Extract<Leaf, { kind: 'date' }>

const NEVER = Number.POSITIVE_INFINITY

/** A date, year first, with or without a time after it; SQL uses the same text. */
export const DATE =
  '^([1-9][0-9]{3})[-/.年](0?[1-9]|1[0-2])[-/.月](0?[1-9]|[12][0-9]|3[01])(日|[T ].{0,40})?$'

const dateOf = new RegExp(DATE)

export function attributeReader(leaf: AttributeLeaf): LeafReader {
  const test = testOf(leaf)
  return ({ facts }) => {
    const value = facts.attributes.get(leaf.attribute) ?? null
    return { value, verdict: test(value), next: NEVER }
  }
}

function testOf(leaf: AttributeLeaf): (value: string | null) => boolean {
  switch (leaf.op) {
    case 'known':
      return (value) => value !== null
    case 'unknown':
      return (value) => value === null
    case 'compare':
      return (value) => compares((value === null ? undefined : numberOf(value)) ?? null, leaf.compare)
    case 'contains':
      return (value) => value !== null && leaf.values.some((part) => value.includes(part))
    case 'starts_with':
      return (value) => value !== null && leaf.values.some((part) => value.startsWith(part))
    case 'ends_with':
      return (value) => value !== null && leaf.values.some((part) => value.endsWith(part))
    default: {
      const values = new Set(leaf.values)
      const within = leaf.op === 'in'
      return (value) => (value !== null && values.has(value)) === within
    }
  }
}

/** Value: whole days since the date, less than 0 before it. Days beyond the month run over, as lunar birthdays may. */
export function dateReader({ attribute, test }: DateLeaf, days: ZoneDays): LeafReader {
  const dayOf = dayReader(attribute, days)
  return ({ facts, today }) => {
    const day = dayOf(facts)
    if (day === null) return { value: null, verdict: false, next: NEVER }
    const value = today - day
    if (test.op === 'within') {
      const from = test.from === null ? Number.NEGATIVE_INFINITY : numberOfDay(test.from)
      const to = test.to === null ? Number.POSITIVE_INFINITY : numberOfDay(test.to)
      return { value, verdict: day >= from && day <= to, next: NEVER }
    }
    const compare =
      test.op === 'coming' ? ({ op: 'between', from: -test.withinDays, to: 0 } as const) : test.compare
    const flip = nextFlip(value, compare)
    const next = flip === undefined ? NEVER : days.start(day + flip)
    return { value, verdict: compares(value, compare), next }
  }
}

function dayReader(attribute: DateLeaf['attribute'], days: ZoneDays): (facts: Person) => number | null {
  if (attribute === 'joined') return ({ joinedAt }) => (joinedAt === null ? null : days.of(joinedAt))
  if (attribute === 'birthday') return ({ birthday }) => dayOfText(birthday)
  return ({ attributes }) => dayOfText(attributes.get(attribute) ?? null)
}

/** Days since 1970-01-01; null where the text is no date. */
function dayOfText(text: string | null): number | null {
  const found = text === null ? null : dateOf.exec(text)
  return found && dayCount(Number(found[1]), Number(found[2]), Number(found[3]))
}
