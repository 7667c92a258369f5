/** The values that scripts and messages may name: member, store, guide, order, tried, days. Missing ones read naturally. */
import type { Tx } from '../platform/postgres/database.ts'
import type { DueEnrolment } from './enrolment-store.ts'
import { factsOf, type PersonFacts } from './person-store.ts'

const DAY_MS = 86_400_000
type Walker = Pick<DueEnrolment, 'person_id' | 'facts'>

/** By person, asked once for all. */
export async function scriptFacts(
  tx: Tx,
  walkers: readonly Walker[],
  now: Date,
): Promise<Map<number, Record<string, unknown>>> {
  const known = await factsOf(
    tx,
    walkers.map((walker) => walker.person_id),
  )
  return new Map(
    walkers.map((walker) => [walker.person_id, valuesFor(known.get(walker.person_id), walker, now)]),
  )
}

export function valuesFor(
  person: PersonFacts | undefined,
  walker: Walker,
  now: Date,
): Record<string, unknown> {
  const last = person?.lastPurchaseAt ?? null
  return {
    member: { name: person?.name ?? '' },
    store: { name: person?.store ?? '我们店' },
    guide: { name: person?.guide ?? '店员' },
    order: { items: person && person.lastItems.length > 0 ? person.lastItems.join('、') : '我们的商品' },
    tried: { sku: String(walker.facts['tried'] ?? '商品') },
    days: last === null ? 0 : Math.floor((now.getTime() - last.getTime()) / DAY_MS),
  }
}
