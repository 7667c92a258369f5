/** All SQL of what pages ask. */
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql } from '../platform/postgres/sql.ts'
import type { Day } from '../platform/time/zone.ts'
import type { TouchClass, TouchState } from './candidate.ts'

export type TouchCount = { state: string; reason: string; touches: number }
export type TouchFilter = {
  state?: string | undefined
  reason?: string | undefined
  channel?: string | undefined
  journeyId?: string | undefined
  personId?: number | undefined
  day?: Day | undefined
  /** A condition over `touch t`. */
  among?: Sql | undefined
}

export type TouchRow = {
  id: string
  personId: number
  channel: string
  class: TouchClass
  state: TouchState
  reason: string | null
  journeyId: string | null
  senderId: string | null
  contentId: string
  content: string
  costCents: number
  offeredAt: Date
  dueAt: Date | null
  /** When the present state began: for order and for cursors. */
  at: Date
}

type Range = { from: Date; to: Date } | undefined

const at = sql`coalesce(t.ended_at, t.confirmed_at, t.created_at, t.decided_at, t.offered_at)`

export async function readTouches(
  db: Db,
  filter: TouchFilter & { range: Range; after: { at: Date; id: string } | undefined; limit: number },
): Promise<TouchRow[]> {
  const { after } = filter
  const page = after ? sql`and (t.offered_at, t.id) < (${after.at}, ${after.id}::uuid)` : sql``
  return db.rows(sql`
    select t.id, t.person_id as "personId", t.channel, t.class, t.state, t.reason, t.journey_id as "journeyId",
      t.sender_id as "senderId", t.content_id as "contentId", coalesce(c.name, '') as content,
      coalesce(t.cost_cents, 0) as "costCents", t.offered_at as "offeredAt", t.due_at as "dueAt", ${at} as at
    from touch t left join content c on c.id = t.content_id
    where true ${conditions(filter)} ${page}
    order by t.offered_at desc, t.id desc limit ${filter.limit}`)
}

function conditions(filter: TouchFilter & { range?: Range }): Sql {
  const parts: Sql[] = []
  if (filter.state) parts.push(sql`and t.state = ${filter.state}`)
  if (filter.reason) parts.push(sql`and t.reason = ${filter.reason}`)
  if (filter.channel) parts.push(sql`and t.channel = ${filter.channel}`)
  if (filter.journeyId) parts.push(sql`and t.journey_id = ${filter.journeyId}`)
  if (filter.personId !== undefined) parts.push(sql`and t.person_id = ${filter.personId}`)
  if (filter.among) parts.push(sql`and ${filter.among}`)
  if (filter.range)
    parts.push(sql`and t.decided_at >= ${filter.range.from} and t.decided_at < ${filter.range.to}`)
  return join(parts, ' ')
}

export async function countBy(db: Db, filter: { journeyId?: string; range?: Range }): Promise<TouchCount[]> {
  return db.rows(sql`
    select t.state, coalesce(t.reason, '') as reason, count(*)::int as touches
    from touch t where true ${conditions(filter)}
    group by 1, 2 order by touches desc, 1, 2`)
}

export type Depth = { stage: 'candidates' | 'outbox'; state: string; count: number; oldestSeconds: number }

/** What waits: candidates to be decided, and hand-overs that are not closed, by state. */
export async function readDepth(db: Db, now: Date): Promise<Depth[]> {
  return db.rows(sql`
    select 'candidates' as stage, state, count(*)::int as count,
      coalesce(extract(epoch from ${now}::timestamptz - min(offered_at)), 0)::float8 as "oldestSeconds"
    from touch where state in ('offered', 'deferred') group by state
    union all
    select 'outbox', state, count(*)::int,
      coalesce(extract(epoch from ${now}::timestamptz - min(made_at)), 0)::float8
    from outbox where state not in ('closed', 'failed') group by state`)
}

export async function readFunnel(
  db: Db,
  journeyId: string,
): Promise<{ touched: number; delivered: number; heldOut: number; costCents: number }> {
  return db.row(sql`
    select
      count(distinct person_id) filter (where created_at is not null)::int as touched,
      count(distinct person_id) filter (where state = 'delivered')::int as delivered,
      count(distinct person_id) filter (where state = 'held_out')::int as "heldOut",
      coalesce(sum(cost_cents) filter (where created_at is not null), 0)::int as "costCents"
    from touch where journey_id = ${journeyId}`)
}
