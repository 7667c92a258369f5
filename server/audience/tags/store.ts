import type { Db, Tx } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'

export type Origin = 'synced' | 'manual' | 'auto'
export type Producer = 'guide' | 'system'

export type TagRow = {
  id: number
  groupId: number
  level: 's' | 'b'
  name: string
  volatility: 'dynamic' | 'static'
  state: 'active' | 'retired'
  hasRule: boolean
}

export async function selectTagRows(db: Db, ids: readonly number[]): Promise<TagRow[]> {
  return db.rows<TagRow>(sql`
    select id, group_id as "groupId", level, name, volatility, state, rule is not null as "hasRule"
    from tag where id = any(${ids}::int[])`)
}

/** Persons stand still while their tags change: locked in id order. Answers those who are there. */
export async function lockPersons(tx: Tx, ids: readonly number[]): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(sql`
    select id from person where id = any(${ids}::int[]) and state = 'live' order by id for no key update`)
  return rows.map((row) => row.id)
}

export type Held = { personId: number; tagId: number }

/** Which of the tags which of the persons carry, from anywhere. */
export async function selectHeld(
  db: Db,
  persons: readonly number[],
  tags: readonly number[],
): Promise<Held[]> {
  return db.rows<Held>(sql`
    select distinct person_id as "personId", tag_id as "tagId" from person_tag
    where person_id = any(${persons}::int[]) and tag_id = any(${tags}::int[])`)
}

export type NewTag = Held & {
  profileId: number
  origin: Origin
  producer: Producer
  at: Date
  staffId: string | null
  reason: string | null
}

export async function upsertPersonTags(tx: Tx, rows: readonly NewTag[]): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    insert into person_tag (profile_id, tag_id, origin, person_id, producer, at, staff_id, reason)
    select * from ${unnestTags(rows)}
    on conflict (profile_id, tag_id, origin) do update set person_id = excluded.person_id, producer = excluded.producer,
      at = excluded.at, staff_id = excluded.staff_id, reason = excluded.reason
    where excluded.at >= person_tag.at`)
}

function unnestTags(rows: readonly NewTag[]): Sql {
  return sql`unnest(${rows.map((row) => row.profileId)}::int[], ${rows.map((row) => row.tagId)}::int[],
    ${rows.map((row) => row.origin)}::text[], ${rows.map((row) => row.personId)}::int[], ${rows.map((row) => row.producer)}::text[],
    ${rows.map((row) => row.at)}::timestamptz[], ${rows.map((row) => row.staffId)}::uuid[], ${rows.map((row) => row.reason)}::text[])`
}

/** Takes tags away. Without `origin` whatever says it; a rule's own answers only with origin 'auto'. */
export async function deletePersonTags(tx: Tx, rows: readonly Held[], origin?: Origin): Promise<void> {
  if (rows.length === 0) return
  const only = origin === undefined ? sql`` : sql`and pt.origin = ${origin}`
  await tx.run(sql`
    delete from person_tag pt
    using unnest(${rows.map((row) => row.personId)}::int[], ${rows.map((row) => row.tagId)}::int[]) as t (person_id, tag_id)
    where pt.person_id = t.person_id and pt.tag_id = t.tag_id ${only}`)
}

export type NewClaim = NewTag & { groupId: number }

export async function upsertClaims(tx: Tx, rows: readonly NewClaim[]): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    insert into s_tag_claim (profile_id, tag_id, origin, person_id, producer, at, staff_id, reason, group_id)
    select t.*, tag.group_id from ${unnestTags(rows)} as t (profile_id, tag_id, origin, person_id, producer, at, staff_id, reason)
    join tag on tag.id = t.tag_id
    on conflict (profile_id, group_id, origin) do update set tag_id = excluded.tag_id, person_id = excluded.person_id,
      producer = excluded.producer, at = excluded.at, staff_id = excluded.staff_id, reason = excluded.reason
    where excluded.at >= s_tag_claim.at`)
}

export async function deleteClaims(
  tx: Tx,
  rows: readonly { personId: number; groupId: number; origin: Origin }[],
): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    delete from s_tag_claim c
    using unnest(${rows.map((row) => row.personId)}::int[], ${rows.map((row) => row.groupId)}::int[], ${rows.map((row) => row.origin)}::text[])
      as t (person_id, group_id, origin)
    where c.person_id = t.person_id and c.group_id = t.group_id and c.origin = t.origin`)
}

/** `attribute`: nobody claims anything; an attribute of the person means it. */
export type SRow = {
  personId: number
  groupId: number
  tagId: number
  origin: Origin | 'attribute'
  producer: Producer
}

export async function selectSTags(db: Db, persons: readonly number[]): Promise<SRow[]> {
  return db.rows<SRow>(sql`
    select person_id as "personId", group_id as "groupId", tag_id as "tagId", origin, producer
    from s_tag where person_id = any(${persons}::int[])`)
}

/** Everybody of whom somebody said one of these tags of level S, or who has it without that. */
export async function claimants(db: Db, tags: readonly number[]): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    select person_id as id from s_tag_claim where tag_id = any(${tags}::int[])
    union select person_id from s_tag where tag_id = any(${tags}::int[]) order by 1`)
  return rows.map((row) => row.id)
}

/**
 * What the claims of each person and group come to: manual before rule before synced, then the latest, then the greater
 * tag; without any claim, the tag whose code is the person's attribute (`means` of a definition).
 */
