import { expect, test } from 'vitest'
import { lineOf, orderOf } from '../../test/support/orders.ts'
import { replaces, withRefunds } from './order-state.ts'

const line = (sku: string, quantity: number, priceCents: number) => lineOf(sku, priceCents, { quantity })
const order = orderOf('1', '2026-01-01T00:00:00.000Z', 5000, {
  lines: [line('a', 2, 1000), line('a', 1, 1000), line('b', 1, 2000)],
})
const at = '2026-01-05T00:00:00.000Z'

test('refunds that are listed apart add up, for the order and for its lines', () => {
  const state = withRefunds(order, [
    { at, refundedCents: 2500, lines: [{ sku: 'a', refundedCents: 2500 }] },
    { at, refundedCents: 500, lines: [{ sku: 'b', refundedCents: 500 }] },
  ])
  expect(state.refundedCents).toBe(3000)
  expect(state.status).toBe('paid')
  expect(state.lines.map((each) => each.refundedCents)).toEqual([2000, 500, 500])
})

test('money that a source states in the order and lists apart is refunded once', () => {
  const stated = { ...order, refundedCents: 2500 }
  expect(withRefunds(stated, [{ at, refundedCents: 2500, lines: [] }]).refundedCents).toBe(2500)
  expect(withRefunds(stated, [{ at, refundedCents: 2600, lines: [] }]).refundedCents).toBe(2600)
})

test('an order whose money is all given back is refunded, one that cost nothing stays', () => {
  expect(withRefunds(order, [{ at, refundedCents: 5000, lines: [] }]).status).toBe('refunded')
  expect(withRefunds({ ...order, totalCents: 0 }, []).status).toBe('paid')
  expect(withRefunds({ ...order, status: 'cancelled', refundedCents: 5000 }, []).status).toBe('cancelled')
})

test('the greater revision counts; without one, what comes later', () => {
  const known = { revision: 5, digest: 'b' }
  expect(replaces({ revision: 6, digest: 'a' }, known)).toBe('newer')
  expect(replaces({ revision: 4, digest: 'c' }, known)).toBe('older')
  expect(replaces({ revision: 5, digest: 'b' }, known)).toBe('unchanged')
  expect(replaces({ revision: 5, digest: 'a' }, known)).toBe('older')
  expect(replaces({ revision: 5, digest: 'c' }, known)).toBe('newer')
  expect(replaces({ revision: null, digest: 'a' }, known)).toBe('newer')
  expect(replaces({ revision: null, digest: 'b' }, known)).toBe('unchanged')
})
