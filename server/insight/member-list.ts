/** The list of members: people as members knows them, with what audience and the organisation know of each. */
import type { MemberRow } from '../../contract/members.ts'
import { inSegment } from '../audience/audience.ts'
import { type Found, type MembersDeps, membersByIds, type Order, searchMembers } from '../members/members.ts'
import type { Viewer } from '../org/org.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { besideOf } from './store.ts'

export type ListQuery = {
  q?: string | undefined
  kind?: MemberRow['kind'] | undefined
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

/** Joined and not looked up person by person: a page of a large base is one pass over both tables. */
const BESIDE_STATE = sql`left join person_state bought on bought.person_id = person.id`
const BY_PURCHASE: Order = {
  by: sql`coalesce(bought.last_purchase_at, '-infinity')`,
  beside: BESIDE_STATE,
  type: 'timestamptz',
  down: true,
}
const BY_SPENDING: Order = {
  by: sql`coalesce(bought.spent_cents, 0)`,
  beside: BESIDE_STATE,
  type: 'bigint',
  down: true,
}

/** Orders that members does not know by itself. */
const orders: Partial<Record<ListQuery['sort'], Order>> = { last_purchase: BY_PURCHASE, spent: BY_SPENDING }

/** A page of the members that the viewer may see and that meet the query. Errors: `bad_input` for a foreign cursor. */
export async function memberPage(
  deps: MembersDeps,
  db: Db,
  viewer: Viewer,
  query: ListQuery,
): Promise<{ items: MemberRow[]; next: string | null }> {
  const { q, kind, source, storeId, guideId, sort, cursor, limit } = query
  const order = orders[sort]
  const found = await searchMembers(
    deps,
    db,
    {
      q,
      kind,
      source,
      storeId,
      guideId,
      where: await conditionsOf(db, query),
      ...(order ? { order } : { sort: sort === 'name' ? 'name' : 'joined' }),
    },
    { viewer, cursor, limit },
  )
  return { items: await withBeside(db, found.items), next: found.next }
}

/** The same rows for persons by number, in that order; those the viewer may not see are left out. */
export async function memberRowsOf(
  deps: MembersDeps,
  db: Db,
  viewer: Viewer,
  personIds: readonly number[],
): Promise<MemberRow[]> {
  return withBeside(db, await membersByIds(deps, db, personIds, viewer))
}

async function conditionsOf(db: Db, { lifecycle, rfm, segmentId, tagId }: ListQuery): Promise<Sql[]> {
  const conditions: Sql[] = []
  if (lifecycle)
    conditions.push(
      sql`exists (select from person_state st where st.person_id = person.id and st.lifecycle = ${lifecycle})`,
    )
  if (rfm)
    conditions.push(
      sql`exists (select from person_state st where st.person_id = person.id and st.rfm_group = ${rfm})`,
    )
  if (segmentId !== undefined) conditions.push((await inSegment(db, segmentId)).condition)
  if (tagId !== undefined) {
    conditions.push(
      sql`(exists (select from person_tag pt where pt.person_id = person.id and pt.tag_id = ${tagId}::int) or exists (select from s_tag s where s.person_id = person.id and s.tag_id = ${tagId}::int))`,
    )
  }
  return conditions
}

/** Adds life cycle, spending, names of store and guide, and tags. */
export async function withBeside<Person extends Found>(
  db: Db,
  people: readonly Person[],
): Promise<MemberRow[]> {
  const beside = await besideOf(
    db,
    people.map((person) => person.id),
  )
  return people.map((person) => {
    const more = beside.get(person.id)
    return {
      id: person.publicId as MemberRow['id'],
      name: person.name,
      phone: person.phone,
      kind: person.kind,
      demo: person.demo,
      joinedAt: person.joinedAt?.toISOString() ?? null,
      lifecycle: more?.lifecycle ?? null,
      lastPurchaseAt: more?.last_purchase_at?.toISOString() ?? null,
      purchases: more?.purchases ?? 0,
      spentCents: more?.spent_cents ?? 0,
      store: more?.store ?? null,
      guide: more?.guide ?? null,
      tags: more?.tags ?? [],
    }
  })
}
