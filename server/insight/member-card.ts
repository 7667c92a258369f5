/** One member, put together from what identity, audience, the log and reach know. */
import { z } from 'zod'
import type { MemberCard, OrderRow, TimelineItem } from '../../contract/members.ts'
import { segmentsOf, statesOf, tagsOf } from '../audience/audience.ts'
import { ordersOf, rowsOf } from '../events/events.ts'
import { identifiersOf, reachables } from '../members/members.ts'
import type { Viewer } from '../org/org.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Db } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { daysBetween, type Zone } from '../platform/time/zone.ts'
import { memberRowsOf } from './member-list.ts'
import { cardRow, mergesOf, placeNames, profilesOf, relationsOfPerson } from './store.ts'
import { orderTitle, titleOf } from './timeline-words.ts'

const MOST_ORDERS = 500

export type Sight = { db: Db; keys: Keyring; viewer: Viewer; now: Date; zone: Zone }

/** Everything on the page of a member. Undefined where the viewer may not see the person. */
export async function memberCard(sight: Sight, personId: number): Promise<MemberCard | undefined> {
  const { db, keys, viewer, now, zone } = sight
  const [row] = await memberRowsOf(db, keys, viewer, [personId])
  if (!row) return undefined
  const person = await cardRow(db, personId)
  const state = (await statesOf(db, [personId])).get(personId)
  const { tags, values } = await tagsOf(db, personId)
  const [reach] = await reachables(db, keys, [personId])
  const relations = await relationsOfPerson(db, personId)
  return {
    ...row,
    gender: person.gender,
    birthday: viewer.maySeePersonal ? person.birthday : null,
    birthdayLunar: person.birthday_lunar,
    source: person.source,
    sourceSide: person.source_side,
    registerChannel: person.register_channel,
    registration: person.registration,
    identifiers: await identifiersOf(db, keys, personId),
    reachability: [wecomReach(reach), smsReach(reach)],
    consents: Object.entries(reach?.consents ?? {}).map(([channel, consent]) => ({
      channel,
      state: consent,
      at: null,
    })),
    relations: relations.map((one) => ({
      guide: one.guide,
      store: one.store,
      addedAt: one.added_at.toISOString(),
      lostAt: one.lost_at?.toISOString() ?? null,
      remark: viewer.maySeePersonal ? one.remark : null,
    })),
    state: state
      ? {
          lifecycle: state.lifecycle,
          daysSincePurchase:
            state.lastPurchaseAt === null ? null : daysBetween(zone, state.lastPurchaseAt, now),
          ownCycle: state.ownCycle,
          medianGapDays: state.medianGapDays,
          orderStage: state.orderStage,
          aipl: state.aipl,
          joinRecency: state.joinRecency,
          oneTimeBuyer: state.purchases === 1,
          interactionSilent: state.interactionSilent,
          recency: state.r,
          frequency: state.f,
          monetary: state.m,
          rfmGroup: state.rfmGroup,
          nextChangeAt: person.next_at?.toISOString() ?? null,
        }
      : null,
    sTags: values.map((value) => ({
      groupId: value.groupId as MemberCard['sTags'][number]['groupId'],
      group: value.group,
      tagId: value.tagId as MemberCard['sTags'][number]['tagId'],
      value: value.value ?? '',
    })),
    tagList: tags.map((tag) => ({
      tagId: tag.tagId as MemberCard['tagList'][number]['tagId'],
      name: tag.name,
      group: tag.group,
      producer: tag.producer,
      origin: tag.origin,
      at: tag.at.toISOString(),
    })),
    segments: (await segmentsOf(db, personId)).map(({ id, name }) => ({
      segmentId: id as MemberCard['segments'][number]['segmentId'],
      name,
    })),
    mergedFrom: (await mergesOf(db, personId)).map((merge) => ({
      mergeId: merge.id,
      at: merge.at.toISOString(),
      cause: merge.cause,
      undoable: true,
    })),
  }
}

type Reach = Awaited<ReturnType<typeof reachables>>[number] | undefined

function wecomReach(reach: Reach): MemberCard['reachability'][number] {
  const consent = reach?.consents['wecom']
  if (consent === 'withdrawn') return { channel: 'wecom', state: 'unreachable', reason: 'consent_withdrawn' }
  if (reach && reach.contacts.length > 0) return { channel: 'wecom', state: 'reachable', reason: 'followed' }
  return { channel: 'wecom', state: 'unreachable', reason: 'not_in_wecom' }
}

function smsReach(reach: Reach): MemberCard['reachability'][number] {
  const consent = reach?.consents['sms']
  if (consent === 'withdrawn') return { channel: 'sms', state: 'unreachable', reason: 'consent_withdrawn' }
  if (!reach?.sms) return { channel: 'sms', state: 'unreachable', reason: 'no_phone' }
  return consent === 'granted'
    ? { channel: 'sms', state: 'reachable', reason: 'consent_granted' }
    : { channel: 'sms', state: 'unknown', reason: 'consent_unknown' }
}

/** Orders as they stand, the newest first, at most 500. */
export async function memberOrders(db: Db, personId: number): Promise<z.infer<typeof OrderRow>[]> {
  const orders = await ordersOf(db, await profilesOf(db, personId), MOST_ORDERS)
  const names = await placeNames(
    db,
    orders.flatMap((order) => order.storeId ?? []),
  )
  return orders.map((order) => ({
    id: order.orderId,
    externalId: order.externalId,
    paidAt: order.paidAt,
    placedAt: order.placedAt,
    status: order.status,
    totalCents: order.totalCents,
    refundedCents: order.refundedCents,
    store: order.storeId === null ? null : (names.get(order.storeId) ?? null),
    channel: order.channel,
    lines: order.lines.map((line) => ({
      name: line.name,
      sku: line.sku,
      quantity: line.quantity,
      priceCents: line.priceCents,
      refundedCents: line.refundedCents,
    })),
  }))
}

const After = z.tuple([z.int(), z.uuid()])

/** What happened to a person, the newest first: orders and events as ClickHouse holds them, wherever merges put them. */
export async function memberTimeline(
  { db, clickhouse }: { db: Db; clickhouse: ClickHouse },
  personId: number,
  page: { cursor?: string | undefined; limit: number },
): Promise<{ items: z.infer<typeof TimelineItem>[]; next: string | null }> {
  const after = decodeCursor(page.cursor, After)
  const rows = (await rowsOf(clickhouse, db, [personId], { events: 'all' })).get(personId) ?? {
    orders: [],
    events: [],
  }
  const happened = [
    ...rows.orders.map((order) => ({
      id: order.orderId,
      at: order.at,
      type: 'order_recorded',
      title: orderTitle(order),
      details: { totalCents: order.totalCents, refundedCents: order.refundedCents, status: order.status },
    })),
    ...rows.events.map((event) => ({
      id: event.id,
      at: event.at,
      type: event.type as string,
      title: titleOf(event.type, event.detail),
      details: { channel: event.channel, detail: event.detail },
    })),
  ].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
  const start = after
    ? happened.findIndex((one) => one.at < after[0] || (one.at === after[0] && one.id < after[1]))
    : 0
  const shown = start < 0 ? [] : happened.slice(start, start + page.limit + 1)
  return pageFrom(shown, page.limit, {
    item: (one) => ({ ...one, at: instant(one.at).toISOString() }),
    cursor: (one) => [one.at, one.id],
  })
}
