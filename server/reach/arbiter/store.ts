/** All SQL of the arbiter. */
import { randomBytes } from 'node:crypto'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Candidate } from '../candidate.ts'
import type { LedgerRow } from './caps.ts'
import type { ChannelRow, Considered, ContentRow, Verdict } from './decide.ts'

export type Waiting = Candidate & { dueAt: Date }

/** Writes candidates that are not known yet and wakes their persons. Returns the ids that are new. */
export async function insertCandidates(tx: Tx, waiting: readonly Waiting[], now: Date): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(sql`
    insert into touch (id, person_id, channel, class, content_id, sender_id, facts, journey_id, enrolment_id, node_id,
      score, cost_cents, offered_at, not_before, expires_at, due_at)
    select id, person_id, channel, class, content_id, sender_id, facts, journey_id, enrolment_id, node_id,
      score, cost_cents, ${now}, not_before, expires_at, due_at
    from jsonb_to_recordset(${JSON.stringify(waiting.map(asRow))}::jsonb) as c (
      id uuid, person_id int, channel text, class text, content_id uuid, sender_id uuid, facts jsonb, journey_id uuid,
      enrolment_id uuid, node_id text, score real, cost_cents int, not_before timestamptz, expires_at timestamptz,
      due_at timestamptz)
    order by id
    on conflict (id) do nothing
    returning id`)
  return rows.map((row) => row.id)
}

function asRow(candidate: Waiting): Record<string, unknown> {
  return {
    id: candidate.id,
    person_id: candidate.personId,
    channel: candidate.channel,
    class: candidate.class,
    content_id: candidate.contentId,
    sender_id: candidate.senderStaffId ?? null,
    facts: candidate.facts,
    journey_id: candidate.journeyId ?? null,
    enrolment_id: candidate.enrolmentId ?? null,
    node_id: candidate.nodeId ?? null,
    score: candidate.score,
    cost_cents: candidate.costCents,
    not_before: candidate.notBefore,
    expires_at: candidate.expiresAt,
    due_at: candidate.dueAt,
  }
}

/** The arbiter looks at each person at the given time at the latest. Rows are taken in id order. */
export async function wakePersons(
  tx: Tx,
  wakes: readonly { personId: number; dueAt: Date }[],
): Promise<void> {
  if (wakes.length === 0) return
  await tx.run(sql`
    insert into person_cap (person_id, due_at)
    select person_id, min(due_at)
    from unnest(${wakes.map((one) => one.personId)}::int[], ${wakes.map((one) => one.dueAt)}::timestamptz[])
      as wake (person_id, due_at)
    group by person_id order by person_id
    on conflict (person_id) do update set due_at = least(person_cap.due_at, excluded.due_at)`)
}

/** Locks up to `limit` persons who have something due. Those that another transaction holds are passed over. */
export async function claimPersons(tx: Tx, now: Date, limit: number): Promise<number[]> {
  const rows = await tx.rows<{ person_id: number }>(sql`
    select person_id from person_cap where due_at <= ${now} order by due_at, person_id limit ${limit}
    for update skip locked`)
  return rows.map((row) => row.person_id)
}

/** Of each person at most `each` candidates that are due, locked: one that is being withdrawn is passed over. */
export async function dueCandidates(
  tx: Tx,
  personIds: readonly number[],
  now: Date,
  each: number,
): Promise<Considered[]> {
  return tx.rows(sql`
    select t.* from unnest(${personIds}::int[]) as person (person_id)
    cross join lateral (
      select id, person_id as "personId", channel, class, content_id as "contentId", sender_id as "senderId",
        journey_id as "journeyId", score, not_before as "notBefore", expires_at as "expiresAt",
        cost_cents as "costCents", reason
      from touch
      where touch.person_id = person.person_id and state in ('offered', 'deferred') and due_at <= ${now}
      order by due_at limit ${each} for update skip locked
    ) t`)
}

export async function ledgerOf(tx: Tx, personIds: readonly number[], since: Date): Promise<LedgerRow[]> {
  return tx.rows(sql`
    select person_id as "personId", channel, class, slot, at from touch_ledger
    where person_id = any(${personIds}::int[]) and (at is null or at >= ${since})`)
}

export async function channelRows(db: Db): Promise<ChannelRow[]> {
  const rows = await db.rows<Omit<ChannelRow, 'allowed'> & { digests: string[] }>(sql`
    select c.name, c.mode,
      array(select encode(a.digest, 'hex') from channel_allowed a where a.channel = c.name) as digests
    from channel c`)
  return rows.map(({ digests, ...row }) => ({ ...row, allowed: new Set(digests) }))
}

export async function contentRows(tx: Tx, ids: readonly string[]): Promise<ContentRow[]> {
  return tx.rows(sql`
    select id, channel, version, retired_at is not null as retired, per_member as "perMember",
      sms_template is not null as approved
    from content where id = any(${ids}::uuid[])`)
}

export type HoldoutRow = { personId: number; scope: string; held: boolean }

