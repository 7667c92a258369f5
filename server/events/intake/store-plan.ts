/** SQL of the tracking plan and of what was seen beside it. */
import type { PlannedEvent, PlannedProperty, PropertyType } from '../../../contract/intake.ts'
import type { Database, Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { EventNote, NotesTaken, PropertyNote, RefusedNote } from './note.ts'

/** Adds counts, in one transaction and always in the same order, so that processes never wait for each other in a ring. */
export async function addNotes(db: Database, { events, properties, refused }: NotesTaken): Promise<void> {
  await db.transaction(async (tx) => {
    if (events.length > 0) await addEvents(tx, events)
    if (properties.length > 0) await addProperties(tx, properties)
    if (refused.length > 0) await addRefused(tx, refused)
  })
}

async function addEvents(tx: Tx, notes: readonly EventNote[]): Promise<void> {
  await tx.run(sql`
    insert into seen_event (source, name, first_at, last_at, count, cut, left_out, hidden)
    select * from unnest(${notes.map((one) => one.source)}::text[], ${notes.map((one) => one.name)}::text[],
      ${notes.map((one) => one.firstAt)}::timestamptz[], ${notes.map((one) => one.lastAt)}::timestamptz[],
      ${notes.map((one) => one.count)}::bigint[], ${notes.map((one) => one.cut)}::bigint[],
      ${notes.map((one) => one.leftOut)}::bigint[], ${notes.map((one) => one.hidden)}::bigint[]) as n (source, name, first_at, last_at, count, cut, left_out, hidden)
    order by source, name
    on conflict (source, name) do update set first_at = least(seen_event.first_at, excluded.first_at),
      last_at = greatest(seen_event.last_at, excluded.last_at), count = seen_event.count + excluded.count,
      cut = seen_event.cut + excluded.cut, left_out = seen_event.left_out + excluded.left_out,
      hidden = seen_event.hidden + excluded.hidden`)
}

async function addProperties(tx: Tx, notes: readonly PropertyNote[]): Promise<void> {
  await tx.run(sql`
    insert into seen_property (source, event, property, type, first_at, last_at, count, sample)
    select * from unnest(${notes.map((one) => one.source)}::text[], ${notes.map((one) => one.event)}::text[],
      ${notes.map((one) => one.property)}::text[], ${notes.map((one) => one.type)}::text[],
      ${notes.map((one) => one.firstAt)}::timestamptz[], ${notes.map((one) => one.lastAt)}::timestamptz[],
      ${notes.map((one) => one.count)}::bigint[], ${notes.map((one) => one.sample)}::text[]) as n (source, event, property, type, first_at, last_at, count, sample)
    order by source, event, property, type
    on conflict (source, event, property, type) do update
    set first_at = least(seen_property.first_at, excluded.first_at),
      last_at = greatest(seen_property.last_at, excluded.last_at), count = seen_property.count + excluded.count`)
}

async function addRefused(tx: Tx, notes: readonly RefusedNote[]): Promise<void> {
  await tx.run(sql`
    insert into refused_event (source, day, reason, name, last_at, count)
    select * from unnest(${notes.map((one) => one.source)}::text[], ${notes.map((one) => one.day)}::date[],
      ${notes.map((one) => one.reason)}::text[], ${notes.map((one) => one.name)}::text[],
      ${notes.map((one) => one.lastAt)}::timestamptz[], ${notes.map((one) => one.count)}::bigint[]) as n (source, day, reason, name, last_at, count)
    order by source, day, reason, name
    on conflict (source, day, reason, name) do update
    set last_at = greatest(refused_event.last_at, excluded.last_at), count = refused_event.count + excluded.count`)
}

export type PlannedRow = Omit<PlannedEvent, 'changedAt'> & { changedAt: Date; version: number }

const planned = sql`name, description, properties, version, changed_at as "changedAt"`

export async function selectPlan(db: Db): Promise<PlannedRow[]> {
  return db.rows<PlannedRow>(sql`select ${planned} from planned_event order by name`)
}

export async function selectPlanned(db: Db, name: string): Promise<PlannedRow | undefined> {
  return db.maybe<PlannedRow>(sql`select ${planned} from planned_event where name = ${name}`)
}

/** False where `version` is not the present one; 0 for an event that the plan does not have yet. */
export async function putPlanned(
  tx: Tx,
  row: {
    name: string
    description: string
    properties: Record<string, PlannedProperty>
    version: number
    at: Date
    by: string | null
  },
): Promise<boolean> {
  const properties = JSON.stringify(row.properties)
  const written =
    row.version === 0
      ? await tx.run(sql`
          insert into planned_event (name, description, properties, changed_at, changed_by)
          values (${row.name}, ${row.description}, ${properties}::jsonb, ${row.at}, ${row.by})
          on conflict do nothing`)
      : await tx.run(sql`
          update planned_event set description = ${row.description}, properties = ${properties}::jsonb,
            version = version + 1, changed_at = ${row.at}, changed_by = ${row.by}
          where name = ${row.name} and version = ${row.version}`)
  return written === 1
}

export async function deletePlanned(tx: Tx, name: string, version: number): Promise<boolean> {
  return (await tx.run(sql`delete from planned_event where name = ${name} and version = ${version}`)) === 1
}

export type SeenEventRow = {
  name: string
  sources: string[]
  firstAt: Date
  lastAt: Date
  count: number
  cut: number
  leftOut: number
  hidden: number
}

/** Events over all sources, those that came last first. */
export async function selectSeenEvents(db: Db, limit: number): Promise<SeenEventRow[]> {
  return db.rows<SeenEventRow>(sql`
    select name, array_agg(source order by source) as sources, min(first_at) as "firstAt", max(last_at) as "lastAt",
      sum(count)::bigint as count, sum(cut)::bigint as cut, sum(left_out)::bigint as "leftOut", sum(hidden)::bigint as hidden
    from seen_event group by name order by max(last_at) desc, name limit ${limit}`)
}

export type SeenPropertyRow = {
  event: string
  property: string
  type: PropertyType
  firstAt: Date
  count: number
  sample: string
}

export async function selectSeenProperties(db: Db, events: readonly string[]): Promise<SeenPropertyRow[]> {
  return db.rows<SeenPropertyRow>(sql`
    select event, property, type, min(first_at) as "firstAt", sum(count)::bigint as count,
      (array_agg(sample order by last_at desc))[1] as sample
    from seen_property where event = any(${events}::text[])
    group by event, property, type order by event, property, type`)
}

/** What was refused in the last 30 days. */
export async function selectRefused(
  db: Db,
  since: Date,
): Promise<(Omit<RefusedNote, 'day'> & { lastAt: Date })[]> {
  return db.rows(sql`
    select source, reason, name, max(last_at) as "lastAt", sum(count)::bigint as count
    from refused_event where day >= ${since}::date group by source, reason, name
    order by max(last_at) desc limit 200`)
}
