/** What an export writes of a member: each column as an expression over `person` and the tables that it needs. */
import { type ExportColumnKey, exportColumn } from '../../../contract/exports.ts'
import type { Lang } from '../../../contract/lifecycle.ts'
import { cleared, type ExportedColumn } from '../../members/members.ts'
import { join, type Sql, sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'

type Join = 'state' | 'store' | 'guide'
type Column = {
  shows: ExportedColumn['shows']
  field: Sql
  needs?: Join
}

const joins: Readonly<Record<Join, Sql>> = {
  state: sql`left join person_state st on st.person_id = person.id`,
  store: sql`left join store s on s.id = person.home_store_id`,
  guide: sql`left join staff g on g.id = person.owner_staff_id`,
}

const text = (field: Sql): Column => ({ shows: 'text', field })
const written = (field: Sql): Column => ({ shows: 'text', field: cleared(field) })
/** As seconds since 1970: PostgreSQL takes longer to write one in a zone than for all the rest of a row. */
const instant = (field: Sql, needs?: Join): Column => ({
  shows: 'minute',
  field: sql`date_part('epoch', ${field})`,
  ...(needs === undefined ? {} : { needs }),
})
const ofState = (field: Sql, shows: Column['shows']): Column => ({
  shows,
  field,
  needs: 'state',
})

const TAGS = sql`(select string_agg(t.name, '、' order by t.name) from (
  select tag_id from person_tag pt where pt.person_id = person.id
  union select tag_id from s_tag v where v.person_id = person.id) held join tag t on t.id = held.tag_id and t.state = 'active')`
const SEGMENTS = sql`(select string_agg(sg.name, '、' order by sg.name) from person_segment ps join segment sg
  on sg.id = any(ps.segments) and sg.state = 'live' and not sg.hidden where ps.person_id = person.id)`

const columns: Readonly<Record<ExportColumnKey, Column>> = {
  id: text(sql`person.public_id`),
  name: { shows: 'name', field: cleared(sql`person.name`) },
  phone: { shows: 'phone', field: sql`null` },
  kind: text(sql`person.kind`),
  gender: text(sql`person.gender`),
  birthday: { shows: 'day', field: sql`person.birthday` },
  lunar: text(sql`case when person.birthday is not null then person.birthday_lunar end`),
  city: written(sql`person.city`),
  joined: instant(sql`person.joined_at`),
  source: text(sql`person.source`),
  side: text(sql`person.source_side`),
  store: { ...written(sql`s.name`), needs: 'store' },
  guide: { ...written(sql`g.name`), needs: 'guide' },
  lifecycle: ofState(sql`st.lifecycle`, 'text'),
  last_purchase: instant(sql`st.last_purchase_at`, 'state'),
  purchases: ofState(sql`coalesce(st.purchases, 0)`, 'number'),
  spent: ofState(sql`coalesce(st.spent_cents, 0)`, 'cents'),
  rfm: ofState(sql`st.rfm_group`, 'text'),
  tags: written(TAGS),
  segments: written(SEGMENTS),
  wecom: text(sql`person.wecom`),
  sms_consent: text(sql`coalesce(person.consents ->> 'sms', 'unknown')`),
}

const iso = (field: Sql): Sql => sql`to_char(${field} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** What programs read: codes and ids as they stand, times in UTC. */
export function plainColumns(): { columns: ExportedColumn[]; joins: Sql } {
  const plain: readonly (readonly [string, ExportedColumn['shows'], Sql])[] = [
    ['id', 'text', sql`person.public_id`],
    ['name', 'name', cleared(sql`person.name`)],
    ['phone', 'phone', sql`null`],
    ['kind', 'text', sql`person.kind`],
    ['gender', 'text', sql`person.gender`],
    ['birthday', 'text', sql`person.birthday`],
    ['lunar', 'yes', sql`person.birthday_lunar`],
    ['city', 'text', cleared(sql`person.city`)],
    ['joined_at', 'text', iso(sql`person.joined_at`)],
    ['register_channel', 'text', sql`person.register_channel`],
    ['registration', 'text', sql`person.registration`],
    ['source', 'text', sql`person.source`],
    ['side', 'text', sql`person.source_side`],
    ['home_store_id', 'text', sql`person.home_store_id`],
    ['guide_id', 'text', sql`person.owner_staff_id`],
    ['demo', 'yes', sql`person.demo`],
  ]
  return {
    columns: plain.map(([key, shows, field]) => ({ key, heading: key, shows, field })),
    joins: sql``,
  }
}

/** The columns as members writes them, with the tables that they need. */
export function exported(
  keys: readonly ExportColumnKey[],
  { lang, zone }: { lang: Lang; zone: Zone },
): { columns: ExportedColumn[]; joins: Sql } {
  const needed = new Set(keys.flatMap((key) => columns[key].needs ?? []))
  return {
    columns: keys.map((key) => ({
      key,
      ...exportColumn(key, lang),
      shows: columns[key].shows,
      zone,
      field: columns[key].field,
    })),
    joins: join(
      [...needed].map((table) => joins[table]),
      ' ',
    ),
  }
}
