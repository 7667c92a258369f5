/** All SQL of the outbox. */
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { ChannelName, TouchClass, TouchState } from '../candidate.ts'
import type { LinkAttachment } from '../content/shape.ts'
import type { TouchFacts } from '../touch-events.ts'

export type PlannedGroup = {
  channel: ChannelName
  class: TouchClass
  senderId: string | null
  contentId: string
  slot: Date
  touches: number
}

export type PlannedTouch = TouchFacts & {
  facts: Record<string, unknown>
  enrolmentId: string | null
  nodeId: string | null
  recipient: string | null
  slot: Date
  contentId: string
  expiresAt: Date
  demo: boolean
}

export type ContentText = {
  id: string
  version: number
  body: string
  attachments: LinkAttachment[]
  sms: { sign: string; template: string; params: Record<string, string> } | null
  perMember: boolean
}

/** Groups of planned touches of these channels that are one mass message each: equal channel, class, sender, content and slot. */
export async function plannedGroups(
  db: Db,
  channels: readonly ChannelName[],
  before: Date,
  limit: number,
): Promise<PlannedGroup[]> {
  return db.rows(sql`
    select channel, class, sender_id as "senderId", content_id as "contentId", slot, count(*)::int as touches
    from touch where state = 'planned' and outbox_id is null and channel = any(${channels}::text[]) and slot <= ${before}
    group by channel, class, sender_id, content_id, slot
    order by (class = 'marketing'), slot, channel, sender_id, content_id limit ${limit}`)
}

/** Planned touches in no hand-over that are not wanted any more, locked. */
export async function takeExpired(tx: Tx, now: Date, limit: number): Promise<TouchFacts[]> {
  return tx.rows(sql`
    select id, person_id as "personId", channel, class, journey_id as "journeyId", sender_id as "senderId"
    from touch where state = 'planned' and outbox_id is null and expires_at <= ${now}
    order by expires_at limit ${limit} for update skip locked`)
}

/** Locks the touches of a group. */
export async function takePlanned(tx: Tx, group: PlannedGroup, limit: number): Promise<PlannedTouch[]> {
  return tx.rows(sql`
    select t.id, t.person_id as "personId", t.channel, t.class, t.journey_id as "journeyId", t.sender_id as "senderId",
      t.facts, t.enrolment_id as "enrolmentId", t.node_id as "nodeId", t.recipient, t.slot,
      t.content_id as "contentId", t.expires_at as "expiresAt", p.demo
    from touch t join person p on p.id = t.person_id
    where t.state = 'planned' and t.outbox_id is null and t.channel = ${group.channel} and t.class = ${group.class}
      and t.sender_id is not distinct from ${group.senderId}::uuid and t.content_id = ${group.contentId}
      and t.slot = ${group.slot}
    order by t.id limit ${limit} for update of t skip locked`)
}

export async function contentText(db: Db, id: string): Promise<ContentText | undefined> {
  return db.maybe(sql`
    select id, version, body, attachments, per_member as "perMember",
      case when sms_template is not null then jsonb_build_object('sign', sms_sign, 'template', sms_template, 'params', sms_params) end as sms
    from content where id = ${id}`)
}

export type SenderFacts = { userId: string; name: string }

export async function senderFacts(db: Db, staffId: string): Promise<SenderFacts | undefined> {
  return db.maybe(sql`
    select wecom_user_id as "userId", name from staff
    where id = ${staffId} and state = 'active' and wecom_user_id is not null`)
}

export type NewOutbox = {
  id: string
  channel: ChannelName
  class: TouchClass
  senderId: string | null
  senderUserId: string | null
  contentId: string
  contentVersion: number
  body: string
  attachments: readonly LinkAttachment[]
  sms: object | null
  marker: string
  slot: Date
  touchIds: readonly string[]
}

