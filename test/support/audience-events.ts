/** Random events and conditions about what happened that meet each other often. */
import type { Leaf } from '../../contract/rule.ts'
import type {
  Anchor,
  EventFilter,
  EventMeasure,
  Occurrence,
  OrderFilter,
  PropertyFilter,
  RuleEvent,
  Window,
} from '../../contract/rule-parts.ts'
import type { PersonEvent } from '../../server/audience/facts/person-facts.ts'
import { aFilter, anInstant, aWindow, compareWith, NOW, STORES, subset } from './audience-parts.ts'
import { fc } from './fast-check.ts'

const JOURNEYS = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b']
const NAMES = ['add_to_cart', '𠮷 <script>', 'share']
const CHANNELS = ['wecom', 'sms']
const SIZES = ['M', 'L', '𠮷 <b>"quoted"</b>', '']
const COUPONS = ['00000000-0000-7000-8000-0000000000c1', '00000000-0000-7000-8000-0000000000c2']
const KINDS = ['满100减10', 'gift']
const HOUR = 3_600_000

type Drawn = Omit<PersonEvent, 'at' | 'id'>
const blank = { detail: '', channel: '', store: '', subject: '', texts: {}, numbers: {} }

const tracked: fc.Arbitrary<Drawn> = fc
  .record({
    type: fc.constantFrom('tracked' as const, 'page_viewed'),
    detail: fc.constantFrom(...NAMES),
    size: fc.constantFrom(...SIZES, undefined),
    price: fc.constantFrom(0, 12.345, 0.1, 0.2, -3, 1e13, 99, undefined),
  })
  .map(({ type, detail, size, price }) => ({
    ...blank,
    type,
    detail,
    texts: size === undefined ? {} : { size },
    numbers: price === undefined ? {} : { price },
  }))

const touched: fc.Arbitrary<Drawn> = fc
  .record({
    type: fc.constantFrom('touch_sent' as const, 'touch_delivered', 'touch_decided'),
    channel: fc.constantFrom(...CHANNELS),
    subject: fc.constantFrom(...JOURNEYS, ''),
    state: fc.constantFrom('held_out', 'dropped'),
  })
  .map(({ state, ...touch }) => ({ ...blank, ...touch, detail: touch.type === 'touch_decided' ? state : '' }))

const couponed: fc.Arbitrary<Drawn> = fc
  .record({
    detail: fc.constantFrom('received', 'received', 'received', 'used', 'withdrawn', 'expired'),
    subject: fc.constantFrom(...COUPONS),
    kind: fc.constantFrom(...KINDS),
    expiresAt: fc.option(anInstant(60, 60), { nil: undefined }),
  })
  .map(({ detail, subject, kind, expiresAt }) => ({
    ...blank,
    type: 'coupon_changed' as const,
    detail,
    subject,
    texts: { kind },
    numbers: expiresAt === undefined ? {} : { expiresAt },
  }))

const replied: fc.Arbitrary<Drawn> = fc.oneof(
  fc.constantFrom(...CHANNELS).map((channel) => ({ ...blank, type: 'member_replied' as const, channel })),
  fc.constantFrom(...STORES).map((store) => ({ ...blank, type: 'visited_store' as const, store })),
)

/** `ahead` days in the future at most; times come close to one another and to the edges of days. */
export const anEvent = (ahead = 0): fc.Arbitrary<PersonEvent> =>
  fc
    .tuple(
      fc.uuid(),
      fc.oneof(
        { weight: 2, arbitrary: anInstant(200, ahead) },
        { weight: 3, arbitrary: anInstant(12, ahead) },
        { weight: 1, arbitrary: fc.constantFrom(NOW - 5 * HOUR, NOW - 24 * HOUR) },
      ),
      fc.oneof(tracked, tracked, touched, replied, couponed),
    )
    .map(([id, at, drawn]) => ({ ...drawn, id, at }))

const aProperty: fc.Arbitrary<PropertyFilter> = fc.oneof(
  fc.record({
    property: fc.constant('size'),
    op: fc.constantFrom('in' as const, 'not_in'),
    values: subset(SIZES.slice(0, 3)),
  }),
  fc.record({
    property: fc.constant('price'),
    op: fc.constantFrom('in' as const, 'not_in'),
    values: subset(['99', '0.10', '12.345', 'M']),
  }),
  fc.record({
    property: fc.constant('size'),
    op: fc.constant('contains' as const),
    values: fc.constantFrom<string[]>(['M'], ['𠮷'], ['<b>"', 'L']),
  }),
  compareWith([0, 0.1, 12.345]).map((compare) => ({ property: 'price', op: 'compare' as const, compare })),
  fc.record({
    property: fc.constantFrom('size', 'price', 'none'),
    op: fc.constantFrom('known' as const, 'unknown'),
  }),
)

