/** What of a person and of his history the rules look at, so that nothing else is read and nobody else is touched. */
import type { EventType } from '../../../contract/events.ts'
import { nodesOf, occurrencesOf, type Rule } from '../../../contract/rule.ts'
import { readsLines } from '../../../contract/rule-cost.ts'
import { loggedAs } from '../../../contract/rule-events.ts'
import type { EventFilter, Occurrence, OrderFilter, Window } from '../../../contract/rule-parts.ts'
import type { EventField, PurchaseField } from '../../events/events.ts'
import { boundsOf } from './windows.ts'
import type { ZoneDays } from './zone-days.ts'

export type FactNeeds = {
  /** States (life cycle, RFM and the like), which follow from every purchase and from the last exchange. */
  readonly states: boolean
  /** Purchases; with states always. */
  readonly purchases: boolean
  /** Attributes by their names in the language, ascending. */
  readonly attributes: readonly string[]
  readonly birthday: boolean
  /** Business tags. */
  readonly tags: boolean
  /** Of purchases, beside their time and amount. */
  readonly purchase: readonly PurchaseField[]
  /** Lines of orders. */
  readonly lines: boolean
  /** Each type once, with the details (names, pages …) that are asked for; undefined for all. */
  readonly events: ReadonlyMap<EventType, readonly string[] | undefined>
  /** The windows in which each type is looked at; absent where one of them has no beginning. */
  readonly windows: ReadonlyMap<EventType, readonly Window[]>
  /** Of events, beside their time, type and detail. */
  readonly event: readonly EventField[]
  /** Properties that are asked for, ascending. */
  readonly texts: readonly string[]
  readonly numbers: readonly string[]
}

/**
 * Of all rules together. A rule that refers to a segment or a tag does not include what theirs look at. States are what
 * everybody is asked for, unless only those conditions count that look at them (`statesAsked`).
 */
export function factNeedsOf(
  rules: readonly Rule[],
  attributes: readonly string[] = [],
  { statesAsked = false }: { statesAsked?: boolean } = {},
): FactNeeds {
  const gathered = new Gathered(attributes, !statesAsked)
  for (const rule of rules) for (const { rule: node } of nodesOf(rule)) gathered.addLeaf(node)
  return gathered.needs()
}

/**
 * Before when events of each type say nothing, now or later: windows only move on. Types that are looked at for ever
 * are absent. ms since 1970.
 */
export function sinceOf({ windows }: FactNeeds, now: number, days: ZoneDays): Map<EventType, number> {
  return new Map(
    [...windows].map(([type, all]) => [
      type,
      all.reduce(
        (least, window) => Math.min(least, boundsOf(window, now, days).from),
        Number.POSITIVE_INFINITY,
      ),
    ]),
  )
}

/** Windows that hold everything from a known instant on. */
const BOUNDED = new Set<Window['kind']>(['rolling', 'calendar', 'absolute'])

/** Conditions that look neither at states nor, but for what they name themselves, at purchases. */
const WITHOUT_STATES = new Set<Rule['kind']>([
  ...([
    'all',
    'any',
    'not',
    'attribute',
    'date',
    'age',
    'joined',
    'birthday',
    'tag',
    's_tag',
    'segment',
  ] as const),
  ...(['sample', 'orders', 'events', 'sequence', 'coupon'] as const),
])

class Gathered {
  #states: boolean
  #purchases: boolean
  readonly #attributes: Set<string>
  #birthday = false
  #tags = false
  readonly #purchase = new Set<PurchaseField>()
  #lines = false
  readonly #events = new Map<EventType, Set<string> | undefined>()
  readonly #windows = new Map<EventType, Window[] | undefined>()
  readonly #event = new Set<EventField>()
  readonly #texts = new Set<string>()
  readonly #numbers = new Set<string>()

  constructor(attributes: readonly string[], states: boolean) {
    this.#attributes = new Set(attributes)
    this.#states = states
    this.#purchases = states
  }

  addLeaf(leaf: Rule): void {
    this.#states ||= !WITHOUT_STATES.has(leaf.kind)
    this.#purchases ||= this.#states
    this.#lines ||= readsLines(leaf)
    this.#tags ||= leaf.kind === 'tag'
    this.#birthday ||= leaf.kind === 'age' || leaf.kind === 'birthday'
    if (leaf.kind === 'attribute') this.#attributes.add(leaf.attribute)
    if (leaf.kind === 'date') {
      if (leaf.attribute === 'birthday') this.#birthday = true
      else if (leaf.attribute !== 'joined') this.#attributes.add(leaf.attribute)
    }
    const window: Window = 'window' in leaf ? leaf.window : { kind: 'ever' }
    for (const what of occurrencesOf(leaf)) this.#addOccurrence(what, window)
    if (leaf.kind === 'orders') {
      const { measure } = leaf
      if ('field' in measure && measure.field === 'discount') this.#purchase.add('discount')
      if (measure.of === 'distinct' && measure.by === 'store') this.#purchase.add('store')
    }
    if (leaf.kind === 'events' && 'property' in leaf.measure) {
      this.#numbers.add(leaf.measure.property)
      if (leaf.measure.of === 'distinct') this.#texts.add(leaf.measure.property)
    }
    if (leaf.kind === 'coupon') {
      this.#events.set('coupon_changed', undefined)
      this.#windows.set('coupon_changed', undefined)
      this.#event.add('subject')
      this.#texts.add('kind')
      this.#numbers.add('expiresAt')
    }
  }

  #addOccurrence(what: Occurrence, window: Window): void {
    if (what.of === 'purchase') {
      this.#purchases = true
      this.#addPurchase(what.filter)
      return
    }
    this.#addEvent(what.filter)
    const { type } = loggedAs(what.filter.event)
    const known = this.#windows.has(type) ? this.#windows.get(type) : []
    this.#windows.set(type, known && BOUNDED.has(window.kind) ? [...known, window] : undefined)
  }

  #addPurchase(filter: OrderFilter): void {
    if (filter.stores) this.#purchase.add('store')
    if (filter.sellers) this.#purchase.add('seller')
    if (filter.channels) this.#purchase.add('channel')
    if (filter.sides) this.#purchase.add('side')
    if (filter.campaigns) this.#purchase.add('campaign')
    if (filter.withCoupon !== undefined) this.#purchase.add('coupon')
  }

  #addEvent({ event, names, channels, stores, journeys, properties = [] }: EventFilter): void {
    const { type, state } = loggedAs(event)
    const details = state === undefined ? names : [state]
    const known = this.#events.get(type)
    if (details === undefined || (this.#events.has(type) && known === undefined)) {
      this.#events.set(type, undefined)
    } else this.#events.set(type, new Set([...(known ?? []), ...details]))
    if (channels) this.#event.add('channel')
    if (stores) this.#event.add('store')
    if (journeys) this.#event.add('subject')
    for (const { property, op } of properties) {
      if (op !== 'compare') this.#texts.add(property)
      if (op !== 'contains') this.#numbers.add(property)
    }
  }

  needs(): FactNeeds {
    return {
      states: this.#states,
      purchases: this.#purchases,
      attributes: [...this.#attributes].sort(),
      birthday: this.#birthday,
      tags: this.#tags,
      purchase: [...this.#purchase].sort(),
      lines: this.#lines,
      events: new Map([...this.#events].map(([type, details]) => [type, details && [...details].sort()])),
      windows: new Map([...this.#windows].flatMap(([type, windows]) => (windows ? [[type, windows]] : []))),
      event: [...this.#event].sort(),
      texts: [...this.#texts].sort(),
      numbers: [...this.#numbers].sort(),
    }
  }
}
