/** Reading facts: attributes and tags from PostgreSQL, purchases and interactions from ClickHouse. */
import type { EventType } from '../../../contract/events.ts'
import { type OrderRow, rowsOf } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { type FactNeeds, sinceOf } from '../rule/fact-needs.ts'
import type { ZoneDays } from '../rule/zone-days.ts'
import { byTime, type Claim, lineCents, type PersonFacts, type Purchase } from './person-facts.ts'
import { type PersonRow, selectClaims, selectPersons, selectSnapshots, selectTags } from './store.ts'

/** An exchange with the brand; purchases are none (a different silence). */
export const interactionTypes = [
  'member_replied',
  'visited_store',
  'page_viewed',
  'contact_added',
] as const satisfies readonly EventType[]

/** What orders and events say of a person. */
type History = Pick<PersonFacts, 'purchases' | 'events' | 'lastInteractionAt'>

/** What is looked at, and when: events that no window holds any more are not read. */
export type LoadHow = { needs: FactNeeds; now: number; days: ZoneDays }

/** Facts of the persons who are there (absorbed, removed and erased ones are left out), by id. */
export async function loadFacts(
  db: Db,
  clickhouse: ClickHouse,
  personIds: readonly number[],
  { needs, now, days }: LoadHow,
): Promise<Map<number, PersonFacts>> {
  const { events, texts, numbers } = needs
  const wanted = {
    lines: needs.lines,
    lastOf: interactionTypes,
    ...(events.size > 0
      ? { events: { types: events, since: sinceOf(needs, now, days), texts, numbers } }
      : {}),
  }
  const [persons, rows] = await Promise.all([
    loadPersons(db, personIds, needs),
    rowsOf(clickhouse, db, personIds, wanted),
  ])
  return new Map(
    [...persons].map(([id, person]) => {
      const { orders = [], events = [], lastAt = null } = rows.get(id) ?? {}
      return [
        id,
        {
          ...person,
          purchases: purchasesOf(orders),
          events: events,
          lastInteractionAt: lastAt,
        },
      ]
    }),
  )
}

type PersonWithout = Omit<PersonFacts, keyof History>

/** The part that PostgreSQL knows. */
async function loadPersons(
  db: Db,
  personIds: readonly number[],
  needs: FactNeeds,
): Promise<Map<number, PersonWithout>> {
  const persons = await selectPersons(db, personIds, needs.attributes)
  const ids = persons.map((person) => person.id)
  const tagged = needs.tags ? await selectTags(db, ids) : []
  const tags = new Map(tagged.map((row) => [row.personId, row.tags]))
  const claims = Map.groupBy(await selectClaims(db, ids), (row) => row.personId)
  const snapshots = await selectSnapshots(db, ids)
  return new Map(
    persons.map((person) => [
      person.id,
      {
        personId: person.id,
        attributes: attributesOf(person),
        birthday: person.birthday,
        lunar: person.lunar,
        joinedAt: person.joinedAt?.getTime() ?? null,
        tags: tags.get(person.id) ?? [],
        claims: (claims.get(person.id) ?? []).map(
          ({ at, ...claim }): Claim => ({ ...claim, at: at.getTime() }),
        ),
        snapshots: snapshots.get(person.id) ?? [],
      },
    ]),
  )
}

function attributesOf(person: PersonRow): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of Object.entries(person.attributes ?? {})) {
    if (value !== null && value !== '')
      found.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return found
}

/** Only purchases: paid and not wholly refunded; in the order in which they are folded. */
function purchasesOf(orders: readonly OrderRow[]): Purchase[] {
  const purchases = orders.filter((order) => order.purchase).map(purchaseOf)
  for (let index = 1; index < purchases.length; index += 1) {
    const [before, after] = [purchases[index - 1], purchases[index]]
    if (before && after && byTime(before, after) > 0) return purchases.sort(byTime)
  }
  return purchases
}

function purchaseOf(order: OrderRow): Purchase {
  const lines = order.lines.map((line) => ({
    sku: line.sku,
    category: line.category,
    quantity: line.quantityMilli,
    amount: lineCents(line.quantityMilli, line.priceCents) - line.discountCents - line.refundedCents,
    discount: line.discountCents,
  }))
  return {
    at: order.at,
    id: order.orderId,
    amount: order.totalCents - order.refundedCents,
    discount: order.discountCents,
    quantity: lines.reduce((sum, line) => sum + line.quantity, 0),
    store: order.store,
    seller: order.seller,
    channel: order.channel,
    side: order.side,
    campaign: order.campaign,
    coupon: order.coupon !== '',
    lines,
  }
}
