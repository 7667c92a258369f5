/**
 * Reading persons from ClickHouse: orders folded to their last version, and events, of some persons or of everybody.
 * Times are ms since 1970, amounts cents, quantities thousandths; '' stands for what is not known.
 */
import type { EventType, OrderState } from '../../contract/events.ts'
import type { CallOptions, ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'
import type { Db } from '../platform/postgres/database.ts'
import {
  type EventPick,
  type EventRow,
  lastEvents,
  ms,
  named,
  readEvents,
  withNumbers,
} from './event-rows.ts'
import { type Home, unsettledHomes } from './profile-home.ts'

export type OrderRow = {
  personId: number
  profileId: number
  orderId: string
  /** Of payment, or of placing while it is not paid. */
  at: number
  paid: boolean
  purchase: boolean
  status: OrderState['status']
  totalCents: number
  refundedCents: number
  discountCents: number
  store: string
  seller: string
  channel: string
  side: string
  campaign: string
  coupon: string
  lines: LineRow[]
}

export type LineRow = {
  sku: string
  category: string
  quantityMilli: number
  priceCents: number
  discountCents: number
  costCents: number | null
  refundedCents: number
}

/** Ascending by (at, id). */
export type PersonRows = {
  orders: OrderRow[]
  events: EventRow[]
  /** Of the types in `lastOf`. */
  lastAt?: number
}

export type Wanted = {
  /** With the lines of orders; empty lists otherwise. */
  lines?: boolean
  /** None unless told. */
  events?: EventPick
  /** When the last event of these types was; null unless told. */
  lastOf?: readonly EventType[]
  call?: CallOptions
}

const PERSONS_AT_ONCE = 2000
/** Of so many, orders and events are asked for at once: it is mostly waiting. Of more, three queries beside each other hold memory. */
const FEW = 500
const MAX_TRIES = 8

/**
 * The rows that count for each of `personIds`, wherever merges left them; persons without rows have empty lists.
 * Rows that are being moved meanwhile are read again.
 */
export async function rowsOf(
  clickhouse: ClickHouse,
  db: Db,
  personIds: readonly number[],
  wanted: Wanted = {},
): Promise<Map<number, PersonRows>> {
  const people = new Map<number, PersonRows>()
  for (let from = 0; from < personIds.length; from += PERSONS_AT_ONCE) {
    const some = personIds.slice(from, from + PERSONS_AT_ONCE)
    for (const [person, rows] of await readSettled(clickhouse, db, some, wanted)) people.set(person, rows)
  }
  return people
}

async function readSettled(
  clickhouse: ClickHouse,
  db: Db,
  personIds: readonly number[],
  wanted: Wanted,
): Promise<Map<number, PersonRows>> {
  let homes = await unsettledHomes(db, personIds)
  for (let attempt = 1; ; attempt += 1) {
    const people = await readPersons(clickhouse, personIds, homes, wanted)
    const after = await unsettledHomes(db, personIds)
    if (JSON.stringify(after) === JSON.stringify(homes)) return people
    if (attempt === MAX_TRIES) throw new Error('the rows of merged persons kept moving while they were read')
    homes = after
  }
}

async function readPersons(
  clickhouse: ClickHouse,
  personIds: readonly number[],
  homes: readonly Home[],
  wanted: Wanted,
): Promise<Map<number, PersonRows>> {
  const people = new Map<number, PersonRows>(personIds.map((person) => [person, { orders: [], events: [] }]))
  const keys = [...new Set([...personIds, ...homes.map((home) => home.storedPersonId)])]
  const params = { keys }
  const owner = ownerBy(homes)
  const options = wanted.call ?? { lane: 'page' }
  const where = 'person_id in {keys:Array(Int32)}'
  const read = [
    async () => {
      const byOrder = new Map<string, OrderRow>()
      for await (const orders of foldedOrders(clickhouse, where, params, options)) {
        for (const { order, placed } of orders) {
          const person = owner(order.personId, order.profileId, placed)
          const rows = person === undefined ? undefined : people.get(person)
          if (person === undefined || !rows) continue
          byOrder.set(`${order.personId} ${order.orderId}`, order)
          rows.orders.push(order)
        }
      }
      if (wanted.lines === true) await addLines(clickhouse, where, params, options, byOrder)
    },
    async () => {
      if (wanted.events === undefined) return
      for await (const event of readEvents(clickhouse, where, params, wanted.events, options)) {
        const person = owner(event.row.personId, event.row.profileId, event.placed)
        if (person !== undefined) people.get(person)?.events.push(event.row)
      }
    },
    async () => {
      if (wanted.lastOf === undefined) return
      const last = lastEvents(clickhouse, where, params, wanted.lastOf, options)
      for await (const { personId, profileId, placed, at } of last) {
        const rows = people.get(owner(personId, profileId, placed) ?? 0)
        if (rows && at > (rows.lastAt ?? Number.NEGATIVE_INFINITY)) rows.lastAt = at
      }
    },
  ]
  if (personIds.length > FEW) for (const part of read) await part()
  else {
    // All have ended before any failure is told.
    for (const ended of await Promise.allSettled(read.map((part) => part())))
      if (ended.status === 'rejected') throw ended.reason
  }
  for (const [person, rows] of people) {
    for (const row of [...rows.orders, ...rows.events]) row.personId = person
    rows.orders.sort((a, b) => a.at - b.at || compareText(a.orderId, b.orderId))
    rows.events.sort((a, b) => a.at - b.at || compareText(a.id, b.id))
  }
  return people
}

/** Whose a row is that stands under `person` for `profile`; undefined where it does not count (a copy of a move). */
function ownerBy(
  homes: readonly Home[],
): (person: number, profile: number, placed: number) => number | undefined {
  const byProfile = new Map(homes.map((home) => [home.profileId, home]))
  return (person, profile, placed) => {
    const home = byProfile.get(profile)
    if (!home) return person
    return home.storedPersonId === person && home.move === placed ? home.personId : undefined
  }
}

/**
 * Everybody whose rows stand, or may stand, under somebody else, or who has other people's rows under his key; where
 * `among` is given, those that have to do with one of these.
 */
export async function unsettledPersons(db: Db, among?: readonly number[]): Promise<Set<number>> {
  const homes = await unsettledHomes(db, among)
  return new Set(
    homes.flatMap((home) => [
      home.personId,
      home.storedPersonId,
      home.movingTo ?? home.personId,
      home.leftPersonId ?? home.personId,
    ]),
  )
}

/** For SQL over the whole base: whose a row is, which rows count, and the parameters of both. */
export type Placement = { person: string; counts: string; params: Params }

/** Splice `person` and `counts` into a query over events, orders or order_lines and pass `params` with it. */
export async function placement(db: Db): Promise<Placement> {
  const homes = await unsettledHomes(db)
  if (homes.length === 0) return { person: 'person_id', counts: '1', params: {} }
  const of = (profile: string, values: string) =>
    `transform(profile_id, {${profile}:Array(Int32)}, {${values}:Array(Int32)}, toInt32(0))`
  return {
    person: 'transform(profile_id, {homeProfiles:Array(Int32)}, {homePersons:Array(Int32)}, person_id)',
    counts: `(not has({homeProfiles:Array(Int32)}, profile_id) or (person_id = ${of('homeProfiles', 'homeStored')} and placed = ${of('homeProfiles', 'homeMoves')}))`,
    params: {
      homeProfiles: homes.map((home) => home.profileId),
      homePersons: homes.map((home) => home.personId),
      homeStored: homes.map((home) => home.storedPersonId),
      homeMoves: homes.map((home) => home.move),
    },
  }
}

const cents = (column: string): string => `toInt64(${column} * 100)`
type RawOrder = readonly [
  person: number,
  at: number,
  id: string,
  version: number,
  deleted: 0 | 1,
  profile: number,
  placed: number,
  paid: 0 | 1,
  purchase: 0 | 1,
  status: OrderRow['status'],
  total: number,
  refunded: number,
  discount: number,
  store: string,
  seller: string,
  channel: string,
  side: string,
  campaign: string,
  coupon: string,
]

const orderColumns = `person_id, ${ms('at')}, id, version, deleted, profile_id, placed, paid_at is not null, purchase, status,
  ${cents('total')}, ${cents('refunded')}, ${cents('discount')}, store_id, seller_id, channel, side, campaign, coupon`

type Folded = { order: OrderRow; placed: number }

/** Orders in the order of their key. Versions of one key stand together, so the last is found on the way. */
async function* foldedOrders(
  clickhouse: ClickHouse,
  where: string,
  params: Params,
  options: CallOptions,
): AsyncGenerator<Folded[]> {
  const query = `select ${orderColumns} from orders where ${where} order by person_id, orders.at, id`
  let best: RawOrder | undefined
  for await (const rows of clickhouse.stream<RawOrder>(query, params, withNumbers(options))) {
    const done: Folded[] = []
    for (const row of rows) {
      if (best && best[2] === row[2] && best[1] === row[1] && best[0] === row[0]) {
        if (row[3] >= best[3]) best = row
        continue
      }
      if (best && best[4] === 0) done.push(orderOf(best))
      best = row
    }
    if (done.length > 0) yield done
  }
  if (best && best[4] === 0) yield [orderOf(best)]
}

function orderOf(row: RawOrder): Folded {
  const order: OrderRow = {
    personId: row[0],
    at: row[1],
    orderId: row[2],
    profileId: row[5],
    paid: row[7] === 1,
    purchase: row[8] === 1,
    status: row[9],
    totalCents: row[10],
    refundedCents: row[11],
    discountCents: row[12],
    store: named(row[13]),
    seller: named(row[14]),
    channel: row[15],
    side: row[16],
    campaign: row[17],
    coupon: row[18],
    lines: [],
  }
  return { order, placed: row[6] }
}

type RawLine = readonly [
  person: number,
  order: string,
  line: number,
  version: number,
  deleted: 0 | 1,
  sku: string,
  category: string,
  quantity: number,
  price: number,
  discount: number,
  cost: number | null,
  refunded: number,
]

async function addLines(
  clickhouse: ClickHouse,
  where: string,
  params: Params,
  options: CallOptions,
  orders: ReadonlyMap<string, OrderRow>,
): Promise<void> {
  const query = `select person_id, order_id, line, version, deleted, sku, category, toInt64(quantity * 1000),
      ${cents('price')}, ${cents('discount')}, if(cost is null, null, ${cents('assumeNotNull(cost)')}), ${cents('refunded')}
    from order_lines where ${where} order by person_id, order_lines.at, order_id, line, version`
  const last = new Map<string, RawLine>()
  for await (const rows of clickhouse.stream<RawLine>(query, params, withNumbers(options))) {
    for (const row of rows) {
      const key = `${row[0]} ${row[1]} ${row[2]}`
      const known = last.get(key)
      if (!known || row[3] >= known[3]) last.set(key, row)
    }
  }
  for (const row of last.values()) {
    if (row[4] === 1) continue
    orders.get(`${row[0]} ${row[1]}`)?.lines.push({
      sku: row[5],
      category: row[6],
      quantityMilli: row[7],
      priceCents: row[8],
      discountCents: row[9],
      costCents: row[10],
      refundedCents: row[11],
    })
  }
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
