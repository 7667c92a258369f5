/** All SQL of the channels' rows. */
import type { ChannelName } from '../../contract/reach.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type ChannelMode = 'off' | 'simulated' | 'test' | 'live'

export type ChannelShown = {
  name: ChannelName
  mode: ChannelMode
  baseUrl: string
  /** Masked; null where no credentials are kept. */
  account: string | null
  liveSince: Date | null
  allowed: string[]
  failing: string | null
  version: number
}

export async function readChannels(db: Db): Promise<ChannelShown[]> {
  return db.rows(sql`
    select name, mode, base_url as "baseUrl", account, live_confirmed_at as "liveSince", failing, version,
      array(select shown from channel_allowed a where a.channel = c.name order by added_at, shown) as allowed
    from channel c order by name`)
}

/** Leaving a provider also forgets that it was failing, and leaving real ones what they know us by. */
export async function writeMode(
  tx: Tx,
  name: ChannelName,
  how: { mode: Exclude<ChannelMode, 'live'>; baseUrl: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update channel set mode = ${how.mode}, base_url = ${how.baseUrl}, live_confirmed_by = null, live_confirmed_at = null,
      failing = null, paused_until = null, version = version + 1, changed_at = ${how.now},
      secret_key = case when ${how.mode} = 'test' then secret_key end, secret = case when ${how.mode} = 'test' then secret end,
      account = case when ${how.mode} = 'test' then account end
    where name = ${name}`)
}

export type Sealed = { key: Buffer; secret: Buffer; account: string }

/** False where the version is not the present one any more. */
export async function writeConnection(
  tx: Tx,
  name: ChannelName,
  how: Sealed & { baseUrl: string; version: number; now: Date },
): Promise<boolean> {
  const written = await tx.run(sql`
    update channel set mode = 'test', base_url = ${how.baseUrl}, secret_key = ${how.key}, secret = ${how.secret}, account = ${how.account},
      live_confirmed_by = null, live_confirmed_at = null, failing = null, paused_until = null, version = version + 1, changed_at = ${how.now}
    where name = ${name} and version = ${how.version}`)
  return written === 1
}

/** Channels that may speak to a real provider, with what is sealed. */
export async function sealedConnections(
  db: Db,
): Promise<{ name: ChannelName; baseUrl: string; version: number; key: Buffer; secret: Buffer }[]> {
  return db.rows(sql`
    select name, base_url as "baseUrl", version, secret_key as key, secret from channel
    where mode in ('test', 'live') and secret is not null order by name`)
}

/** False where the version is not the present one any more, or it is not in test. */
export async function writeLive(
  tx: Tx,
  name: ChannelName,
  how: { version: number; by: string; now: Date },
): Promise<boolean> {
  const written = await tx.run(sql`
    update channel set mode = 'live', live_confirmed_by = ${how.by}, live_confirmed_at = ${how.now}, version = version + 1, changed_at = ${how.now}
    where name = ${name} and mode = 'test' and version = ${how.version}`)
  return written === 1
}

/** False where the version is not the present one any more. */
export async function replaceAllowed(
  tx: Tx,
  name: ChannelName,
  list: { kept: readonly string[]; fresh: readonly { digest: Buffer; shown: string }[] },
  how: { version: number; now: Date },
): Promise<boolean> {
  const { kept, fresh } = list
  const { version, now } = how
  const written = await tx.run(sql`
    update channel set version = version + 1, changed_at = ${now} where name = ${name} and version = ${version}`)
  if (written !== 1) return false
  await tx.run(
    sql`delete from channel_allowed where channel = ${name} and not (shown = any(${kept}::text[]))`,
  )
  await tx.run(sql`
    insert into channel_allowed (channel, digest, shown, added_at)
    select ${name}, digest, shown, ${now}
    from unnest(${fresh.map((one) => one.digest)}::bytea[], ${fresh.map((one) => one.shown)}::text[]) as f (digest, shown)
    on conflict (channel, digest) do update set shown = excluded.shown`)
  return true
}
