import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { type IdentifierKind, identifierRules } from './identifier.ts'
import { type Node, partition, type Verdict } from './partition.ts'

const phone = (digest: string) => ({ kind: 'phone', scope: '', digest }) as const
const card = (digest: string) => ({ kind: 'card', scope: 'erp', digest }) as const
const unionid = (digest: string) => ({ kind: 'unionid', scope: '', digest }) as const
const device = (digest: string) => ({ kind: 'device', scope: '', digest }) as const
const node = (id: number, ...claims: Node['claims']): Node => ({ id, claims })

function sets(nodes: readonly Node[], verdicts: readonly Verdict[] = []): number[][] {
  const { personOf } = partition(nodes, verdicts)
  const found = Map.groupBy([...personOf], ([, person]) => person)
  return [...found.values()].map((pairs) => pairs.map(([profile]) => profile).sort((a, b) => a - b)).sort()
}

describe('who is the same person', () => {
  test('profiles that share a phone are one person, named by the oldest', () => {
    expect(sets([node(7, phone('p')), node(3, phone('p'), card('1'))])).toEqual([[3, 7]])
    expect(partition([node(7, phone('p')), node(3, phone('p'))], []).personOf.get(7)).toBe(3)
  })

  test('a family that shares a phone is two people, and the phone goes to review', () => {
    const family = [node(1, phone('p'), card('1')), node(2, phone('p'), card('2'))]
    expect(sets(family)).toEqual([[1], [2]])
    expect(partition(family, []).contested).toEqual([{ ...phone('p'), persons: [1, 2] }])
  })

  test('a phone that two people use says nothing about a third', () => {
    expect(
      sets([node(1, phone('p'), card('1')), node(2, phone('p'), card('2')), node(3, phone('p'))]),
    ).toEqual([[1], [2], [3]])
  })

  test('a chain that only as a whole contradicts itself joins nobody', () => {
    const chain = [
      node(1, card('1'), phone('p')),
      node(2, phone('p'), phone('q')),
      node(3, card('2'), phone('q')),
    ]
    expect(sets(chain)).toEqual([[1], [2], [3]])
    expect(partition(chain, []).contested.map((one) => one.digest)).toEqual(['p', 'q'])
  })

  test('a surer identifier wins over a phone', () => {
    const nodes = [
      node(1, unionid('u'), phone('p')),
      node(2, unionid('u'), card('1')),
      node(3, phone('p'), card('2')),
    ]
    expect(sets(nodes)).toEqual([[1, 2], [3]])
  })

  test('the same card number of two systems is two cards', () => {
    const shop = { kind: 'card', scope: 'shop', digest: '1' } as const
    expect(sets([node(1, card('1')), node(2, shop)])).toEqual([[1], [2]])
  })

  test('a visitor follows a device to the one person that is known by it, not to one of two', () => {
    expect(sets([node(1, phone('p'), device('d')), node(9, device('d'))])).toEqual([[1, 9]])
    const shared = [node(1, phone('p'), device('d')), node(2, phone('q'), device('d')), node(9, device('d'))]
    expect(sets(shared)).toEqual([[1], [2], [9]])
  })

  test('an identifier of more than a hundred profiles joins nobody and is told', () => {
    const crowd = Array.from({ length: 101 }, (_, index) => node(index + 1, phone('shop')))
    expect(sets(crowd)).toHaveLength(101)
    expect(partition(crowd, []).worn).toEqual(['phone||shop'])
    expect(sets(crowd.slice(1))).toHaveLength(1)
  })

  test('people who were joined by hand are one, whatever their cards say', () => {
    const two = [node(1, card('1')), node(2, card('2'))]
    expect(sets(two, [{ low: 1, high: 2, says: 'together' }])).toEqual([[1, 2]])
    expect(sets([...two, node(3, card('2'), phone('p'))], [{ low: 1, high: 2, says: 'together' }])).toEqual([
      [1, 2, 3],
    ])
  })

  test('people who were told apart stay apart, whatever they share', () => {
    const nodes = [node(1, phone('p')), node(2, phone('p'), unionid('u')), node(3, unionid('u'))]
    expect(sets(nodes, [{ low: 1, high: 2, says: 'apart' }])).toEqual([[1], [2, 3]])
    expect(sets(nodes, [{ low: 1, high: 3, says: 'apart' }])).toEqual([[1], [2, 3]])
  })
})

