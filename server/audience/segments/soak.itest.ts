import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { findingsOf } from '../../../contract/rule-check.ts'
import { aLeaf, aPurchase } from '../../../test/support/audience.ts'
import { aHistoryLeaf, anEvent, dataOf } from '../../../test/support/audience-events.ts'
import { NOW } from '../../../test/support/audience-parts.ts'
import {
  addPersons,
  audienceWorld,
  happened,
  orderOf,
  settleAll,
  tell,
} from '../../../test/support/audience-world.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { recordOrders } from '../../events/events.ts'
import { createSegment, explainMembership, recompute } from '../audience.ts'
import type { PersonEvent, Purchase } from '../facts/person-facts.ts'
import { selectMembership } from './store.ts'

const PERSONS = 20
const ROUNDS = 8
const PAIRS = 40
const STEPS = 12
const HOUR = 3_600_000
const DAY = 24 * HOUR

type Step =
  | { does: 'happen'; what: PersonEvent; late: boolean }
  | { does: 'buy'; what: Purchase; late: boolean }
  | { does: 'refund'; which: number; whole: boolean }

const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('happen' as const), what: anEvent(), late: fc.boolean() }),
  fc.record({ does: fc.constant('buy' as const), what: aPurchase(0), late: fc.boolean() }),
  fc.record({ does: fc.constant('refund' as const), which: fc.nat(1000), whole: fc.boolean() }),
)

test.each(['Asia/Shanghai', 'America/New_York'])(
  'whatever happens, late, refunded or by leaps of the clock, what is stored is what a recompute and an explanation say, in %s',
  async (zone) => {
    const world = await audienceWorld()
    const draw = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] =>
      fc.sample(arbitrary, { numRuns: count, seed })
    const rules: Rule[] = [...draw(aHistoryLeaf(true), 14, 3), ...draw(aLeaf(), 14, 4)].filter(isFree)
    const started = new Date(NOW)
    const segments = await world.db.transaction(async (tx) => {
      const made: { id: number; rule: Rule }[] = []
      for (const [place, rule] of rules.entries()) {
        const fields = {
          name: `segment ${place}`,
          description: '',
          rule: { kind: 'all' as const, rules: [rule] },
        }
        made.push(await createSegment(tx, fields, { by: null, at: started }))
      }
      return made
    })
    const persons = Array.from({ length: PERSONS }, (_, place) => place + 1)
    await addPersons(
      world,
      persons.map((personId) => ({ personId, joinedAt: NOW - personId * 10 * DAY })),
      started,
    )
    await settleAll(world, started, zone)

    const orders: { personId: number; purchase: Purchase; externalId: string }[] = []
    const leaps = [0, 1, HOUR, 5 * HOUR, DAY, 3 * DAY, 40 * DAY]
    let now = NOW
    let moved = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      now += leaps[round % leaps.length] ?? 0
      const steps = draw(fc.tuple(fc.constantFrom(...persons), aStep), STEPS, 100 + round)
      await world.db.transaction(async (tx) => {
        for (const [personId, step] of steps) {
          if (step.does === 'happen') {
            const at = step.late ? step.what.at : now
            await tell(
              tx,
              [happened(step.what.type, personId, new Date(at), dataOf(step.what))],
              new Date(now),
            )
            continue
          }
          const order =
            step.does === 'buy'
              ? {
                  personId,
                  purchase: { ...step.what, at: step.late ? step.what.at : now },
                  externalId: `o${orders.length}`,
                }
              : orders[step.which % Math.max(1, orders.length)]
          if (!order) continue
          if (step.does === 'buy') orders.push(order)
          const state = orderOf(order.purchase, order.externalId)
          const refunded = step.does === 'refund' ? Math.floor(state.totalCents / (step.whole ? 1 : 2)) : 0
          await recordOrders(
            tx,
            [
              {
                profileId: order.personId,
                personId: order.personId,
                order: { ...state, refundedCents: refunded },
              },
            ],
            { lane: 'live', source: 'test', receivedAt: new Date(now) },
          )
        }
      })
      moved += await settleAll(world, new Date(now), zone)
    }
    expect(moved).toBeGreaterThan(PERSONS)

    const how = { token: world.evaluate, now: () => new Date(now), zone, always: true }
    expect(await recompute(world.db, world.clickhouse, how)).toMatchObject({
      persons: PERSONS,
      changed: 0,
      finished: true,
    })
    const stored = new Map(
      (await selectMembership(world.db, persons)).map((row) => [row.personId, row.segments]),
    )
    const members = [...stored.values()].reduce((sum, own) => sum + own.length, 0)
    expect(members).toBeGreaterThan(PERSONS)
    expect(members).toBeLessThan(PERSONS * segments.length)
    const pairs = draw(fc.tuple(fc.constantFrom(...persons), fc.constantFrom(...segments)), PAIRS, 5)
    for (const [personId, { id: segmentId }] of pairs) {
      const pair = { personId, segmentId }
      const explained = await explainMembership(world.db, world.clickhouse, pair, {
        now: new Date(now),
        zone,
      })
      const member = stored.get(personId)?.includes(segmentId) ?? false
      expect({ ...pair, member: explained.member, verdict: explained.verdict }).toEqual({
        ...pair,
        member,
        verdict: member,
      })
    }
  },
)

/** What refers to tags and groups that this world does not have is left out, and so is what nobody or everybody satisfies. */
function isFree(rule: Rule): boolean {
  return rule.kind !== 'tag' && rule.kind !== 's_tag' && findingsOf(rule).length === 0
}
