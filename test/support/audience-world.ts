/** Persons, orders and tags in both stores, and one step of everything that follows from them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventType, OrderState } from '../../contract/events.ts'
import { countDue, evaluateOnce, recompute } from '../../server/audience/audience.ts'
import type { PersonFacts, Purchase } from '../../server/audience/facts/person-facts.ts'
import {
  append,
  hasCaughtUp,
  type Lane,
  lanes,
  type NewEvent,
  projectOnce,
  recordOrders,
  registerConsumers,
} from '../../server/events/events.ts'
import type { ClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { newId } from '../../server/platform/ids.ts'
import { type LeaseToken, takeLease } from '../../server/platform/jobs/lease.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { testClickHouse } from './clickhouse.ts'
import { testDatabase } from './database.ts'

export type World = { db: Database; clickhouse: ClickHouse; project: LeaseToken; evaluate: LeaseToken }

export async function audienceWorld(): Promise<World> {
  const db = await testDatabase()
  const clickhouse = await testClickHouse()
  await registerConsumers(db, ['project', 'evaluate'])
  return { db, clickhouse, project: await leaseOf(db, 'project'), evaluate: await leaseOf(db, 'evaluate') }
}

async function leaseOf(db: Database, name: string): Promise<LeaseToken> {
  const token = await takeLease(db, name, 3_600_000)
  if (!token) throw new Error(`the lease ${name} is held`)
  return token
}

export type PersonGiven = Partial<Omit<PersonFacts, 'attributes' | 'purchases'>> & {
  personId: number
  attributes?: ReadonlyMap<string, string>
}

/** Rows as members would write them, with an event of the lane for each. */
export async function addPersons(
  world: World,
  persons: readonly PersonGiven[],
  at: Date,
  lane: Lane = 'live',
): Promise<void> {
  await world.db.transaction(async (tx) => {
    for (const {
      personId,
      attributes = new Map<string, string>(),
      birthday = null,
      lunar = false,
      joinedAt = null,
    } of persons) {
      const custom = Object.fromEntries([...attributes].filter(([name]) => name.startsWith('custom.')))
      await tx.run(sql`
        insert into person (id, public_id, kind, gender, city, home_store_id, birthday, birthday_lunar, joined_at, source, attributes, first_seen_at, changed_at)
        values (${personId}, ${newId(at)}, ${attributes.get('kind') ?? 'member'}, ${attributes.get('gender') ?? null}, ${attributes.get('city') ?? null},
          ${attributes.get('home_store') ?? null}, ${birthday}, ${lunar}, ${joinedAt === null ? null : new Date(joinedAt)}, 'organic', ${JSON.stringify(custom)}::jsonb, ${at}, ${at})`)
      await tx.run(sql`
        insert into profile (id, person_id, source, key, attributes, created_at)
        values (${personId}, ${personId}, 'test', ${Buffer.from(String(personId))}, '{}', ${at})`)
    }
    await tell(
      tx,
      persons.map(({ personId }) => happened('attributes_changed', personId, at, { changed: {} })),
      at,
      lane,
    )
  })
}

export function happened(type: EventType, personId: number, at: Date, data: object): NewEvent {
  return { id: newId(at), type, profileId: personId, personId, at, data }
}

export async function tell(
  tx: Parameters<typeof append>[0],
  events: readonly NewEvent[],
  at: Date,
  lane: Lane = 'live',
): Promise<void> {
  await append(tx, events, { lane, source: 'test', receivedAt: at })
}

let count = 0

export async function addOrders(
  world: World,
  purchases: readonly { personId: number; purchase: Purchase }[],
  at: Date,
  lane: Lane = 'live',
): Promise<void> {
  await world.db.transaction(async (tx) => {
    await recordOrders(
      tx,
      purchases.map(({ personId, purchase }) => {
        count += 1
        return { profileId: personId, personId, order: orderOf(purchase, `o${count}`) }
      }),
      { lane, source: 'test', receivedAt: at },
    )
  })
}

export function orderOf(purchase: Purchase, externalId: string): OrderState {
  const when = new Date(purchase.at).toISOString()
  return {
    source: 'test',
    externalId,
    placedAt: when,
    paidAt: when,
    status: 'paid',
    totalCents: purchase.amount,
    refundedCents: 0,
    discountCents: purchase.discount,
    storeId: purchase.store || null,
    sellerId: purchase.seller || null,
    channel: purchase.channel || null,
    side: (purchase.side || null) as 'online' | 'offline' | null,
    campaign: purchase.campaign || null,
    coupon: purchase.coupon ? 'c' : null,
    lines: purchase.lines.map((line) => {
      // A line whose amount is what the purchase says: one piece of the price that remains.
      const price = Math.round(((line.amount + line.discount) * 1000) / line.quantity)
      return {
        sku: line.sku,
        name: line.sku,
        category: line.category || null,
        quantity: line.quantity / 1000,
        priceCents: price,
        discountCents: line.discount,
        costCents: null,
        refundedCents: 0,
      }
    }),
  }
}

/** Projects everything that is committed: other test files share the server and may hold the log's horizon back. */
export async function projectAll(
  { db, clickhouse, project }: Pick<World, 'db' | 'clickhouse' | 'project'>,
  now: Date,
): Promise<void> {
  for (;;) {
    for (const lane of lanes) {
      while ((await projectOnce(db, clickhouse, { lane, token: project, now })) > 0);
    }
    if (await hasCaughtUp(db, 'project')) return
    await sleep(20)
  }
}

/** Projects and evaluates until nothing is left to do. */
export async function settleAll(world: World, now: Date, zone = 'Asia/Shanghai'): Promise<number> {
  let persons = 0
  // So few that writing some overlaps with reading the next ones.
  const how = { token: world.evaluate, now, zone, atOnce: 250 }
  for (;;) {
    await projectAll(world, now)
    const done = await evaluateOnce(world.db, world.clickhouse, how)
    persons += done.persons
    if (done.persons > 0) continue
    if ((await recompute(world.db, world.clickhouse, { ...how, now: () => now })) !== undefined) continue
    const { live, bulk, time } = await countDue(world.db, now)
    if (live + bulk + time === 0 && (await hasCaughtUp(world.db, 'evaluate'))) return persons
    await sleep(20)
  }
}