const winners = (persons: readonly number[]): Sql => sql`
  select distinct on (said.person_id, said.group_id) said.* from (
    select c.person_id, c.group_id, c.tag_id, c.origin, c.producer, c.at,
      case c.origin when 'manual' then 0 when 'auto' then 1 else 2 end as rank
    from s_tag_claim c join tag t on t.id = c.tag_id
    where c.person_id = any(${persons}::int[]) and t.state = 'active'
    union all
    select p.id, t.group_id, t.id, 'attribute', 'system', p.changed_at, 3
    from person p cross join lateral (values ('gender', p.gender), ('source_channel', p.source_channel)) a (name, value)
      join tag_group g on g.code = a.name join tag t on t.group_id = g.id and t.code = a.value
    where p.id = any(${persons}::int[]) and p.state = 'live' and t.state = 'active'
  ) said
  order by said.person_id, said.group_id, said.rank, said.at desc, said.tag_id desc`

/** Makes s_tag what the claims say, and notes the claims that lost against another tag. The persons are locked. */
export async function settleSTags(tx: Tx, persons: readonly number[]): Promise<void> {
  await tx.run(sql`
    delete from s_tag s where s.person_id = any(${persons}::int[])
      and not exists (select from (${winners(persons)}) w where w.person_id = s.person_id and w.group_id = s.group_id)`)
  await tx.run(sql`
    insert into s_tag as s (person_id, group_id, tag_id, origin, producer, at)
    select person_id, group_id, tag_id, origin, producer, at from (${winners(persons)}) w
    on conflict (person_id, group_id) do update set tag_id = excluded.tag_id, origin = excluded.origin,
      producer = excluded.producer, at = excluded.at
    where (s.tag_id, s.origin) is distinct from (excluded.tag_id, excluded.origin)
      or (s.at <> excluded.at and s.origin <> 'attribute')`)
  await tx.run(sql`
    delete from s_tag_loss l where l.person_id = any(${persons}::int[])
      and not exists (
        select from s_tag_claim c join s_tag s on s.person_id = c.person_id and s.group_id = c.group_id
        where c.profile_id = l.profile_id and c.group_id = l.group_id and c.origin = l.origin
          and c.tag_id = l.lost_tag_id and s.tag_id = l.won_tag_id)`)
  await tx.run(sql`
    insert into s_tag_loss as l (profile_id, group_id, origin, person_id, lost_tag_id, won_tag_id, won_origin, at)
    select c.profile_id, c.group_id, c.origin, c.person_id, c.tag_id, s.tag_id, s.origin, greatest(c.at, s.at)
    from s_tag_claim c join s_tag s on s.person_id = c.person_id and s.group_id = c.group_id
    where c.person_id = any(${persons}::int[]) and c.tag_id <> s.tag_id and s.origin <> 'attribute'
    on conflict (profile_id, group_id, origin) do update set person_id = excluded.person_id, lost_tag_id = excluded.lost_tag_id,
      won_tag_id = excluded.won_tag_id, won_origin = excluded.won_origin, at = excluded.at,
      written_back_at = case when (l.lost_tag_id, l.won_tag_id) = (excluded.lost_tag_id, excluded.won_tag_id) then l.written_back_at end`)
}

/** The rows of profiles come under other persons, by profile: merges, or their undo. */
export async function movePersonTags(tx: Tx, personOf: ReadonlyMap<number, number>): Promise<void> {
  for (const table of [sql`person_tag`, sql`s_tag_claim`, sql`s_tag_loss`]) {
    await tx.run(sql`
      update ${table} t set person_id = m.person_id
      from unnest(${[...personOf.keys()]}::int[], ${[...personOf.values()]}::int[]) as m (profile_id, person_id)
      where t.profile_id = m.profile_id`)
  }
}

type InGroup = { group: number; tag: number }
export type AutoRow = { personId: number; tags: number[]; claims: InGroup[]; values: InGroup[] }

/** What rules have said so far of persons: business tags, and claims in groups of level S; and the values that stand. */
export async function selectAutoRows(db: Db, persons: readonly number[]): Promise<Map<number, AutoRow>> {
  const tags = await db.rows<{ personId: number; tagId: number }>(sql`
    select pt.person_id as "personId", pt.tag_id as "tagId" from person_tag pt join tag t on t.id = pt.tag_id
    where pt.person_id = any(${persons}::int[]) and pt.origin = 'auto' and t.rule is not null and t.state = 'active'`)
  const claims = await db.rows<{ personId: number; group: number; tag: number }>(sql`
    select c.person_id as "personId", c.group_id as "group", c.tag_id as tag from s_tag_claim c join tag t on t.id = c.tag_id
    where c.person_id = any(${persons}::int[]) and c.origin = 'auto' and t.rule is not null and t.state = 'active'`)
  const found = new Map<number, AutoRow>(
    persons.map((personId) => [personId, { personId, tags: [], claims: [], values: [] }]),
  )
  for (const { personId, tagId } of tags) found.get(personId)?.tags.push(tagId)
  for (const { personId, ...claim } of claims) found.get(personId)?.claims.push(claim)
  for (const { personId, groupId, tagId } of await selectSTags(db, persons)) {
    found.get(personId)?.values.push({ group: groupId, tag: tagId })
  }
  return found
}
