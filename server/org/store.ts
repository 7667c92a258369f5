/** SQL of brand, clock, settings, audit trail, catalogue and calendar. */
import type { AuditEntry } from '../../contract/access.ts'
import type { CalendarEntry, Product } from '../../contract/catalogue.ts'
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'

export type BrandRow = { name: string; zone: string; currency: string; version: number; demo: boolean }

export function selectBrand(db: Db): Promise<BrandRow | undefined> {
  return db.maybe(sql`
    select name, zone, currency, version, exists (select from store where demo) as demo from brand`)
}

/** False where there is one already. */
export async function insertBrand(
  db: Db,
  brand: { name: string; zone: string; currency: string; at: Date },
): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into brand (name, zone, currency, created_at)
    values (${brand.name}, ${brand.zone}, ${brand.currency}, ${brand.at}) on conflict (id) do nothing`)
  return inserted === 1
}

export async function updateBrand(
  db: Db,
  brand: { name: string; zone: string; currency: string; version: number },
): Promise<boolean> {
  const updated = await db.run(sql`
    update brand set name = ${brand.name}, zone = ${brand.zone}, currency = ${brand.currency}, version = version + 1
    where version = ${brand.version}`)
  return updated === 1
}

/** The latest business time, and for how many milliseconds which boot of a machine had run when it was written. */
export type Reached = { at: Date; boot: string | null; runMs: number | null }
export type RunOfMachine = Pick<Reached, 'boot' | 'runMs'>

/** Undefined before the first start. */
export function selectReached(db: Db): Promise<Reached | undefined> {
  return db.maybe(sql`select reached as at, boot, run_ms as "runMs" from business_clock`)
}

/** The latest business time ever used, after taking `now` into account. */
export async function advanceReached(db: Db, now: Date, run?: RunOfMachine): Promise<Reached> {
  await db.run(sql`
    insert into business_clock (reached, boot, run_ms) values (${now}, ${run?.boot ?? null}, ${whole(run)})
    on conflict (id) do update set reached = excluded.reached, boot = excluded.boot, run_ms = excluded.run_ms
    where business_clock.reached < excluded.reached`)
  return db.row(sql`select reached as at, boot, run_ms as "runMs" from business_clock`)
}

/** Lets business time begin again at `now`, also when that is earlier. */
export async function setReached(db: Db, now: Date, run?: RunOfMachine): Promise<void> {
  await db.run(sql`
    insert into business_clock (reached, boot, run_ms) values (${now}, ${run?.boot ?? null}, ${whole(run)})
    on conflict (id) do update set reached = excluded.reached, boot = excluded.boot, run_ms = excluded.run_ms`)
}

function whole(run: RunOfMachine | undefined): number | null {
  return run?.runMs == null ? null : Math.round(run.runMs)
}

export type SettingRow = {
  name: string
  version: number
  value: unknown
  changedAt: Date
  changedBy: string | null
}

export function selectSettings(db: Db, names?: readonly string[]): Promise<SettingRow[]> {
  return db.rows(sql`
    select s.name, s.version, s.value, s.changed_at as "changedAt", staff.name as "changedBy"
    from setting s left join staff on staff.id = s.changed_by
    where ${names === undefined ? trusted('true') : sql`s.name = any(${names}::text[])`}
    order by s.name`)
}

export function selectSettingVersions(db: Db, name: string): Promise<SettingRow[]> {
  return db.rows(sql`
    select v.name, v.version, v.value, v.changed_at as "changedAt", staff.name as "changedBy"
    from setting_version v left join staff on staff.id = v.changed_by
    where v.name = ${name} order by v.version desc limit 200`)
}

export type SettingWrite = { name: string; version: number; value: unknown; at: Date; by: string | null }

/** False where `version` is not the present one (0: nobody has changed the default). Keeps the new version for ever. */
export async function writeSettingRow(
  db: Db,
  { name, version, value, at, by }: SettingWrite,
): Promise<boolean> {
  const json = JSON.stringify(value)
  const written = await db.run(
    version === 0
      ? sql`insert into setting (name, version, value, changed_at, changed_by)
            values (${name}, 1, ${json}::jsonb, ${at}, ${by}) on conflict (name) do nothing`
      : sql`update setting set version = version + 1, value = ${json}::jsonb, changed_at = ${at}, changed_by = ${by}
            where name = ${name} and version = ${version}`,
  )
  if (written === 0) return false
  await db.run(sql`
    insert into setting_version (name, version, value, changed_at, changed_by)
    values (${name}, ${version + 1}, ${json}::jsonb, ${at}, ${by})`)
  return true
}

export type AuditRow = {
  id: string
  at: Date
  actorKind: 'staff' | 'api_key' | 'system'
  actorId: string | null
  action: string
  objectKind: string
  objectId: string | null
  reason: string | null
  before: unknown
  after: unknown
  requestId: string | null
  address: string | null
}

export async function insertAudit(db: Db, rows: readonly AuditRow[]): Promise<void> {
  await db.run(sql`
    insert into audit_trail (id, at, actor_kind, actor_id, action, object_kind, object_id, reason, before, after, request_id, address)
    select id, at, "actorKind", "actorId", action, "objectKind", "objectId", reason, before, after, "requestId", address
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t(
      id uuid, at timestamptz, "actorKind" text, "actorId" uuid, action text, "objectKind" text, "objectId" text,
      reason text, before jsonb, after jsonb, "requestId" text, address text)`)
}

export type AuditFilter = {
  from?: string | undefined
  to?: string | undefined
  actorId?: string | undefined
  action?: string | undefined
  objectKind?: string | undefined
  objectId?: string | undefined
}

/** Latest first, from before `seq` on. */
export function selectAudit(
  db: Db,
  filter: AuditFilter,
  page: { before: number | undefined; limit: number },
): Promise<(Omit<AuditEntry, 'at'> & { at: Date; seq: number })[]> {
  const wanted: Sql[] = [trusted('true')]
  if (page.before !== undefined) wanted.push(sql`a.seq < ${page.before}`)
  if (filter.from !== undefined) wanted.push(sql`a.at >= ${filter.from}::timestamptz`)
  if (filter.to !== undefined) wanted.push(sql`a.at < ${filter.to}::timestamptz`)
  if (filter.actorId !== undefined) wanted.push(sql`a.actor_id = ${filter.actorId}`)
  if (filter.action !== undefined) wanted.push(sql`a.action = ${filter.action}`)
  if (filter.objectKind !== undefined) wanted.push(sql`a.object_kind = ${filter.objectKind}`)
  if (filter.objectId !== undefined) wanted.push(sql`a.object_id = ${filter.objectId}`)
  return db.rows(sql`
    select a.seq, a.id, a.at, a.actor_kind as "actorKind", a.actor_id as "actorId",
           coalesce(staff.name, api_key.name) as "actorName", a.action, a.object_kind as "objectKind",
           a.object_id as "objectId", a.reason, a.before, a.after, a.address
    from audit_trail a
    left join staff on a.actor_kind = 'staff' and staff.id = a.actor_id
    left join api_key on a.actor_kind = 'api_key' and api_key.id = a.actor_id
    where ${join(wanted, ' and ')}
    order by a.seq desc limit ${page.limit}`)
}

/** Distinct values by skipping along the index, so that a long trail costs nothing. */
export async function selectAuditWords(db: Db, column: 'action' | 'object_kind'): Promise<string[]> {
  const name = trusted(column)
  const rows = await db.rows<{ word: string }>(sql`
    with recursive words as (
      (select ${name} as word from audit_trail order by ${name} limit 1)
      union all
      select (select a.${name} from audit_trail a where a.${name} > words.word order by a.${name} limit 1)
      from words where words.word is not null
    )
    select word from words where word is not null`)
  return rows.map((row) => row.word)
}

type Listed = { text?: string | undefined; after: readonly [string, string] | undefined; limit: number }
export type ProductRow = Product & { version: number }

const PRODUCT = trusted(
  'id, sku, name, category, price_cents as "priceCents", cost_cents as "costCents", version',
)

export function selectProducts(db: Db, { text, after, limit }: Listed): Promise<ProductRow[]> {
  const wanted: Sql[] = [trusted('true')]
  if (after) wanted.push(sql`(sku, id) > (${after[0]}, ${after[1]}::uuid)`)
  if (text)
    wanted.push(sql`(strpos(lower(sku), lower(${text})) > 0 or strpos(lower(name), lower(${text})) > 0)`)
  return db.rows(
    sql`select ${PRODUCT} from product where ${join(wanted, ' and ')} order by sku, id limit ${limit}`,
  )
}

export function selectProduct(db: Db, id: string): Promise<ProductRow | undefined> {
  return db.maybe(sql`select ${PRODUCT} from product where id = ${id}`)
}

export function insertProduct(db: Db, p: Product & { demo?: boolean }): Promise<ProductRow> {
  return db.row(sql`
    insert into product (id, sku, name, category, price_cents, cost_cents, demo)
    values (${p.id}, ${p.sku}, ${p.name}, ${p.category}, ${p.priceCents}, ${p.costCents}, ${p.demo ?? false})
    returning ${PRODUCT}`)
}

export function updateProduct(db: Db, p: ProductRow): Promise<ProductRow | undefined> {
  return db.maybe(sql`
    update product set sku = ${p.sku}, name = ${p.name}, category = ${p.category}, price_cents = ${p.priceCents},
      cost_cents = ${p.costCents}, version = version + 1
    where id = ${p.id} and version = ${p.version} returning ${PRODUCT}`)
}

export type CalendarRow = CalendarEntry & { version: number }
const ENTRY = trusted('id, kind, name, first_day as "firstDay", last_day as "lastDay", version')

export function selectCalendar(
  db: Db,
  from: string | undefined,
  to: string | undefined,
): Promise<CalendarRow[]> {
  return db.rows(sql`
    select ${ENTRY} from calendar_entry
    where (${from ?? null}::date is null or last_day >= ${from ?? null}::date)
      and (${to ?? null}::date is null or first_day <= ${to ?? null}::date)
    order by first_day, id limit 2000`)
}

export function selectCalendarEntry(db: Db, id: string): Promise<CalendarRow | undefined> {
  return db.maybe(sql`select ${ENTRY} from calendar_entry where id = ${id}`)
}

export function insertCalendarEntry(db: Db, e: CalendarEntry): Promise<CalendarRow> {
  return db.row(sql`
    insert into calendar_entry (id, kind, name, first_day, last_day)
    values (${e.id}, ${e.kind}, ${e.name}, ${e.firstDay}, ${e.lastDay}) returning ${ENTRY}`)
}

export function updateCalendarEntry(db: Db, e: CalendarRow): Promise<CalendarRow | undefined> {
  return db.maybe(sql`
    update calendar_entry set kind = ${e.kind}, name = ${e.name}, first_day = ${e.firstDay}, last_day = ${e.lastDay},
      version = version + 1
    where id = ${e.id} and version = ${e.version} returning ${ENTRY}`)
}

export async function deleteCalendarEntry(db: Db, id: string): Promise<boolean> {
  return (await db.run(sql`delete from calendar_entry where id = ${id}`)) === 1
}
