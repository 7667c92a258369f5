/** A logged event as rows of ClickHouse, each a line of JSON: an array of the values of `projectedColumns`. Pure. */
import { isPurchase, type OrderState } from '../../contract/events.ts'
import { utcText } from '../platform/clickhouse/clickhouse.ts'
import { instant } from '../platform/time/clock.ts'
import type { LoggedEvent } from './log.ts'
import { type Home, profileFor } from './profile-home.ts'

/** The tables that the projection writes, in the order in which it writes them. */
export const projectedTables = ['events', 'orders', 'order_lines'] as const
export type Projected = Record<(typeof projectedTables)[number], string[]>

/** A row is an array: its columns, in this order. */
const shared = ['person_id', 'profile_id', 'placed', 'at', 'version', 'deleted', 'purchase', 'store_id']
export const projectedColumns: Record<(typeof projectedTables)[number], readonly string[]> = {
  events: [
    ...['person_id', 'profile_id', 'placed', 'at', 'id', 'type', 'bulk', 'received_at', 'source', 'channel'],
    ...['detail', 'number_id', 'subject_id', 'store_id', 'staff_id', 'texts', 'numbers', 'data'],
  ],
  orders: [
    ...shared,
    ...['id', 'source', 'external_id', 'placed_at', 'paid_at', 'status', 'total', 'refunded', 'discount'],
    ...['line_count', 'seller_id', 'channel', 'side', 'campaign', 'coupon'],
  ],
  order_lines: [
    ...shared,
    ...['order_id', 'line', 'sku', 'name', 'category', 'quantity', 'price', 'discount', 'cost', 'refunded'],
  ],
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** The rows of a batch, placed where the rows of each profile stand. */
export function projectedRows(events: readonly LoggedEvent[], homes: ReadonlyMap<number, Home>): Projected {
  const rows: Projected = { events: [], orders: [], order_lines: [] }
  for (const event of events) {
    const place = placeOf(event, homes)
    if (event.type === 'order_recorded') pushOrder(rows, place, event)
    else rows.events.push(eventRow(place, event))
  }
  return rows
}

type Place = { person_id: number; profile_id: number; placed: number }

function placeOf(event: LoggedEvent, homes: ReadonlyMap<number, Home>): Place {
  const profile = profileFor(event.profileId, event.personId)
  const home = homes.get(profile)
  return {
    person_id: home?.storedPersonId ?? event.personId ?? 0,
    profile_id: profile,
    placed: home?.move ?? 0,
  }
}

/** Written by hand as orders are: an object for each event only to become text costs half as much again. */
function eventRow(place: Place, event: LoggedEvent): string {
  const { data } = event
  const { texts, numbers } = propertiesOf(
    event.type === 'coupon_changed' ? couponProperties(data) : data['properties'],
  )
  const bulk = event.lane === 'bulk' ? 1 : 0
  const when = `"${utcText(event.at)}","${event.id}","${event.type}",${bulk},"${utcText(event.receivedAt)}"`
  const words = `${quoted(event.source)},${quoted(firstText(data, CHANNEL))},${quoted(firstText(data, DETAIL))}`
  const ids = `${firstNumber(data, NUMBER)},${quoted(firstId(data, SUBJECT))},${quoted(firstId(data, STORE))},${quoted(firstId(data, STAFF))}`
  return `[${place.person_id},${place.profile_id},${place.placed},${when},${words},${ids},${texts},${numbers},${JSON.stringify(JSON.stringify(data))}]`
}

/** Where a value stands in the data of an event, by what it is a column of; the first name that is there counts. */
const CHANNEL = ['channel', 'registerChannel', 'addWay']
const DETAIL = [
  ...['state', 'outcome', 'to', 'cause', 'kind', 'page', 'reason', 'name', 'source', 'by', 'triedSku'],
]
const NUMBER = ['tagId', 'segmentId', 'groupId']
const SUBJECT = ['journeyId', 'taskId', 'mergeId', 'couponId']
const STORE = ['storeId']
const STAFF = ['staffId', 'senderId']

/** What rules ask of a coupon beside its state: the kind, and when it expires in ms since 1970. */
function couponProperties({ kind, expiresAt }: Record<string, unknown>): object {
  return typeof expiresAt === 'string' ? { kind, expiresAt: instant(expiresAt).getTime() } : { kind }
}

/** Columns that rules filter by, as JSON; the whole stands in `data`. */
function propertiesOf(properties: unknown): { texts: string; numbers: string } {
  if (typeof properties !== 'object' || properties === null) return NO_PROPERTIES
  const texts: Record<string, string> = {}
  const numbers: Record<string, number> = {}
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'number') numbers[name] = value
    else if (typeof value === 'string' || typeof value === 'boolean') texts[name] = String(value)
  }
  return { texts: JSON.stringify(texts), numbers: JSON.stringify(numbers) }
}

const NO_PROPERTIES = { texts: '{}', numbers: '{}' }

/** Written by hand, a field after the other: half of an import's time in this process went into objects that only became text. */
function pushOrder(rows: Projected, place: Place, event: LoggedEvent): void {
  const { orderId, version, order, deleted } = event.data as OrderData
  const at = clickHouseTime(order.paidAt ?? order.placedAt)
  const shared = `[${place.person_id},${place.profile_id},${place.placed},"${at}",${version},${deleted === true ? 1 : 0},${isPurchase(order) ? 1 : 0},"${order.storeId ?? NOBODY}"`
  const paidAt = order.paidAt === null ? 'null' : `"${clickHouseTime(order.paidAt)}"`
  rows.orders.push(
    `${shared},"${orderId}",${quoted(order.source)},${quoted(order.externalId)},"${clickHouseTime(order.placedAt)}",${paidAt},"${order.status}","${money(order.totalCents)}","${money(order.refundedCents)}","${money(order.discountCents)}",${order.lines.length},"${order.sellerId ?? NOBODY}",${quoted(order.channel)},${quoted(order.side)},${quoted(order.campaign)},${quoted(order.coupon)}]`,
  )
  order.lines.forEach((line, index) => {
    const cost = line.costCents === null ? 'null' : `"${money(line.costCents)}"`
    rows.order_lines.push(
      `${shared},"${orderId}",${index},${quoted(line.sku)},${quoted(line.name)},${quoted(line.category)},"${line.quantity.toFixed(3)}","${money(line.priceCents)}","${money(line.discountCents)}",${cost},"${money(line.refundedCents)}"]`,
    )
  })
}

type OrderData = { orderId: string; version: number; deleted?: boolean; order: OrderState }

function quoted(text: string | null): string {
  return text === null ? '""' : JSON.stringify(text)
}

/** ISO text, as `recordOrders` wrote it, in the form that ClickHouse reads. */
function clickHouseTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`
}

/** Cents as a decimal text with two places: never through a binary fraction. */
export function money(cents: number): string {
  const whole = Math.abs(cents)
  const rest = whole % 100
  return `${cents < 0 ? '-' : ''}${(whole - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`
}

function firstText(data: Record<string, unknown>, names: readonly string[]): string {
  for (const name of names) {
    const value = data[name]
    if (typeof value === 'string') return value.slice(0, 200)
  }
  return ''
}

function firstNumber(data: Record<string, unknown>, names: readonly string[]): number {
  for (const name of names) {
    const value = data[name]
    if (typeof value === 'number') return value
  }
  return 0
}

function firstId(data: Record<string, unknown>, names: readonly string[]): string {
  return firstText(data, names) || NOBODY
}
