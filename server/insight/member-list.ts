/** The list of members: filters over what several capabilities know, a cursor for each order, masked for whoever may not see. */
import { z } from 'zod'
import type { MemberRow } from '../../contract/members.ts'
import { maskName, maskPhone, phonesOf, visibleTo, whoHas } from '../members/members.ts'
import type { Viewer } from '../org/org.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'

export type MemberQuery = {
  q?: string | undefined
  kind?: string | undefined
  lifecycle?: string | undefined
  rfm?: string | undefined
  source?: string | undefined
  storeId?: string | undefined
  guideId?: string | undefined
  segmentId?: number | undefined
  tagId?: number | undefined
  sort: 'joined' | 'last_purchase' | 'spent' | 'name'
  cursor?: string | undefined
  limit: number
}

type Row = {
  id: number
  public_id: string
  name: string | null
  kind: MemberRow['kind']
  demo: boolean
  joined_at: Date | null
  lifecycle: string | null
  last_purchase_at: Date | null
  purchases: number
  spent_cents: number
  store: string | null
  guide: string | null
  tags: string[]
  sort_text: string
}

/** What each order sorts by, as text that a cursor can carry; nothing comes last. */
const orders: Readonly<Record<MemberQuery['sort'], { by: Sql; type: Sql; descending: boolean }>> = {
  joined: { by: sql`coalesce(p.joined_at, 'epoch')`, type: sql`timestamptz`, descending: true },
  last_purchase: {
    by: sql`coalesce(st.last_purchase_at, 'epoch')`,
    type: sql`timestamptz`,
    descending: true,
  },
  spent: { by: sql`coalesce(st.spent_cents, 0)`, type: sql`bigint`, descending: true },
  name: { by: sql`coalesce(p.name, '')`, type: sql`text`, descending: false },
}
const After = z.tuple([z.string(), z.int()])

/** A page of members that the viewer may see. Name, whole phone, last four digits or card find them. */
export async function searchMembers(
  db: Db,
  keys: Keyring,
  viewer: Viewer,
  query: MemberQuery,
): Promise<{ items: MemberRow[]; next: string | null }> {
  const order = orders[query.sort]
  const after = decodeCursor(query.cursor, After)
  const way = trusted(order.descending ? 'desc' : 'asc')
  const collate = query.sort === 'name' ? trusted(' collate "zh-Hans-CN-x-icu"') : trusted('')
  const beyond = after
    ? sql`and (${order.by}${collate}, p.id) ${trusted(order.descending ? '<' : '>')} (${after[0]}::${order.type}${collate}, ${after[1]}::int)`
    : sql``
  const conditions = await conditionsOf(keys, viewer, query)
  const rows = await db.rows<Row>(sql`
    select ${columns}, (${order.by})::text as sort_text ${from}
    where p.state = 'live' and ${join(conditions, ' and ')} ${beyond}
    order by ${order.by}${collate} ${way}, p.id ${way} limit ${query.limit + 1}`)
  const shown = await shownRows(db, keys, viewer, rows.slice(0, query.limit))
  const byId = new Map(shown.map((row) => [row.id as string, row]))
  return pageFrom(rows, query.limit, {
    item: (row) => byId.get(row.public_id) as MemberRow,
    cursor: (row) => [row.sort_text, row.id],
  })
}

/** The same rows for persons by number, in that order; those the viewer may not see are left out. */
export async function memberRowsOf(
  db: Db,
  keys: Keyring,
  viewer: Viewer,
  personIds: readonly number[],
): Promise<MemberRow[]> {
  const rows = await db.rows<Row>(
    sql`select ${columns}, '' as sort_text ${from} where p.id = any(${personIds}::int[]) and p.state = 'live' and ${visibleTo(viewer)}`,
  )
  const order = new Map(personIds.map((id, index) => [id, index]))
  rows.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0))
  return shownRows(db, keys, viewer, rows)
}

const columns = sql`
  p.id, p.public_id, p.name, p.kind, p.demo, p.joined_at, st.lifecycle, st.last_purchase_at, coalesce(st.purchases, 0)::int as purchases,
  coalesce(st.spent_cents, 0)::bigint as spent_cents, store.name as store, staff.name as guide,
  coalesce((select array_agg(distinct t.name) from person_tag pt join tag t on t.id = pt.tag_id where pt.person_id = p.id and t.state = 'active'), '{}') as tags`
const from = sql`
  from person p left join person_state st on st.person_id = p.id left join store on store.id = p.home_store_id left join staff on staff.id = p.owner_staff_id
  left join person_segment ps on ps.person_id = p.id`

async function conditionsOf(keys: Keyring, viewer: Viewer, query: MemberQuery): Promise<Sql[]> {
  const conditions: Sql[] = [visibleTo(viewer)]
  if (query.kind) conditions.push(sql`p.kind = ${query.kind}`)
  if (query.lifecycle) conditions.push(sql`st.lifecycle = ${query.lifecycle}`)
  if (query.rfm) conditions.push(sql`st.rfm_group = ${query.rfm}`)
  if (query.source) conditions.push(sql`p.source = ${query.source}`)
  if (query.storeId) conditions.push(sql`p.home_store_id = ${query.storeId}`)
  if (query.guideId)
    conditions.push(
      sql`(p.owner_staff_id = ${query.guideId} or ${query.guideId}::uuid = any(p.follower_ids))`,
    )
  if (query.segmentId !== undefined) conditions.push(sql`ps.segments @> array[${query.segmentId}::int]`)
  if (query.tagId !== undefined) {
    conditions.push(
      sql`(exists (select 1 from person_tag pt where pt.person_id = p.id and pt.tag_id = ${query.tagId}) or exists (select 1 from s_tag s where s.person_id = p.id and s.tag_id = ${query.tagId}))`,
    )
  }
  const text = query.q?.trim()
  if (text) conditions.push(matches(keys, viewer, text))
  return conditions
}

/** By name for those who see names; by whole phone, card or last four digits through their blind indexes. */
function matches(keys: Keyring, viewer: Viewer, text: string): Sql {
  const exact = sql`p.id in (${whoHas(keys, text)})`
  if (!viewer.maySeePersonal) return exact
  const name = sql`p.name ilike ${`%${text.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`}`
  return sql`(${name} or ${exact})`
}

async function shownRows(db: Db, keys: Keyring, viewer: Viewer, rows: readonly Row[]): Promise<MemberRow[]> {
  const phones = await phonesOf(
    db,
    keys,
    rows.map((row) => row.id),
  )
  return rows.map((row) => {
    const phone = phones.get(row.id)
    return {
      id: row.public_id as MemberRow['id'],
      name: viewer.maySeePersonal ? row.name : maskName(row.name),
      phone: phone === undefined ? null : maskPhone(phone),
      kind: row.kind,
      demo: row.demo,
      joinedAt: row.joined_at?.toISOString() ?? null,
      lifecycle: row.lifecycle,
      lastPurchaseAt: row.last_purchase_at?.toISOString() ?? null,
      purchases: row.purchases,
      spentCents: row.spent_cents,
      store: row.store,
      guide: row.guide,
      tags: row.tags,
    }
  })
}