/** Makes hand-overs ready and puts their touches into them. */
export async function insertOutboxes(tx: Tx, outboxes: readonly NewOutbox[], now: Date): Promise<void> {
  if (outboxes.length === 0) return
  const rows = outboxes.map(({ touchIds, ...row }) => ({ ...row, size: touchIds.length }))
  await tx.run(sql`
    insert into outbox (id, channel, class, sender_id, sender_user_id, content_id, content_version, body, attachments, sms,
      marker, slot, size, due_at, made_at)
    select o.id, o.channel, o.class, o."senderId", o."senderUserId", o."contentId", o."contentVersion", o.body,
      o.attachments, o.sms, o.marker, o.slot, o.size, ${now}, ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as o (id uuid, channel text, class text, "senderId" uuid,
      "senderUserId" text, "contentId" uuid, "contentVersion" int, body text, attachments jsonb, sms jsonb, marker text,
      slot timestamptz, size int)`)
  const pairs = outboxes.flatMap(({ id, touchIds }) => touchIds.map((touchId) => ({ id, touchId })))
  await tx.run(sql`
    update touch t set outbox_id = pair.outbox_id
    from unnest(${pairs.map((one) => one.touchId)}::uuid[], ${pairs.map((one) => one.id)}::uuid[]) as pair (touch_id, outbox_id)
    where t.id = pair.touch_id`)
}

export type OutboxState =
  | 'ready'
  | 'sending'
  | 'asking'
  | 'created'
  | 'closing'
  | 'closed'
  | 'unknown'
  | 'failed'
export type CloseReason = 'expired' | 'quiet_hours' | 'consent' | 'channel_in_test'

export type OutboxRow = {
  id: string
  channel: ChannelName
  class: TouchClass
  senderId: string | null
  senderUserId: string | null
  body: string
  attachments: LinkAttachment[]
  sms: { sign: string; template: string; params: Record<string, string> } | null
  marker: string
  slot: Date
  size: number
  state: OutboxState
  attempts: number
  token: number | null
  firstTriedAt: Date | null
  triedAt: Date | null
  providerId: string | null
  createdAt: Date | null
  confirmedAt: Date | null
  expiresAt: Date | null
  closeReason: CloseReason | null
}

const outboxColumns = sql`
  o.id, o.channel, o.class, o.sender_id as "senderId", o.sender_user_id as "senderUserId", o.body, o.attachments, o.sms,
  o.marker, o.slot, o.size, o.state, o.attempts, o.token, o.first_tried_at as "firstTriedAt", o.tried_at as "triedAt",
  o.provider_id as "providerId", o.created_at as "createdAt", o.confirmed_at as "confirmedAt",
  o.expires_at as "expiresAt", o.close_reason as "closeReason"`

/** Hand-overs of a channel in one state that are due, the most urgent first. */
export async function dueOutboxes(
  db: Db,
  channel: ChannelName,
  state: OutboxState,
  now: Date,
  limit: number,
): Promise<OutboxRow[]> {
  return db.rows(sql`
    select ${outboxColumns} from outbox o
    where o.channel = ${channel} and o.state = ${state} and o.due_at <= ${now}
    order by (o.class = 'marketing'), o.due_at, o.id limit ${limit}`)
}

/** Those whose call was announced by another holder of the lease, or long ago: nobody knows what came of it. */
export async function strandedOutboxes(
  db: Db,
  channel: ChannelName,
  token: number,
  triedBefore: Date,
  limit: number,
): Promise<OutboxRow[]> {
  return db.rows(sql`
    select ${outboxColumns} from outbox o
    where o.channel = ${channel} and o.state = 'sending' and (o.token <> ${token} or o.tried_at <= ${triedBefore})
    order by o.tried_at, o.id limit ${limit}`)
}

export type OutboxTouch = TouchFacts & {
  outboxId: string
  recipient: string | null
  state: string
  expiresAt: Date
  costCents: number
  createdAt: Date | null
  demo: boolean
}

