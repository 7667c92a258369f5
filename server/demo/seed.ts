/**
 * Writing the demo brand.
 *
 * Stored: `demo_brand` with seed, size and the moment that counts as now, and how many members are written; the count
 * moves in the transaction of each chunk. Always true: seed, size and moment give the same people with the same orders,
 * so a seeding that was killed goes on where it stood, and writing a chunk again changes nothing (people by the id of
 * their source, orders by theirs, definitions by name). History comes on the bulk lane: it starts no SOP.
 */

import { setTags, type Tagging } from '../audience/audience.ts'
import { type OrderDocument, recordOrders } from '../events/events.ts'
import { type MembersDeps, type Resolved, resolve } from '../members/members.ts'
import type { OneTime } from '../org/org.ts'
import { crashPoint } from '../platform/crash.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { Chance } from './chance.ts'
import { guideTags, seedDefinitions } from './definitions.ts'
import { inOpeningHours } from './hours.ts'
import { seedOrganisation } from './organisation.ts'
import {
  contactOf,
  DEMO_SHOP,
  DEMO_SOURCE,
  DEMO_WECOM,
  echoesOf,
  externalIdOf,
  joiningTime,
  memberOf,
  type Places,
  type SimulatedMember,
} from './people.ts'
import { orderOf, purchaseTimes } from './purchases.ts'
import {
  beginDemo,
  countDemo,
  type DemoBrand,
  isUntouched,
  lockDemo,
  moveState,
  noteSeeded,
  presentNames,
  readDemo,
  realMembers,
} from './store.ts'

export type DemoParts = { db: Database; members: MembersDeps }
export type SeedOptions = {
  now: Date
  members?: number
  seed?: string
  onProgress?: (what: 'organisation' | 'definitions' | 'members', done: number, total: number) => void
}
export type Seeded = { members: number; orders: number; logins: OneTime[] }

const MEMBERS = 20_000
const MOST_MEMBERS = 200_000
/** Members of one transaction; about half a second with their orders. */
const CHUNK = 1000
/** Contacts that nobody registered, for each member. */
const CONTACTS = 0.06
/** Orders without a buyer, for each member: cash at the till. */
const ANONYMOUS = 0.3
const TAGGED = 0.25

/** Whether a start may seed: nothing was ever written here, or a seeding was killed. */
export async function wantsDemo(db: Database): Promise<boolean> {
  return (await isUntouched(db)) || (await readDemo(db))?.state === 'seeding'
}

/**
 * Writes the demo brand, or goes on with one whose writing was killed (with its own seed and size). What was written is
 * evaluated by the work loops afterwards. `logins` opens the workbench as a guide and as a store manager.
 * Errors: `conflict` where a demo brand or real members are there, `bad_input` for a size beyond reason.
 */
export async function seedDemo(parts: DemoParts, options: SeedOptions): Promise<Seeded> {
  const { db } = parts
  const { seed = 'liuliang', members = MEMBERS, now, onProgress } = options
  if (!Number.isInteger(members) || members < 1 || members > MOST_MEMBERS)
    throw new Problem('bad_input', `A demo brand has 1 to ${MOST_MEMBERS} members.`, { field: 'members' })
  const brand = await begin(db, { seed, members, now })
  const at = brand.beganAt
  onProgress?.('organisation', 0, 1)
  const { places, logins } = await seedOrganisation(db, { seed: brand.seed, now: at })
  onProgress?.('definitions', 0, 1)
  await seedDefinitions(db, at)
  const { tags } = await presentNames(db)
  const tagIds = guideTags.flatMap((name) => tags.get(name) ?? [])
  // While the orders of a chunk are written the people of the next are resolved: one waits for the database, one thinks.
  let writing: Promise<void> = Promise.resolve()
  for (let from = brand.seeded; from < brand.members; from += CHUNK) {
    const chunk = { brand, places, tagIds, from, to: Math.min(from + CHUNK, brand.members) }
    onProgress?.('members', from, brand.members)
    const [people] = await Promise.all([db.transaction((tx) => writePeople(parts, tx, chunk)), writing])
    crashPoint('demo.chunk_done')
    writing = db.transaction((tx) => writeOrders(tx, chunk, people))
  }
  await writing
  onProgress?.('members', brand.members, brand.members)
  await moveState(db, ['seeding'], 'settling')
  return { members: brand.members, orders: (await countDemo(db)).orders, logins }
}

async function begin(
  db: Database,
  { seed, members, now }: { seed: string; members: number; now: Date },
): Promise<DemoBrand> {
  return db.transaction(async (tx) => {
    const present = await lockDemo(tx)
    if (present?.state === 'seeding') return present
    if (await realMembers(tx))
      throw new Problem(
        'conflict',
        'There are members already. The demo brand goes into an empty directory only.',
      )
    if (!(await beginDemo(tx, { seed, members, at: now })))
      throw new Problem(
        'conflict',
        'The demo brand is here already. Take it out first: liuliang demo --remove',
      )
    const begun = await lockDemo(tx)
    if (!begun) throw new Error('the demo brand has not begun')
    return begun
  })
}

