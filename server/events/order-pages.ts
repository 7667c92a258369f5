/** Orders as they stand, page by page, for exports. */
import type { OrderState } from '../../contract/events.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type OrderPage = {
  orders: { state: OrderState; profileId: number | null; version: number }[]
  /** For the next page; undefined after the last one. */
  next: { source: string; externalId: string } | undefined
}

/** Orders by (source, number), those after `after`; orders without a buyer are among them, deleted ones are not. */
export async function pageOfOrders(
  db: Db,
  { after, limit }: { after: OrderPage['next']; limit: number },
): Promise<OrderPage> {
  const rows = await db.rows<{
    source: string
    externalId: string
    body: OrderState
    profileId: number | null
    version: number
  }>(sql`
    select source, external_id as "externalId", body, profile_id as "profileId", version from document
    where kind = 'order' and not deleted and version > 0
      and (source, external_id) > (${after?.source ?? ''}, ${after?.externalId ?? ''})
    order by source, external_id limit ${limit}`)
  const last = rows.at(-1)
  return {
    orders: rows.map(({ body, profileId, version }) => ({ state: body, profileId, version })),
    next: rows.length === limit && last ? { source: last.source, externalId: last.externalId } : undefined,
  }
}