/** The touches of hand-overs that have not ended. */
export async function touchesOf(db: Db, outboxIds: readonly string[]): Promise<OutboxTouch[]> {
  return db.rows(sql`
    select t.id, t.person_id as "personId", t.channel, t.class, t.journey_id as "journeyId", t.sender_id as "senderId",
      t.outbox_id as "outboxId", t.recipient, t.state, t.expires_at as "expiresAt", coalesce(t.cost_cents, 0) as "costCents",
      t.created_at as "createdAt", p.demo
    from touch t join person p on p.id = t.person_id
    where t.outbox_id = any(${outboxIds}::uuid[]) and t.state in ('planned', 'sending', 'created', 'confirmed', 'unknown')
    order by t.outbox_id, t.id`)
}

/**
 * Holds the channel as it stands until the end of the transaction. False where it is off, or speaks to another address
 * than the one that is meant.
 */
export async function holdChannel(
  tx: Tx,
  channel: { readonly name: ChannelName; readonly baseUrl: string },
): Promise<boolean> {
  const row = await tx.maybe(sql`
    select 1 as open from channel
    where name = ${channel.name} and mode <> 'off' and base_url = ${channel.baseUrl} for share`)
  return row !== undefined
}

/** Locks the hand-overs that are still ready, and then their touches; the ids of the hand-overs. */
export async function holdReady(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const ready = await tx.rows<{ id: string }>(sql`
    select id from outbox where id = any(${ids}::uuid[]) and state = 'ready' order by id for update`)
  const held = ready.map((row) => row.id)
  await tx.run(sql`select from touch where outbox_id = any(${held}::uuid[]) order by id for update`)
  return new Set(held)
}

/** Announces the call: from now on nobody sends again without asking. Refused by the database for demo members. */
export async function announce(
  tx: Tx,
  ids: readonly string[],
  how: { token: number; now: Date },
): Promise<void> {
  await tx.run(sql`
    update outbox set state = 'sending', token = ${how.token}, tried_at = ${how.now},
      first_tried_at = coalesce(first_tried_at, ${how.now}), attempts = attempts + 1
    where id = any(${ids}::uuid[]) and state = 'ready'`)
  await tx.run(
    sql`update touch set state = 'sending' where outbox_id = any(${ids}::uuid[]) and state = 'planned'`,
  )
}

/** The provider has it. False where it was no longer waiting for that answer. */
export async function setCreated(
  tx: Tx,
  id: string,
  how: { providerId: string; now: Date; dueAt: Date; expiresAt: Date | null; confirmed: boolean },
): Promise<boolean> {
  const changed = await tx.run(sql`
    update outbox set state = 'created', provider_id = ${how.providerId}, created_at = ${how.now}, due_at = ${how.dueAt},
      expires_at = ${how.expiresAt}, confirmed_at = case when ${how.confirmed}::boolean then ${how.now}::timestamptz end,
      last_error = null
    where id = ${id} and state in ('ready', 'sending', 'asking')`)
  return changed === 1
}

/** Back to a state before the provider had it, or to the end without it. */
export async function setUncreated(
  tx: Tx,
  id: string,
  how: {
    state: 'ready' | 'asking' | 'failed' | 'unknown' | 'closed'
    dueAt: Date | null
    error: string | null
  },
): Promise<boolean> {
  const changed = await tx.run(sql`
    update outbox set state = ${how.state}, due_at = ${how.dueAt}, last_error = ${how.error}
    where id = ${id} and state in ('ready', 'sending', 'asking')`)
  return changed === 1
}

export async function setLookAgain(tx: Tx, id: string, dueAt: Date): Promise<void> {
  await tx.run(sql`update outbox set due_at = ${dueAt} where id = ${id}`)
}

/** A person confirmed the mass message. */
export async function setConfirmed(tx: Tx, id: string, at: Date, dueAt: Date): Promise<boolean> {
  const changed = await tx.run(sql`
    update outbox set state = 'created', confirmed_at = ${at}, close_reason = null, due_at = ${dueAt}
    where id = ${id} and state in ('created', 'closing') and confirmed_at is null`)
  return changed === 1
}