type Chunk = { brand: DemoBrand; places: Places; tagIds: readonly number[]; from: number; to: number }

type People = { members: SimulatedMember[]; resolved: (Resolved | null)[] }

/** Members `from` + 1 … `to`, as their ERP, the shop and the guides' WeCom know them. */
async function writePeople(parts: DemoParts, tx: Tx, chunk: Chunk): Promise<People> {
  const { brand, places } = chunk
  const { seed, beganAt } = brand
  const members = range(chunk).map((number) => demoMember(seed, number, places, beganAt))
  const how = { lane: 'bulk', at: beganAt } as const
  const rows = members.map(({ row }) => row)
  const resolved = await resolve(parts.members, tx, rows, { ...how, source: DEMO_SOURCE })
  const echoes = members.flatMap((member) =>
    echoesOf(new Chance(seed, 'echo', member.number), member, beganAt),
  )
  const contacts = range(chunk).flatMap((number) => {
    const chance = new Chance(seed, 'contact', number)
    return chance.hits(CONTACTS) ? [contactOf(chance, number, places, beganAt)] : []
  })
  const spoken = [...echoes, ...contacts.map((row) => ({ source: DEMO_WECOM, row }))]
  for (const source of [DEMO_SOURCE, DEMO_WECOM, DEMO_SHOP]) {
    const told = spoken.filter((one) => one.source === source).map(({ row }) => row)
    await resolve(parts.members, tx, told, { ...how, source })
  }
  crashPoint('demo.people_written')
  return { members, resolved }
}

/** Their orders, those of nobody known, what guides have noted. The chunk is done with it. */
async function writeOrders(tx: Tx, chunk: Chunk, { members, resolved }: People): Promise<void> {
  const { brand, places, tagIds } = chunk
  const { seed, beganAt } = brand
  const documents = members.flatMap((member, index) => {
    const { profileId = null, personId = null } = resolved[index] ?? {}
    return ordersOf(seed, member, beganAt).map((order): OrderDocument => ({ profileId, personId, order }))
  })
  const anonymous = range(chunk).flatMap((number) => anonymousOrder(seed, number, places, beganAt))
  const all = [...documents, ...anonymous]
  for (let at = 0; at < all.length; at += 5000)
    await recordOrders(tx, all.slice(at, at + 5000), {
      lane: 'bulk',
      source: DEMO_SOURCE,
      receivedAt: beganAt,
    })
  const taggings = members.flatMap((member, index): Tagging[] => {
    const chance = new Chance(seed, 'tag', member.number)
    const tagId = chance.hits(TAGGED) ? tagIds[chance.below(tagIds.length)] : undefined
    const personId = resolved[index]?.personId
    return tagId === undefined || personId === undefined ? [] : [{ personId, tagId }]
  })
  await setTags(tx, taggings, {
    producer: 'guide',
    origin: 'manual',
    at: beganAt,
    lane: 'bulk',
    reason: '到店沟通',
  })
  crashPoint('demo.orders_written')
  await noteSeeded(tx, chunk.to)
}

function range({ from, to }: { from: number; to: number }): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index + 1)
}

/** Member `number` of a brand that began at `beganAt`. */
export function demoMember(seed: string, number: number, places: Places, beganAt: Date): SimulatedMember {
  const chance = new Chance(seed, 'member', number)
  return memberOf(chance, number, places, joiningTime(chance, beganAt))
}

/** All orders of a member up to `until`. */
export function ordersOf(seed: string, member: SimulatedMember, until: Date): OrderDocument['order'][] {
  const chance = new Chance(seed, 'buy', member.number)
  return purchaseTimes(chance, member.joinedAt, until).map((at, index) => {
    const side = chance.hits(member.online ? 0.75 : 0.12) ? ('online' as const) : ('offline' as const)
    const sellerId = side === 'offline' && chance.hits(0.85) ? member.guide.id : null
    const purchase = {
      externalId: `${externalIdOf(member.number)}-${index + 1}`,
      at,
      storeId: side === 'offline' ? member.place.storeId : null,
      sellerId,
      side,
    }
    return orderOf(chance, purchase, DEMO_SOURCE)
  })
}

function anonymousOrder(seed: string, number: number, places: Places, beganAt: Date): OrderDocument[] {
  const chance = new Chance(seed, 'till', number)
  if (!chance.hits(ANONYMOUS)) return []
  const place = chance.one(places)
  const at = instant(
    Math.min(inOpeningHours(chance, joiningTime(chance, beganAt).getTime()), beganAt.getTime()),
  )
  const purchase = {
    externalId: `T${number}`,
    at,
    storeId: place.storeId,
    sellerId: null,
    side: 'offline' as const,
  }
  return [{ profileId: null, personId: null, order: orderOf(chance, purchase, DEMO_SOURCE) }]
}
