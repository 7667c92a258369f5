/** One member, put together from what identity, audience, the log and reach know. */
import { z } from 'zod'
import type { MemberCard, OrderRow, TimelineItem } from '../../contract/members.ts'
import { segmentsOf, statesOf, tagsOf } from '../audience/audience.ts'
import { changedSegments, ordersOf, rowsOf, trackedProperties } from '../events/events.ts'
import { memberCard as identityCard, type MembersDeps } from '../members/members.ts'
import { brand, type Viewer } from '../org/org.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Db } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { daysBetween, type Zone } from '../platform/time/zone.ts'
import { withBeside } from './member-list.ts'
import {
  nextChangeOf,
  placeNames,
  profilesOf,
  segmentNames,
  staffNames,
  subjectKey,
  subjectNames,
} from './store.ts'
import { changedTitle, named, orderTitle, titleOf } from './timeline-words.ts'

const MOST_ORDERS = 500

export type Sight = { deps: MembersDeps; db: Db; viewer: Viewer; now: Date; zone: Zone }

/** Everything on the page of a member. Errors: `not_found` also where the viewer may not see the person. */
export async function memberCard(
  { deps, db, viewer, now, zone }: Sight,
  publicId: string,
): Promise<MemberCard> {
  const identity = await identityCard(deps, db, publicId, viewer)
  const [row] = await withBeside(db, [identity])
  if (!row) throw new Error('a member vanished while it was read')
  const state = (await statesOf(db, [identity.id])).get(identity.id)
  const { tags, values } = await tagsOf(db, identity.id)
  const staff = await staffNames(
    db,
    identity.relations.map((one) => one.staffId),
  )
  return {
    ...row,
    gender: identity.gender,
    birthday: viewer.maySeePersonal ? identity.birthday : null,
    birthdayLunar: identity.birthdayLunar,
    source: identity.source as MemberCard['source'],
    sourceSide: identity.sourceSide as MemberCard['sourceSide'],
    registerChannel: identity.registerChannel,
    registration: identity.registration as MemberCard['registration'],
    identifiers: identity.identifiers.map(({ id, kind, masked, valid, revealable }) => ({
      id,
      kind,
      masked,
      valid,
      revealable,
    })),
    reachability: identity.reachability,
    consents: identity.consents.map(({ channel, state: consent, at }) => ({
      channel,
      state: consent as 'granted',
      at: at.toISOString(),
    })),
    relations: identity.relations.map((one) => ({
      guide: staff.get(one.staffId)?.name ?? '–',
      store: staff.get(one.staffId)?.store ?? null,
      addedAt: one.addedAt.toISOString(),
      lostAt: one.lostAt?.toISOString() ?? null,
      remark: one.remark,
    })),
    state: state
      ? {
          ...stateOf(state, zone, now),
          nextChangeAt: (await nextChangeOf(db, identity.id))?.toISOString() ?? null,
        }
      : null,
    sTags: values.map((value) => ({
      groupId: value.groupId as never,
      group: value.group,
      tagId: value.tagId as never,
      value: value.value ?? '',
    })),
    tagList: tags.map((tag) => ({
      tagId: tag.tagId as never,
      name: tag.name,
      group: tag.group,
      producer: tag.producer,
      origin: tag.origin,
      at: tag.at.toISOString(),
    })),
    segments: (await segmentsOf(db, identity.id)).map(({ id, name }) => ({ segmentId: id as never, name })),
    mergedFrom: identity.merges.map((merge) => ({
      mergeId: merge.id,
      at: merge.at.toISOString(),
      cause: merge.cause,
      undoable: merge.undoneAt === null,
    })),
  }
}

type State = NonNullable<ReturnType<Awaited<ReturnType<typeof statesOf>>['get']>>

function stateOf(
  state: State,
  zone: Zone,
  now: Date,
): Omit<NonNullable<MemberCard['state']>, 'nextChangeAt'> {
  return {
    lifecycle: state.lifecycle,
    daysSincePurchase: state.lastPurchaseAt === null ? null : daysBetween(zone, state.lastPurchaseAt, now),
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
  }
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
  const { currency } = await brand(db)
  const rows = (await rowsOf(clickhouse, db, [personId], { events: 'all' })).get(personId) ?? {
    orders: [],
    events: [],
  }
  const happened = [
    ...rows.orders.map((order) => ({
      id: order.orderId,
      at: order.at,
      type: 'order_recorded',
      title: orderTitle(order, currency),
      details: { totalCents: order.totalCents, refundedCents: order.refundedCents, status: order.status },
      about: undefined,
    })),
    ...rows.events.map((event) => ({
      id: event.id,
      at: event.at,
      type: event.type as string,
      title: titleOf(event.type, event.detail),
      details: { channel: event.channel, detail: event.detail },
      about: { type: event.type as string, numberId: event.numberId, subject: event.subject },
    })),
  ].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
  const start = after
    ? happened.findIndex((one) => one.at < after[0] || (one.at === after[0] && one.id < after[1]))
    : 0
  const shown = start < 0 ? [] : happened.slice(start, start + page.limit + 1)
  const names = await subjectNames(
    db,
    shown.flatMap(({ about }) => about ?? []),
  )
  const properties = await trackedProperties(
    { db, clickhouse },
    personId,
    shown.filter(({ type }) => type === 'tracked' || type === 'page_viewed').map(({ id }) => id),
  )
  const changed = await changedTitles(
    { db, clickhouse },
    personId,
    shown.filter(({ type }) => type === 'segments_changed').map(({ id }) => id),
  )
  return pageFrom(shown, page.limit, {
    item: ({ about, title, ...one }) => ({
      ...one,
      details: { ...one.details, ...(properties.has(one.id) && { properties: properties.get(one.id) }) },
      title: changed.get(one.id) ?? named(title, about && names.get(subjectKey(about))),
      at: instant(one.at).toISOString(),
    }),
    cursor: (one) => [one.at, one.id],
  })
}

/** What the person entered and left at once, in words, by event. */
async function changedTitles(
  stores: { db: Db; clickhouse: ClickHouse },
  personId: number,
  ids: readonly string[],
): Promise<Map<string, ReturnType<typeof changedTitle>>> {
  const changes = [...(await changedSegments(stores, personId, ids))]
  const names = await segmentNames(
    stores.db,
    changes.flatMap(([, { entered, left }]) => [...entered, ...left]),
  )
  const known = (segments: readonly number[]): string[] => segments.flatMap((id) => names.get(id) ?? [])
  return new Map(changes.map(([id, { entered, left }]) => [id, changedTitle(known(entered), known(left))]))
}
