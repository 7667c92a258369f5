/** SQL of the doors' write path. */

import type { Tx } from '../../platform/postgres/database.ts'
import { jsonText } from '../../platform/postgres/json.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { ToldItem } from './told.ts'

/** Notes that events name these profiles. */
export async function markProfiles(tx: Tx, profileIds: readonly number[]): Promise<void> {
  if (profileIds.length === 0) return
  const ids = [...new Set(profileIds)].sort((a, b) => a - b)
  await tx.run(sql`
    insert into event_profile (profile_id) select id from unnest(${ids}::int[]) as n (id) on conflict do nothing`)
}

/** Describes things, or takes them out, the later word winning. */
export async function writeItems(tx: Tx, source: string, items: readonly ToldItem[]): Promise<void> {
  const last = new Map<string, ToldItem>()
  for (const item of items) {
    const key = `${item.itemType}\n${item.itemId}`
    if (!last.has(key) || (last.get(key) as ToldItem).at <= item.at) last.set(key, item)
  }
  const kept = [...last.values()].sort((a, b) => (a.itemType + a.itemId < b.itemType + b.itemId ? -1 : 1))
  const gone = kept.filter(({ properties }) => properties === null)
  const said = kept.filter(({ properties }) => properties !== null)
  await tx.run(sql`
    delete from tracked_item i
    using unnest(${gone.map((one) => one.itemType)}::text[], ${gone.map((one) => one.itemId)}::text[],
      ${gone.map((one) => one.at)}::timestamptz[]) as n (type, id, at)
    where i.source = ${source} and i.type = n.type and i.id = n.id and i.at <= n.at`)
  await tx.run(sql`
    insert into tracked_item (source, type, id, properties, at)
    select ${source}, type, id, properties::jsonb, at
    from unnest(${said.map((one) => one.itemType)}::text[], ${said.map((one) => one.itemId)}::text[],
      ${said.map((one) => jsonText(one.properties ?? {}))}::text[], ${said.map((one) => one.at)}::timestamptz[])
      as n (type, id, properties, at)
    on conflict (source, type, id) do update
    set properties = tracked_item.properties || excluded.properties, at = excluded.at
    where tracked_item.at <= excluded.at`)
}