export async function setClosed(tx: Tx, id: string): Promise<boolean> {
  return (
    (await tx.run(sql`
      update outbox set state = 'closed', due_at = null where id = ${id} and state in ('created', 'closing')`)) ===
    1
  )
}

/** Touches that the provider took. */
export async function setTouchesCreated(
  tx: Tx,
  ids: readonly string[],
  how: { state: 'created' | 'confirmed'; now: Date },
): Promise<void> {
  await tx.run(sql`
    update touch set state = ${how.state}, reason = null, created_at = coalesce(created_at, ${how.now}),
      confirmed_at = case when ${how.state} = 'confirmed' then ${how.now}::timestamptz end
    where id = any(${ids}::uuid[])`)
}

export async function setTouchesConfirmed(tx: Tx, ids: readonly string[], at: Date): Promise<void> {
  await tx.run(
    sql`update touch set state = 'confirmed', confirmed_at = ${at} where id = any(${ids}::uuid[]) and state in ('created', 'asked')`,
  )
}

/** The end of touches. */
export async function endTouches(
  tx: Tx,
  ids: readonly string[],
  how: { state: TouchState; reason: string | null; at: Date },
): Promise<void> {
  if (ids.length === 0) return
  await tx.run(sql`
    update touch set state = ${how.state}, reason = ${how.reason}, due_at = null, ended_at = ${how.at},
      outbox_id = case when state = 'planned' then null else outbox_id end
    where id = any(${ids}::uuid[])`)
}

/** Nobody can say whether they reached anybody. Not an end: somebody may find out. */
export async function setTouchesUnknown(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.run(sql`update touch set state = 'unknown' where id = any(${ids}::uuid[])`)
}

/** Out of their hand-over and planned again, reservation and slot kept. */
export async function planAgain(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx.run(sql`update touch set state = 'planned', outbox_id = null where id = any(${ids}::uuid[])`)
}

/** Back to the arbiter, to be decided anew at `dueAt`. */
export async function deferAgain(tx: Tx, ids: readonly string[], dueAt: Date, reason: string): Promise<void> {
  if (ids.length > 0)
    await tx.run(sql`
      update touch set state = 'deferred', outbox_id = null, reason = ${reason}, due_at = ${dueAt}
      where id = any(${ids}::uuid[])`)
}

export async function setTouchesAsked(tx: Tx, ids: readonly string[], now: Date): Promise<void> {
  await tx.run(
    sql`update touch set state = 'asked', created_at = coalesce(created_at, ${now}) where id = any(${ids}::uuid[])`,
  )
}

/** The person was reached: from now on it counts from this date. */
export async function dateLedger(tx: Tx, touchIds: readonly string[], at: Date): Promise<void> {
  if (touchIds.length > 0)
    await tx.run(sql`update touch_ledger set at = ${at} where touch_id = any(${touchIds}::uuid[])`)
}

/** The person was not reached: it counts no more. */
export async function releaseLedger(tx: Tx, touchIds: readonly string[]): Promise<void> {
  if (touchIds.length > 0)
    await tx.run(sql`delete from touch_ledger where touch_id = any(${touchIds}::uuid[])`)
}

/** Which of these provider ids are ours already. */
export async function knownProviderIds(db: Db, channel: ChannelName, since: Date): Promise<Set<string>> {
  const rows = await db.rows<{ id: string }>(sql`
    select provider_id as id from outbox
    where channel = ${channel} and provider_id is not null and created_at >= ${since}`)
  return new Set(rows.map((row) => row.id))
}

/**
 * Created mass messages that nobody has confirmed and that must go: too old, the quiet hours begin, or the channel was
 * put in test, or its list was changed, after they were handed over.
 */