const kinds: readonly IdentifierKind[] = ['card', 'unionid', 'phone', 'email', 'device']
const claims = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    scope: fc.constant(''),
    digest: fc.constantFrom('a', 'b', 'c', 'd'),
  }),
  { maxLength: 4 },
)
const world = fc
  .array(claims, { minLength: 1, maxLength: 9 })
  .map((all) => all.map((list, index) => ({ id: index + 1, claims: oneOfAKind(list) })))
const verdicts = fc.array(
  fc
    .tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('together', 'apart'),
    )
    .filter(([a, b]) => a !== b)
    .map(
      ([a, b, says]): Verdict => ({
        low: Math.min(a, b),
        high: Math.max(a, b),
        says: says as Verdict['says'],
      }),
    ),
  { maxLength: 3 },
)

/** A record says one card, one unionid. */
function oneOfAKind(list: Node['claims']): Node['claims'] {
  return list.filter(
    (claim, index) =>
      list.findIndex(
        (other) =>
          other.kind === claim.kind &&
          (identifierRules[claim.kind].onePerPerson || other.digest === claim.digest),
      ) === index,
  )
}

test('no order changes who is the same person', () => {
  fc.assert(
    fc.property(
      world.chain((nodes) =>
        fc.tuple(fc.constant(nodes), fc.shuffledSubarray(nodes, { minLength: nodes.length })),
      ),
      verdicts,
      ([nodes, shuffled], decided) => {
        const turned = shuffled.map(({ id, claims: list }) => ({ id, claims: [...list].reverse() }))
        expect(partition(turned, [...decided].reverse())).toMatchObject({
          contested: partition(nodes, decided).contested,
          worn: partition(nodes, decided).worn,
        })
        expect(sets(turned, [...decided].reverse())).toEqual(sets(nodes, decided))
      },
    ),
    { numRuns: 500 },
  )
})

test('without a decision by hand nobody has two cards, and nobody who was told apart is together', () => {
  fc.assert(
    fc.property(world, verdicts, (nodes, decided) => {
      const apart = decided.filter(({ says }) => says === 'apart')
      const { personOf } = partition(nodes, apart)
      for (const { low, high } of apart) {
        if (personOf.has(low) && personOf.has(high)) expect(personOf.get(low)).not.toBe(personOf.get(high))
      }
      for (const profiles of Map.groupBy(nodes, ({ id }) => personOf.get(id)).values()) {
        for (const kind of ['card', 'unionid'] as const) {
          const values = new Set(
            profiles.flatMap((one) =>
              one.claims.filter((claim) => claim.kind === kind).map((claim) => claim.digest),
            ),
          )
          expect(values.size).toBeLessThanOrEqual(1)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('where nothing contradicts, persons are exactly those that identifiers connect', () => {
  const harmless = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e').map(phone), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 10,
  })
  fc.assert(
    fc.property(harmless, (all) => {
      const nodes = all.map((list, index) => node(index + 1, ...list))
      expect(sets(nodes)).toEqual(connected(nodes))
      expect(partition(nodes, []).contested).toEqual([])
    }),
  )
})

/** By the plainest way: spread the smallest number until nothing changes. */
function connected(nodes: readonly Node[]): number[][] {
  const label = new Map(nodes.map(({ id }) => [id, id]))
  for (let changed = true; changed; ) {
    changed = false
    for (const a of nodes) {
      for (const b of nodes) {
        const shares = a.claims.some((one) => b.claims.some((other) => one.digest === other.digest))
        const [la = 0, lb = 0] = [label.get(a.id), label.get(b.id)]
        if (shares && la < lb) {
          label.set(b.id, la)
          changed = true
        }
      }
    }
  }
  return [...Map.groupBy(nodes, ({ id }) => label.get(id)).values()]
    .map((list) => list.map(({ id }) => id))
    .sort()
}
