import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../test/support/audience.ts'
import { isAbsent, sharedData } from '../../../test/support/shared-data.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import { compileRules } from './compile.ts'

/** Life cycle and aggregates of 23,570 real customers, against counts made from the raw lines without any of our code. */
describe.skipIf(isAbsent('cdnow'))('CDNOW, 1997 to 1998', () => {
  const asOf = '1998-07-01'
  const now = Date.parse(`${asOf}T12:00:00Z`)
  const folder = sharedData('cdnow')
  const text = folder === undefined ? '' : readFileSync(`${folder}/CDNOW_master.txt`, 'utf8')
  const lines = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length === 4 && /^\d+$/.test(fields[0] ?? ''))

  test('states, stages and sums are those of the raw file', () => {
    const people = new Map<number, { days: number[]; cents: number; count: number }>()
    for (const [id, date = '', , amount = ''] of lines) {
      const person = people.get(Number(id)) ?? { days: [], cents: 0, count: 0 }
      const iso = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`
      person.days.push(
        Math.round((Date.parse(`${asOf}T00:00:00Z`) - Date.parse(`${iso}T00:00:00Z`)) / 86_400_000),
      )
      person.cents += Math.round(Number(amount) * 100)
      person.count += 1
      people.set(Number(id), person)
    }
    expect(people.size).toBe(23_570)
    const expected = {
      active: 0,
      silent: 0,
      near_sleep: 0,
      hibernating: 0,
      lost: 0,
      once: 0,
      cents: 0,
      rich: 0,
    }
    for (const { days, cents, count } of people.values()) {
      const last = Math.min(...days)
      if (last < 90) expected.active += 1
      else if (last < 180) expected.silent += 1
      else if (last < 365) expected.near_sleep += 1
      else if (last <= 730) expected.hibernating += 1
      else expected.lost += 1
      if (count === 1) expected.once += 1
      if (cents >= 10_000) expected.rich += 1
      expected.cents += cents
    }

    const evaluator = compileRules(
      definitionsOf('America/New_York', [
        {
          kind: 'orders',
          measure: { of: 'sum', field: 'amount' },
          filter: {},
          window: { kind: 'ever' },
          compare: { op: 'ge', value: 10_000 },
        },
        { kind: 'one_time_buyer' },
      ]),
    )
    const found = { active: 0, silent: 0, near_sleep: 0, hibernating: 0, lost: 0, once: 0, cents: 0, rich: 0 }
    for (const facts of factsOf()) {
      const { state, segments } = evaluator.evaluate(facts, now)
      found[state.lifecycle as 'active'] += 1
      found.cents += state.spentCents
      if (segments.includes(1)) found.rich += 1
      if (segments.includes(2)) found.once += 1
    }
    expect(found).toEqual(expected)
  })

  function factsOf(): PersonFacts[] {
    const byPerson = Map.groupBy(lines, ([id]) => Number(id))
    return [...byPerson].map(([personId, own]) => ({
      personId,
      attributes: new Map(),
      birthday: null,
      lunar: false,
      joinedAt: null,
      tags: [],
      claims: [],
      events: [],
      lastInteractionAt: null,
      purchases: own
        .map(([, date = '', , amount = ''], place) => ({
          // Bought at noon in New York.
          at: Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T17:00:00Z`),
          id: String(place).padStart(6, '0'),
          amount: Math.round(Number(amount) * 100),
          discount: 0,
          quantity: 0,
          store: '',
          seller: '',
          channel: '',
          side: '',
          campaign: '',
          coupon: false,
          lines: [],
        }))
        .sort((left, right) => left.at - right.at),
    }))
  }
})
