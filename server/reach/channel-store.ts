/** All SQL of the channels' rows. */
import type { ChannelName } from '../../contract/reach.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type ChannelMode = 'off' | 'simulated' | 'test' | 'live'

export type ChannelShown = {
  name: ChannelName
  mode: ChannelMode
  baseUrl: string
  allowed: string[]
  failing: string | null
  version: number
}

export async function readChannels(db: Db): Promise<ChannelShown[]> {
  return db.rows(sql`
    select name, mode, base_url as "baseUrl", failing, version,
      array(select shown from channel_allowed a where a.channel = c.name order by added_at, shown) as allowed
    from channel c order by name`)
}

/** Leaving a provider also forgets that it was failing. */
export async function writeMode(
  tx: Tx,
  name: ChannelName,
  how: { mode: Exclude<ChannelMode, 'live'>; baseUrl: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update channel set mode = ${how.mode}, base_url = ${how.baseUrl}, live_confirmed_by = null, live_confirmed_at = null,
      failing = null, paused_until = null, version = version + 1, changed_at = ${how.now}
    where name = ${name}`)
}

export async function writeLive(tx: Tx, name: ChannelName, by: string, now: Date): Promise<void> {
  await tx.run(sql`
    update channel set mode = 'live', live_confirmed_by = ${by}, live_confirmed_at = ${now}, version = version + 1, changed_at = ${now}
    where name = ${name} and mode = 'test'`)
}

export async function replaceAllowed(
  tx: Tx,
  name: ChannelName,
  kept: readonly string[],
  fresh: readonly { digest: Buffer; shown: string }[],
  now: Date,
): Promise<void> {
  await tx.run(
    sql`delete from channel_allowed where channel = ${name} and not (shown = any(${kept}::text[]))`,
  )
  await tx.run(sql`
    insert into channel_allowed (channel, digest, shown, added_at)
    select ${name}, digest, shown, ${now}
    from unnest(${fresh.map((one) => one.digest)}::bytea[], ${fresh.map((one) => one.shown)}::text[]) as f (digest, shown)
    on conflict (channel, digest) do update set shown = excluded.shown`)
  await tx.run(sql`update channel set version = version + 1, changed_at = ${now} where name = ${name}`)
}
