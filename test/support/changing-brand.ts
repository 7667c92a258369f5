/**
 * A brand to whose members things happen at random: events and orders, also a year late, refunds, merges, their undo,
 * and erasures. It keeps who each profile belongs to, as a reader of the stores would have to find it.
 */
import { randomBytes } from 'node:crypto'
import { audienceFollower } from '../../server/audience/audience.ts'
import type { PersonEvent, Purchase } from '../../server/audience/facts/person-facts.ts'
import { type NewEvent, recordOrders } from '../../server/events/events.ts'
import { erasePerson, mergePersons, undoMerge } from '../../server/members/members.ts'
import { openKeyring } from '../../server/platform/crypto/master-key.ts'
import type { Tx } from '../../server/platform/postgres/database.ts'
import { aPurchase } from './audience.ts'
import { anEvent, dataOf } from './audience-events.ts'
import { happened, orderOf, tell, type World } from './audience-world.ts'
import { fc } from './fast-check.ts'

/** Of 1,000 changes each: `npm run soak` lets 100 of them happen. */
export const SOAK_ROUNDS = Number(process.env['LIULIANG_SOAK_ROUNDS'] ?? 20)

export type Change =
  | { does: 'happen'; what: PersonEvent; late: boolean }
  | { does: 'buy'; what: Purchase; late: boolean }
  | { does: 'refund'; which: number; whole: boolean }
  | { does: 'merge'; other: number }
  | { does: 'undo' }
  | { does: 'erase' }

/** One change of one profile of `persons`; `people` says how many of a thousand changes join, part or erase somebody. */
export const aChange = (persons: number, people: number): fc.Arbitrary<[profile: number, change: Change]> => {
  const told = 1000 - people
  return fc.tuple(
    fc.integer({ min: 1, max: persons }),
    fc.oneof(
      {
        weight: Math.round(told * 0.5),
        arbitrary: fc.record({ does: fc.constant('happen' as const), what: anEvent(), late: fc.boolean() }),
      },
      {
        weight: Math.round(told * 0.375),
        arbitrary: fc.record({ does: fc.constant('buy' as const), what: aPurchase(0), late: fc.boolean() }),
      },
      {
        weight: Math.round(told * 0.125),
        arbitrary: fc.record({
          does: fc.constant('refund' as const),
          which: fc.nat(1_000_000),
          whole: fc.boolean(),
        }),
      },
      {
        weight: Math.ceil(people * 0.45),
        arbitrary: fc.record({
          does: fc.constant('merge' as const),
          other: fc.integer({ min: 1, max: persons }),
        }),
      },
      { weight: Math.ceil(people * 0.45), arbitrary: fc.constant({ does: 'undo' as const }) },
      { weight: Math.ceil(people * 0.1), arbitrary: fc.constant({ does: 'erase' as const }) },
    ),
  )
}

type Order = { profile: number; purchase: Purchase; externalId: string }
/** A merge that stands: whose profiles it moved, and where all profiles were before it. */
type Merge = { id: string; moved: ReadonlySet<number>; before: Map<number, number> }

export class ChangingBrand {
  readonly world: World
  readonly #orders: Order[] = []
  readonly #merges: Merge[] = []
  readonly #deps = { keys: openKeyring(randomBytes(32)), followers: [audienceFollower] }
  #home: Map<number, number>
  #toTell: NewEvent[] = []
  #toRecord = new Map<string, { order: Order; back: number }>()
  /** How many changes of each kind took effect. */
  readonly done = { happen: 0, buy: 0, refund: 0, merge: 0, undo: 0, erase: 0 }

  constructor(world: World, persons: number) {
    this.world = world
    this.#home = new Map(Array.from({ length: persons }, (_, place) => [place + 1, place + 1]))
  }

