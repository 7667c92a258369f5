/** All SQL of content. */
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Content } from './shape.ts'

export type StoredContent = Content & { version: number; perMember: boolean; retired: boolean }

const columns = sql`
  id, name, channel, kind, body, attachments, demo, version, per_member as "perMember",
  retired_at is not null as retired,
  case when sms_template is not null then jsonb_build_object('sign', sms_sign, 'template', sms_template, 'params', sms_params) end as sms`

/** Holds the row until the end of the transaction. */
export async function lockContent(tx: Tx, id: string): Promise<StoredContent | undefined> {
  return tx.maybe(sql`select ${columns} from content where id = ${id} for update`)
}

/** Those of these that are SMS and not retired, by name. */
export async function smsContents(db: Db, ids: readonly string[]): Promise<StoredContent[]> {
  return db.rows(sql`
    select ${columns} from content
    where id = any(${ids}::uuid[]) and channel = 'sms' and retired_at is null order by name, id`)
}

/** Writes it and keeps the version; the version that stands now. */
export async function writeContent(
  tx: Tx,
  content: Content,
  how: { by: string | null; now: Date; perMember: boolean },
): Promise<number> {
  const attachments = JSON.stringify(content.attachments)
  const params = JSON.stringify(content.sms?.params ?? {})
  const written = await tx.maybe<{ version: number }>(sql`
    insert into content as c (id, name, channel, kind, body, attachments, sms_sign, sms_template, sms_params, per_member, demo, changed_at)
    values (${content.id}, ${content.name}, ${content.channel}, ${content.kind}, ${content.body}, ${attachments}::jsonb,
      ${content.sms?.sign ?? null}, ${content.sms?.template ?? null}, ${params}::jsonb, ${how.perMember}, ${content.demo}, ${how.now})
    on conflict (id) do update set name = excluded.name, kind = excluded.kind, body = excluded.body,
      attachments = excluded.attachments, sms_sign = excluded.sms_sign, sms_template = excluded.sms_template,
      sms_params = excluded.sms_params, per_member = excluded.per_member, version = c.version + 1,
      changed_at = excluded.changed_at, retired_at = null
    where (c.name, c.kind, c.body, c.attachments, c.sms_sign, c.sms_template, c.sms_params, c.retired_at)
      is distinct from (excluded.name, excluded.kind, excluded.body, excluded.attachments, excluded.sms_sign,
        excluded.sms_template, excluded.sms_params, null)
    returning version`)
  if (!written) {
    const { version } = await tx.row<{ version: number }>(
      sql`select version from content where id = ${content.id}`,
    )
    return version
  }
  await tx.run(sql`
    insert into content_version (content_id, version, body, attachments, sms_params, per_member, changed_at, changed_by)
    values (${content.id}, ${written.version}, ${content.body}, ${attachments}::jsonb, ${params}::jsonb, ${how.perMember}, ${how.now}, ${how.by})`)
  return written.version
}
