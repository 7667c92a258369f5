import { describe, expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { aPerson, aRule, definitionsOf } from '../../../test/support/audience.ts'
import { aHistoryLeaf } from '../../../test/support/audience-events.ts'
import { anInstant } from '../../../test/support/audience-parts.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { groupOf } from '../facts/history-table.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import { type Answer, compileRules, type Evaluator } from './compile.ts'

const RUNS = 600
const NOBODY: Rule = { kind: 'any', rules: [] }
const zones = ['Asia/Shanghai', 'America/New_York']

/** Everything that is stored of an answer, without the moment of change. */
function stored({ segments, autoTags, sValues, state }: Answer): unknown {
  return { segments, autoTags, sValues: [...sValues].sort(([left], [right]) => left - right), state }
}

function answers(evaluator: Evaluator, facts: PersonFacts, now: number): Answer {
  return evaluator.evaluate(facts, now)
}

describe.each(zones)('in %s', (zone) => {
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })

  /** At the moment before the next one, and at some in between. */
  function expectStill(
    evaluator: Evaluator,
    facts: PersonFacts,
    now: number,
    within: readonly number[],
  ): void {
    const answer = answers(evaluator, facts, now)
    expect(answer.next).toBeGreaterThan(now)
    const end = Math.min(answer.next, now + 800 * 86_400_000)
    const instants = [end - 1, ...within.map((place) => Math.floor(now + place * (end - 1 - now)))]
    for (const at of instants) expect(stored(answers(evaluator, facts, at))).toEqual(stored(answer))
  }

  test('nothing changes between now and the next moment', () => {
    fc.assert(
      fc.property(
        fc.array(aRule(), { minLength: 1, maxLength: 4 }),
        aRule([1]),
        aPerson({ ahead: 30 }),
        anInstant(250, 200),
        places,
        (rules, last, person, now, within) => {
          const evaluator = compileRules(definitionsOf(zone, [...rules, last]))
          expectStill(evaluator, { ...person, personId: 1 }, now, within)
        },
      ),
      { numRuns: RUNS },
    )
  })

  test('nor about events, sequences and coupons while they happen and run out', () => {
    fc.assert(
      fc.property(aHistoryLeaf(true), aPerson(), anInstant(15, 40), places, (leaf, person, now, within) => {
        // Nothing of the brand's own states, whose edges would come first.
        const facts = { ...person, personId: 1, joinedAt: null, lastInteractionAt: null, claims: [] }
        expectStill(compileRules(definitionsOf(zone, [leaf], NOBODY)), facts, now, within)
      }),
      { numRuns: 1500 },
    )
  })

  test('an answer does not depend on whom the function was asked about before', () => {
    fc.assert(
      fc.property(
        fc.array(aRule(), { minLength: 1, maxLength: 3 }),
        fc.array(aPerson(), { minLength: 3, maxLength: 3 }),
        anInstant(250),
        (rules, people, now) => {
          const used = compileRules(definitionsOf(zone, rules))
          for (const [place, person] of people.entries()) {
            const facts = { ...person, personId: place + 1 }
            const fresh = compileRules(definitionsOf(zone, rules))
            expect(answers(used, facts, now)).toEqual(answers(fresh, facts, now))
          }
        },
      ),
      { numRuns: RUNS },
    )
  })

  test('persons who are evaluated together are answered as each is alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(aRule(), aHistoryLeaf(true)), { minLength: 1, maxLength: 6 }),
        fc.array(aPerson({ ahead: 30 }), { minLength: 2, maxLength: 8 }),
        anInstant(250, 200),
        (rules, people, now) => {
          const evaluator = compileRules(definitionsOf(zone, rules))
          const all = people.map((person, place) => ({ ...person, personId: place + 1 }))
          const alone = all.map((facts) => answers(evaluator, facts, now))
          const together = evaluator.evaluateAll(groupOf(all), now)
          expect(all.map((_, place) => together.whole(place))).toEqual(alone)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('explain gives the verdict that is stored', () => {
    fc.assert(
      fc.property(aRule(), aRule([1]), aPerson(), anInstant(250), (first, second, person, now) => {
        const evaluator = compileRules(definitionsOf(zone, [first, second]))
        const facts = { ...person, personId: 7 }
        const { segments } = answers(evaluator, facts, now)
        expect(evaluator.explain(first, facts, now).verdict).toBe(segments.includes(1))
        expect(evaluator.explain(second, facts, now).verdict).toBe(segments.includes(2))
      }),
      { numRuns: RUNS },
    )
  })

  test('waking a person does not become a habit: time moves on by itself within a day of changes at most', () => {
    fc.assert(
      fc.property(fc.array(aRule(), { minLength: 1, maxLength: 3 }), aPerson(), (rules, person) => {
        const evaluator = compileRules(definitionsOf(zone, rules))
        const facts = { ...person, personId: 1 }
        const start = Date.parse('2026-06-15T04:30:00Z')
        let wakes = 0
        for (let now = start; now < start + 86_400_000 && wakes <= 24; wakes += 1) {
          now = answers(evaluator, facts, now).next
        }
        expect(wakes).toBeLessThanOrEqual(24)
      }),
      { numRuns: 200 },
    )
  })
})

test('segments that refer to one another in a circle are refused with the names along the circle', () => {
  const segment = (id: number): Rule => ({ kind: 'segment', segment: id })
  const definitions = definitionsOf('Asia/Shanghai', [
    segment(2),
    { kind: 'not', rule: segment(3) },
    segment(1),
  ])
  expect(() => compileRules(definitions)).toThrow(/segment 1 → segment 2 → segment 3 → segment 1/)
})

test('a value of level S is the one of the guide, then of the rule, then of WeCom, and the latest of each', () => {
  const everybody: Rule = { kind: 'all', rules: [] }
  const nobody: Rule = { kind: 'any', rules: [] }
  const person = { ...blank, claims: [claim(1, 'synced', 1), claim(2, 'synced', 2)] }
  const value = (auto: Rule, facts: PersonFacts) =>
    compileRules(definitionsOf('Asia/Shanghai', [], auto))
      .evaluate(facts, 0)
      .sValues.get(1)
  expect(value(nobody, blank)).toBeUndefined()
  expect(value(nobody, person)).toEqual({ tag: 2, origin: 'synced' })
  expect(value(everybody, person)).toEqual({ tag: 4, origin: 'auto' })
  expect(value(everybody, { ...person, claims: [claim(1, 'manual', 0)] })).toEqual({
    tag: 1,
    origin: 'manual',
  })
})

const blank: PersonFacts = {
  personId: 1,
  attributes: new Map(),
  birthday: null,
  lunar: false,
  joinedAt: null,
  tags: [],
  claims: [],
  purchases: [],
  events: [],
  lastInteractionAt: null,
}
const claim = (tag: number, origin: 'manual' | 'synced', at: number) => ({
  group: 1,
  tag,
  origin,
  producer: 'system' as const,
  at,
})