export async function toClose(
  tx: Tx,
  channel: ChannelName,
  now: Date,
  quiet: boolean,
  limit: number,
): Promise<number> {
  return tx.run(sql`
    update outbox set state = 'closing', due_at = ${now},
      close_reason = case when expires_at <= ${now} then 'expired'
        when ${quiet}::boolean and class = 'marketing' then 'quiet_hours' else 'channel_in_test' end
    where id in (
      select o.id from outbox o join channel c on c.name = o.channel
      where o.channel = ${channel} and o.state = 'created' and o.confirmed_at is null
        and (o.expires_at <= ${now} or (${quiet}::boolean and o.class = 'marketing')
          or (c.mode = 'test' and o.tried_at < c.changed_at))
      order by o.due_at limit ${limit} for update of o skip locked)`)
}

/**
 * Open mass messages that hold one of these persons: they are closed and made again without them. One that is being
 * settled is waited for; one that is settled afterwards is asked about then (`takeBackUnwanted`).
 */
export async function closeFor(
  tx: Tx,
  personIds: readonly number[],
  channel: ChannelName,
  now: Date,
): Promise<void> {
  const rows = await tx.rows<{ id: string }>(sql`
    select id from outbox
    where channel = ${channel} and state in ('sending', 'asking', 'created') and id in (
      select outbox_id from touch
      where person_id = any(${personIds}::int[]) and class = 'marketing' and state in ('sending', 'created'))
    order by id for update`)
  await closeUnwanted(
    tx,
    rows.map((row) => row.id),
    now,
  )
}

/** Somebody in them does not want it any more: what the provider has and nobody confirmed is taken back. */
export async function closeUnwanted(tx: Tx, ids: readonly string[], now: Date): Promise<void> {
  await tx.run(sql`
    update outbox set state = 'closing', close_reason = 'consent', due_at = ${now}
    where id = any(${ids}::uuid[]) and state = 'created' and confirmed_at is null`)
}

/** Marketing to these persons on a channel that has not been handed over. */
export async function notHandedOver(
  tx: Tx,
  personIds: readonly number[],
  channel: ChannelName,
): Promise<TouchFacts[]> {
  const found = await tx.rows<TouchFacts>(sql`
    select t.id, t.person_id as "personId", t.channel, t.class, t.journey_id as "journeyId", t.sender_id as "senderId"
    from touch t left join outbox o on o.id = t.outbox_id
    where t.person_id = any(${personIds}::int[]) and t.channel = ${channel} and t.class = 'marketing'
      and t.state in ('offered', 'deferred', 'planned', 'sending') and (o.id is null or o.state = 'ready')
    order by t.id for update of t`)
  return notAnnounced(tx, found)
}

/** Of touches that are locked now: without those whose hand-over was announced while they were waited for. */
async function notAnnounced(tx: Tx, touches: readonly TouchFacts[]): Promise<TouchFacts[]> {
  const rows = await tx.rows<{ id: string }>(sql`
    select t.id from touch t left join outbox o on o.id = t.outbox_id
    where t.id = any(${touches.map((one) => one.id)}::uuid[]) and (o.id is null or o.state = 'ready')`)
  const waiting = new Set(rows.map((row) => row.id))
  return touches.filter((one) => waiting.has(one.id))
}

/** Touches of enrolments or by their ids that have not been handed over. */
export async function waitingOf(
  tx: Tx,
  which: { enrolmentIds?: readonly string[]; touchIds?: readonly string[] },
): Promise<TouchFacts[]> {
  const found = await tx.rows<TouchFacts>(sql`
    select ${waitingColumns} from touch t left join outbox o on o.id = t.outbox_id
    where (t.enrolment_id = any(${which.enrolmentIds ?? []}::uuid[]) or t.id = any(${which.touchIds ?? []}::uuid[]))
      and ${isWaiting}
    order by t.id for update of t`)
  return notAnnounced(tx, found)
}

/**
 * Up to `limit` touches of a SOP that have not been handed over. `looked`: how many there were before they were locked; 0
 * means that none is left, while all of some may have been announced meanwhile.
 */
