/** Few stores, few categories, times close to the edges of days: what random rules and persons share. */
import type { Compare, OrderFilter, Window } from '../../contract/rule-parts.ts'
import { fc } from './fast-check.ts'

export const STORES = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002']
export const CATEGORIES = ['shoes', 'coats', '']
export const SKUS = ['a', 'b', 'c']
export const CHANNELS = ['小程序', 'pos', '']
/** Both changes of summer time in New York lie in the span. */
export const NOW = Date.parse('2026-06-15T04:30:00Z')
export const DAY = 86_400_000
const HOUR = 3_600_000

export const subset = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: 1, maxLength: Math.min(3, values.length) })

/** Instants that fall on, just before and just after full hours: local midnights of both zones are among them. */
export const anInstant = (daysBack: number, daysAhead = 0): fc.Arbitrary<number> =>
  fc
    .tuple(fc.integer({ min: -daysBack * 24, max: daysAhead * 24 }), fc.constantFrom(0, 0, -1, 1, 1_234_567))
    .map(([hours, off]) => Math.floor(NOW / HOUR) * HOUR + hours * HOUR + off)

export const compareWith = (values: readonly number[]): fc.Arbitrary<Compare> =>
  fc.oneof(
    fc.record({
      op: fc.constantFrom('eq', 'ne', 'lt', 'le', 'gt', 'ge' as const),
      value: fc.constantFrom(...values),
    }),
    fc
      .tuple(fc.constantFrom(...values), fc.constantFrom(...values))
      .map(([a, b]) => ({ op: 'between' as const, from: Math.min(a, b), to: Math.max(a, b) })),
  ) as fc.Arbitrary<Compare>

export const aWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.constant({ kind: 'ever' as const }),
  fc.record({ kind: fc.constant('rolling' as const), days: fc.constantFrom(1, 7, 30, 90, 365) }),
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day' as const, 'week', 'month', 'quarter', 'year'),
    back: fc.integer({ min: 0, max: 3 }),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.constantFrom(
    { kind: 'absolute' as const, from: '2026-01-01', to: '2026-06-15' },
    { kind: 'absolute' as const, from: '2025-11-02', to: '2025-11-02' },
    { kind: 'absolute' as const, from: '2026-03-08', to: '2026-03-08' },
  ),
)

export const aFilter: fc.Arbitrary<OrderFilter> = fc.oneof(
  fc.constant({}),
  subset(STORES).map((stores) => ({ stores })),
  subset(CATEGORIES.slice(0, 2)).map((categories) => ({ categories })),
  subset(SKUS).map((skus) => ({ skus })),
  subset(['online', 'offline'] as const).map((sides) => ({ sides })),
  subset(['小程序', 'pos']).map((channels) => ({ channels })),
  fc.boolean().map((withCoupon) => ({ withCoupon })),
  fc.constant<OrderFilter>({ campaigns: ['618'], categories: ['shoes'] }),
  compareWith([5000, 20_000]).map((amount) => ({ amount })),
)