const anEventFilter: fc.Arbitrary<EventFilter> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        event: fc.constantFrom<RuleEvent>('tracked', 'page_viewed'),
        names: fc.option(subset(NAMES), { nil: undefined }),
        properties: fc.array(aProperty, { maxLength: 2 }),
      })
      .map(({ names, ...filter }) => (names ? { ...filter, names } : filter)),
  },
  fc
    .record({
      event: fc.constantFrom<RuleEvent>('touch_sent', 'touch_delivered', 'touch_held_out', 'touch_dropped'),
      channels: fc.option(subset(CHANNELS), { nil: undefined }),
      journeys: fc.option(subset(JOURNEYS), { nil: undefined }),
    })
    .map(({ event, channels, journeys }) => ({
      event,
      ...(channels && { channels }),
      ...(journeys && { journeys }),
    })),
  fc.constantFrom<EventFilter>(
    { event: 'member_replied' },
    { event: 'member_replied', channels: ['wecom'] },
    { event: 'visited_store', stores: [STORES[0] ?? ''] },
  ),
)

const anOccurrence: fc.Arbitrary<Occurrence> = fc.oneof(
  { weight: 3, arbitrary: anEventFilter.map((filter) => ({ of: 'event' as const, filter })) },
  aFilter.map((filter: OrderFilter) => ({ of: 'purchase' as const, filter })),
)

const anAnchor = (joining: boolean): fc.Arbitrary<Anchor> => {
  const happened = fc.record({ at: fc.constantFrom('first' as const, 'last'), what: anOccurrence })
  return joining ? fc.oneof(fc.constant({ at: 'joining' as const }), happened) : happened
}

/** `joining`: also windows since joining, which have no SQL. */
export const aWindowOfAll = (joining: boolean): fc.Arbitrary<Window> =>
  fc.oneof(
    { weight: 3, arbitrary: aWindow },
    fc
      .tuple(anAnchor(joining), fc.constantFrom(undefined, 1, 7, 30))
      .map(([anchor, days]) => ({ kind: 'since' as const, anchor, ...(days !== undefined && { days }) })),
  )

const anEventMeasure: fc.Arbitrary<EventMeasure> = fc.oneof(
  fc.record({
    of: fc.constantFrom('count' as const, 'distinct_days', 'days_since_first', 'days_since_last'),
  }),
  fc.record({
    of: fc.constantFrom('sum' as const, 'avg', 'min', 'max', 'first', 'last', 'distinct'),
    property: fc.constantFrom('price', 'price', 'size'),
  }),
) as fc.Arbitrary<EventMeasure>

const anEventsLeaf = (joining: boolean): fc.Arbitrary<Leaf> =>
  fc.tuple(anEventFilter, anEventMeasure, aWindowOfAll(joining)).chain(([filter, measure, window]) => {
    const values = measure.of.startsWith('days_since') ? [0, 1, 7, 30] : [0, 0.3, 1, 2, 12.345]
    return compareWith(values).map((compare) => ({
      kind: 'events' as const,
      filter,
      measure,
      window,
      compare,
    }))
  })

const aSequence = (joining: boolean): fc.Arbitrary<Leaf> =>
  fc.record({
    kind: fc.constant('sequence' as const),
    first: anOccurrence,
    second: anOccurrence,
    withinDays: fc.constantFrom(1, 3, 30),
    happened: fc.boolean(),
    which: fc.constantFrom('any' as const, 'first', 'last'),
    window: aWindowOfAll(joining),
  })

const aCoupon: fc.Arbitrary<Leaf> = fc
  .record({
    kinds: fc.option(subset(KINDS), { nil: undefined }),
    states: subset(['received', 'used', 'expired', 'withdrawn'] as const),
    expiresWithinDays: fc.constantFrom(undefined, undefined, 1, 7, 30),
    atLeast: fc.constantFrom(1, 1, 2),
  })
  .map(({ kinds, expiresWithinDays, ...leaf }) => ({
    kind: 'coupon' as const,
    ...leaf,
    ...(kinds && { kinds }),
    ...(expiresWithinDays !== undefined && { expiresWithinDays }),
  }))

export const aHistoryLeaf = (joining: boolean): fc.Arbitrary<Leaf> =>
  fc.oneof(anEventsLeaf(joining), anEventsLeaf(joining), aSequence(joining), aCoupon)

/** What the log says of it. */
export function dataOf({ type, detail, channel, store, subject, texts, numbers }: PersonEvent): object {
  if (type === 'tracked') return { name: detail, properties: { ...texts, ...numbers } }
  if (type === 'page_viewed')
    return { page: detail, dwellSeconds: null, properties: { ...texts, ...numbers } }
  if (type === 'member_replied') return { channel, staffId: null }
  if (type === 'visited_store') return { storeId: store, bought: null, triedSku: null }
  if (type === 'coupon_changed') {
    const expires = numbers['expiresAt']
    return {
      couponId: subject,
      kind: texts['kind'],
      state: detail,
      expiresAt: expires === undefined ? null : new Date(expires).toISOString(),
    }
  }
  const touch = { touchId: subject || STORES[0], channel, class: 'marketing', senderId: null }
  return { ...touch, journeyId: subject || null, state: detail || undefined, costCents: 5, reason: 'cap' }
}
