import { randomBytes } from 'node:crypto'
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
  type World,
} from '../../../test/support/audience-world.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { recordOrders } from '../../events/events.ts'
import { mergePersons, undoMerge } from '../../members/members.ts'
import { openKeyring } from '../../platform/crypto/master-key.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { audienceFollower, createSegment, explainMembership, recompute } from '../audience.ts'
import type { PersonEvent, Purchase } from '../facts/person-facts.ts'
import { selectMembership } from './store.ts'

const PERSONS = 20
const ROUNDS = 8
const PAIRS = 40
const STEPS = 12
const HOUR = 3_600_000
const DAY = 24 * HOUR
const deps = { keys: openKeyring(randomBytes(32)), followers: [audienceFollower] }

type Step =
  | { does: 'happen'; what: PersonEvent; late: boolean }
  | { does: 'buy'; what: Purchase; late: boolean }
  | { does: 'refund'; which: number; whole: boolean }
  | { does: 'merge'; other: number }
  | { does: 'undo' }

const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('happen' as const), what: anEvent(), late: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('buy' as const), what: aPurchase(0), late: fc.boolean() }),
  },
  fc.record({ does: fc.constant('merge' as const), other: fc.integer({ min: 1, max: 20 }) }),
  fc.constant({ does: 'undo' as const }),
  fc.record({ does: fc.constant('refund' as const), which: fc.nat(1000), whole: fc.boolean() }),
)

class Brand {
  readonly world: World
  readonly persons = Array.from({ length: PERSONS }, (_, place) => place + 1)
  readonly #orders: { profile: number; purchase: Purchase; externalId: string }[] = []
  /** Who each profile belongs to now, and how it was before each merge that stands. */
  #home = new Map(this.persons.map((person) => [person, person]))
  readonly #merges: { id: string; before: Map<number, number> }[] = []

  constructor(world: World) {
    this.world = world
  }

  get present(): number[] {
    return [...new Set(this.#home.values())].sort((left, right) => left - right)
  }

  async take(profile: number, step: Step, now: number): Promise<void> {
    const at = new Date(now)
    await this.world.db.transaction(async (tx) => {
      if (step.does === 'happen') await this.#tell(tx, profile, step, at)
      else if (step.does === 'merge') await this.#merge(tx, profile, step.other, at)
      else if (step.does === 'undo') await this.#undo(tx, at)
      else await this.#record(tx, profile, step, at)
    })
  }

  async #tell(tx: Tx, profile: number, { what, late }: Step & { does: 'happen' }, now: Date): Promise<void> {
    const event = happened(what.type, profile, late ? new Date(what.at) : now, dataOf(what))
    await tell(tx, [{ ...event, personId: this.#home.get(profile) ?? profile }], now)
  }

  async #record(tx: Tx, profile: number, step: Step & { does: 'buy' | 'refund' }, now: Date): Promise<void> {
    if (step.does === 'buy') {
      const purchase = { ...step.what, at: step.late ? step.what.at : now.getTime() }
      this.#orders.push({ profile, purchase, externalId: `o${this.#orders.length}` })
    }
    const order = step.does === 'buy' ? this.#orders.at(-1) : this.#orders[step.which % this.#orders.length]
    if (!order) return
    const state = orderOf(order.purchase, order.externalId)
    const back = step.does === 'refund' ? Math.floor(state.totalCents / (step.whole ? 1 : 2)) : 0
    const personId = this.#home.get(order.profile) ?? order.profile
    const given = { profileId: order.profile, personId, order: { ...state, refundedCents: back } }
    await recordOrders(tx, [given], { lane: 'live', source: 'test', receivedAt: now })
  }

  async #merge(tx: Tx, one: number, two: number, at: Date): Promise<void> {
    const pair = [this.#home.get(one) ?? one, this.#home.get(two) ?? two] as const
    if (pair[0] === pair[1]) return
    const id = await mergePersons(deps, tx, pair, { actor: null, at })
    this.#merges.push({ id, before: new Map(this.#home) })
    const [kept, absorbed] = [Math.min(...pair), Math.max(...pair)]
    for (const [profile, home] of this.#home) if (home === absorbed) this.#home.set(profile, kept)
  }

  async #undo(tx: Tx, at: Date): Promise<void> {
    const merge = this.#merges.pop()
    if (!merge) return
    await undoMerge(deps, tx, merge.id, { actor: null, at })
    this.#home = merge.before
  }
}

test.each(['Asia/Shanghai', 'America/New_York'])(
  'whatever happens, late, refunded, merged, undone or by leaps of the clock, what is stored is what a recompute and an explanation say, in %s',
  async (zone) => {
    const world = await audienceWorld()
    const draw = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] =>
      fc.sample(arbitrary, { numRuns: count, seed })
    const rules = [...draw(aHistoryLeaf(true), 14, 3), ...draw(aLeaf(), 14, 4)].filter(isFree)
    const started = new Date(NOW)
    const segments = await world.db.transaction((tx) => makeSegments(tx, rules, started))
    const brand = new Brand(world)
    await addPersons(
      world,
      brand.persons.map((personId) => ({ personId, joinedAt: NOW - personId * 10 * DAY })),
      started,
    )
    await settleAll(world, started, zone)

    const leaps = [0, 1, HOUR, 5 * HOUR, DAY, 3 * DAY, 40 * DAY]
    let now = NOW
    let moved = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      now += leaps[round % leaps.length] ?? 0
      const steps = draw(fc.tuple(fc.constantFrom(...brand.persons), aStep), STEPS, 100 + round)
      for (const [profile, step] of steps) await brand.take(profile, step, now)
      moved += await settleAll(world, new Date(now), zone)
    }
    expect(moved).toBeGreaterThan(PERSONS)

    const { present } = brand
    expect(present.length).toBeLessThan(PERSONS)
    const how = { token: world.evaluate, now: () => new Date(now), zone, always: true }
    const recomputed = await recompute(world.db, world.clickhouse, how)
    expect(recomputed).toMatchObject({ persons: present.length, changed: 0, finished: true })
    const rows = await selectMembership(world.db, brand.persons)
    const stored = new Map(rows.map((row) => [row.personId, row.segments]))
    expect([...stored.keys()].sort((left, right) => left - right)).toEqual(present)
    const members = [...stored.values()].reduce((sum, own) => sum + own.length, 0)
    expect(members).toBeGreaterThan(present.length)
    expect(members).toBeLessThan(present.length * segments.length)
    const pairs = draw(fc.tuple(fc.constantFrom(...present), fc.constantFrom(...segments)), PAIRS, 5)
    for (const [personId, segmentId] of pairs) {
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

async function makeSegments(tx: Tx, rules: readonly Rule[], at: Date): Promise<number[]> {
  const made: number[] = []
  for (const [place, rule] of rules.entries()) {
    const fields = {
      name: `segment ${place}`,
      description: '',
      rule: { kind: 'all' as const, rules: [rule] },
    }
    made.push((await createSegment(tx, fields, { by: null, at })).id)
  }
  return made
}

/** What refers to tags and groups that this world does not have is left out, and so is what nobody or everybody satisfies. */
function isFree(rule: Rule): boolean {
  return rule.kind !== 'tag' && rule.kind !== 's_tag' && findingsOf(rule).length === 0
}