export async function someWaitingOf(
  tx: Tx,
  journeyId: string,
  limit: number,
): Promise<{ looked: number; waiting: TouchFacts[] }> {
  const rows = await tx.rows<{ id: string }>(sql`
    select t.id from touch t left join outbox o on o.id = t.outbox_id
    where t.journey_id = ${journeyId} and ${isWaiting} limit ${limit}`)
  return { looked: rows.length, waiting: await waitingOf(tx, { touchIds: rows.map(({ id }) => id) }) }
}

const waitingColumns = sql`t.id, t.person_id as "personId", t.channel, t.class, t.journey_id as "journeyId", t.sender_id as "senderId"`
const isWaiting = sql`t.state in ('offered', 'deferred', 'planned', 'sending') and (o.id is null or o.state = 'ready')`

export type ChannelStateRow = { name: ChannelName; mode: string; baseUrl: string; pausedUntil: Date | null }

export async function channelStates(db: Db): Promise<ChannelStateRow[]> {
  return db.rows(sql`select name, mode, base_url as "baseUrl", paused_until as "pausedUntil" from channel`)
}

export async function setFailing(
  db: Db,
  name: ChannelName,
  failing: string | null,
  until: Date | null,
): Promise<void> {
  await db.run(sql`
    update channel set failing = ${failing}, paused_until = ${until}
    where name = ${name} and (failing is distinct from ${failing} or paused_until is distinct from ${until})`)
}

/** True when this receipt is new. */
export async function noteReceipt(
  tx: Tx,
  receipt: { channel: ChannelName; providerId: string; digest: Buffer; kind: string },
  now: Date,
): Promise<boolean> {
  const written = await tx.run(sql`
    insert into receipt (channel, provider_id, recipient_digest, kind, received_at)
    values (${receipt.channel}, ${receipt.providerId}, ${receipt.digest}, ${receipt.kind}, ${now}) on conflict do nothing`)
  return written === 1
}

export async function lockOutbox(tx: Tx, id: string): Promise<OutboxRow | undefined> {
  return tx.maybe(sql`select ${outboxColumns} from outbox o where o.id = ${id} for update`)
}

export async function lockTouch(
  tx: Tx,
  id: string,
): Promise<(TouchFacts & { state: string; outboxId: string | null; costCents: number }) | undefined> {
  return tx.maybe(sql`
    select id, person_id as "personId", channel, class, journey_id as "journeyId", sender_id as "senderId", state,
      outbox_id as "outboxId", coalesce(cost_cents, 0) as "costCents"
    from touch where id = ${id} for update`)
}

export type UnknownRow = {
  id: string
  channel: ChannelName
  sender: string | null
  triedAt: Date
  touches: number
  text: string
}

/** `personal`: with the words to one person, which name them; else only what the text is called. `storeIds`: null for all. */
export async function unknownOutboxes(
  db: Db,
  { personal, storeIds }: { personal: boolean; storeIds: readonly string[] | null },
): Promise<UnknownRow[]> {
  return db.rows(sql`
    select o.id, o.channel, s.name as sender, o.tried_at as "triedAt",
      case when o.channel = 'wecom' or ${personal}::boolean then o.body
        else (select c.name from content c where c.id = o.content_id) end as text,
      (select count(*)::int from touch t where t.outbox_id = o.id and t.state = 'unknown') as touches
    from outbox o left join staff s on s.id = o.sender_id
    where o.state = 'unknown' and (${storeIds}::uuid[] is null or exists (
      select from touch t join person p on p.id = t.person_id
      where t.outbox_id = o.id and p.home_store_id = any(${storeIds}::uuid[])))
    order by o.tried_at desc limit 200`)
}

export async function setKnown(tx: Tx, id: string, reached: boolean): Promise<boolean> {
  const state = reached ? 'closed' : 'failed'
  return (await tx.run(sql`update outbox set state = ${state} where id = ${id} and state = 'unknown'`)) === 1
}