  /** The persons that somebody still is, ascending. */
  get present(): number[] {
    return [...new Set(this.#home.values())].sort((left, right) => left - right)
  }

  /** All of them at `now`: what is only told is written together, whoever joins, parts or leaves on their own. */
  async take(changes: readonly (readonly [profile: number, change: Change])[], now: number): Promise<void> {
    for (const [profile, change] of changes) {
      if (!this.#home.has(profile)) continue
      if (change.does === 'happen') this.#tell(profile, change, now)
      else if (change.does === 'buy') this.#buy(profile, change, now)
      else if (change.does === 'refund') await this.#refund(change, now)
      else {
        await this.#flush(now)
        await this.world.db.transaction((tx) => this.#settle(tx, profile, change, new Date(now)))
      }
    }
    await this.#flush(now)
  }

  async #settle(tx: Tx, profile: number, change: Change, at: Date): Promise<void> {
    if (change.does === 'merge') await this.#merge(tx, profile, change.other, at)
    else if (change.does === 'undo') await this.#undo(tx, at)
    else if (change.does === 'erase') await this.#erase(tx, profile, at)
  }

  #tell(profile: number, { what, late }: Change & { does: 'happen' }, now: number): void {
    const event = happened(what.type, profile, new Date(late ? what.at : now), dataOf(what))
    this.#toTell.push({ ...event, personId: this.#homeOf(profile) })
    this.done.happen += 1
  }

  #buy(profile: number, { what, late }: Change & { does: 'buy' }, now: number): void {
    const order = {
      profile,
      purchase: { ...what, at: late ? what.at : now },
      externalId: `o${this.done.buy}`,
    }
    this.#orders.push(order)
    this.#toRecord.set(order.externalId, { order, back: 0 })
    this.done.buy += 1
  }

  async #refund({ which, whole }: Change & { does: 'refund' }, now: number): Promise<void> {
    const order = this.#orders[which % this.#orders.length]
    if (!order) return
    if (this.#toRecord.has(order.externalId)) await this.#flush(now)
    this.#toRecord.set(order.externalId, { order, back: whole ? 1 : 0.5 })
    this.done.refund += 1
  }

  async #flush(now: number): Promise<void> {
    const [told, recorded] = [this.#toTell, [...this.#toRecord.values()]]
    this.#toTell = []
    this.#toRecord = new Map()
    const at = new Date(now)
    await this.world.db.transaction(async (tx) => {
      if (told.length > 0) await tell(tx, told, at)
      const orders = recorded.map(({ order: { profile, purchase, externalId }, back }) => {
        const order = orderOf(purchase, externalId)
        const refundedCents = Math.floor(order.totalCents * back)
        return {
          profileId: profile,
          personId: this.#homeOf(profile),
          order: { ...order, refundedCents },
        }
      })
      if (orders.length > 0) await recordOrders(tx, orders, { lane: 'live', source: 'test', receivedAt: at })
    })
  }

  async #merge(tx: Tx, one: number, two: number, at: Date): Promise<void> {
    if (!this.#home.has(two)) return
    const pair = [this.#homeOf(one), this.#homeOf(two)] as const
    if (pair[0] === pair[1]) return
    const id = await mergePersons(this.#deps, tx, pair, { actor: null, at })
    const [kept, absorbed] = [Math.min(...pair), Math.max(...pair)]
    const moved = new Set([...this.#of(kept), ...this.#of(absorbed)])
    this.#merges.push({ id, moved, before: new Map(this.#home) })
    for (const [profile, home] of this.#home) if (home === absorbed) this.#home.set(profile, kept)
    this.done.merge += 1
  }

  async #undo(tx: Tx, at: Date): Promise<void> {
    const merge = this.#merges.pop()
    if (!merge) return
    await undoMerge(this.#deps, tx, merge.id, { actor: null, at })
    this.#home = merge.before
    this.done.undo += 1
  }

  /** With all profiles that are this person now: their merges cannot be undone any more. */
  async #erase(tx: Tx, profile: number, at: Date): Promise<void> {
    const person = this.#homeOf(profile)
    const gone = new Set(this.#of(person))
    await erasePerson(this.#deps, tx, person, { actor: null, at })
    const left = this.#merges.filter(({ moved }) => moved.isDisjointFrom(gone))
    this.#merges.splice(0, this.#merges.length, ...left)
    for (const { before } of this.#merges) for (const id of gone) before.delete(id)
    for (const id of gone) this.#home.delete(id)
    const orders = this.#orders.filter((order) => !gone.has(order.profile))
    this.#orders.splice(0, this.#orders.length, ...orders)
    this.done.erase += 1
  }

  #homeOf(profile: number): number {
    return this.#home.get(profile) ?? profile
  }

  #of(person: number): number[] {
    return [...this.#home].filter(([, home]) => home === person).map(([profile]) => profile)
  }
}