export async function recordedHoldouts(
  tx: Tx,
  personIds: readonly number[],
  scopes: readonly string[],
): Promise<HoldoutRow[]> {
  return tx.rows(sql`
    select person_id as "personId", scope, held from holdout
    where person_id = any(${personIds}::int[]) and scope = any(${scopes}::uuid[])`)
}

/** Writes first answers; an answer that stands is kept. */
export async function recordHoldouts(
  tx: Tx,
  rows: readonly (HoldoutRow & { permille: number })[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    insert into holdout (person_id, scope, held, share_permille, decided_at)
    select person_id, scope, held, permille, ${now}
    from unnest(${rows.map((row) => row.personId)}::int[], ${rows.map((row) => row.scope)}::uuid[],
      ${rows.map((row) => row.held)}::boolean[], ${rows.map((row) => row.permille)}::int[])
      as answer (person_id, scope, held, permille)
    order by person_id, scope
    on conflict do nothing`)
}

/** The brand's key of the holdout hash, made on first use. */
export async function holdoutKey(tx: Tx): Promise<Buffer> {
  const known = await tx.maybe<{ key: Buffer }>(sql`select key from holdout_key`)
  if (known) return known.key
  await tx.run(sql`insert into holdout_key (key) values (${randomBytes(32)}) on conflict do nothing`)
  return (await tx.row<{ key: Buffer }>(sql`select key from holdout_key`)).key
}

type Planned = Extract<Verdict, { do: 'plan' }>
type Deferred = Extract<Verdict, { do: 'defer' }>
type Ended = Extract<Verdict, { do: 'hold' | 'drop' }>

/** Plans and reserves: the touch and its row in the ledger, in one statement. */
export async function writePlanned(tx: Tx, verdicts: readonly Planned[], now: Date): Promise<void> {
  if (verdicts.length === 0) return
  await tx.run(sql`
    with planned as (
      update touch t
      set state = 'planned', reason = null, due_at = null, slot = p.slot, sender_id = p.sender_id,
        recipient = p.recipient, content_version = p.content_version, cost_cents = p.cost_cents, decided_at = ${now}
      from unnest(${verdicts.map((one) => one.candidate.id)}::uuid[], ${verdicts.map((one) => one.slot)}::timestamptz[],
        ${verdicts.map((one) => one.senderId)}::uuid[], ${verdicts.map((one) => one.recipient)}::text[],
        ${verdicts.map((one) => one.contentVersion)}::int[], ${verdicts.map((one) => one.costCents)}::int[])
        as p (id, slot, sender_id, recipient, content_version, cost_cents)
      where t.id = p.id
      returning t.id, t.person_id, t.channel, t.class, t.sender_id, t.slot)
    insert into touch_ledger (touch_id, person_id, channel, class, sender_id, slot, reserved_at)
    select id, person_id, channel, class, sender_id, slot, ${now} from planned`)
}

export async function writeDeferred(tx: Tx, verdicts: readonly Deferred[], now: Date): Promise<void> {
  if (verdicts.length === 0) return
  await tx.run(sql`
    update touch t set state = 'deferred', reason = d.reason, due_at = d.due_at, decided_at = ${now}
    from unnest(${verdicts.map((one) => one.candidate.id)}::uuid[], ${verdicts.map((one) => one.until)}::timestamptz[],
      ${verdicts.map((one) => one.reason)}::text[]) as d (id, due_at, reason)
    where t.id = d.id`)
}

export async function writeEnded(tx: Tx, verdicts: readonly Ended[], now: Date): Promise<void> {
  if (verdicts.length === 0) return
  const states = verdicts.map((one) => (one.do === 'hold' ? 'held_out' : 'dropped'))
  await tx.run(sql`
    update touch t set state = e.state, reason = e.reason, due_at = null, decided_at = ${now}, ended_at = ${now}
    from unnest(${verdicts.map((one) => one.candidate.id)}::uuid[], ${states}::text[],
      ${verdicts.map((one) => one.reason)}::text[]) as e (id, state, reason)
    where t.id = e.id`)
}

/** Each person sleeps until what is left for them is due. */
export async function setNextLook(tx: Tx, personIds: readonly number[]): Promise<void> {
  await tx.run(sql`
    update person_cap c
    set due_at = (select min(t.due_at) from touch t
      where t.person_id = c.person_id and t.state in ('offered', 'deferred'))
    where c.person_id = any(${personIds}::int[])`)
}

/** What no cap can count any more. */
export async function pruneLedgerRows(db: Db, before: Date, limit: number): Promise<number> {
  return db.run(sql`
    delete from touch_ledger
    where touch_id = any(array(select touch_id from touch_ledger where at < ${before} order by at limit ${limit}))`)
}

/** Receipts that no provider repeats any more. */
export async function pruneReceiptRows(db: Db, before: Date, limit: number): Promise<number> {
  return db.run(sql`
    delete from receipt
    where ctid = any(array(select ctid from receipt where received_at < ${before} limit ${limit}))`)
}

/** Whether some person waits for a decision that is due. */
export async function somebodyIsDue(db: Db, now: Date): Promise<boolean> {
  const { due } = await db.row<{ due: boolean }>(
    sql`select exists (select from person_cap where due_at <= ${now}) as due`,
  )
  return due
}
