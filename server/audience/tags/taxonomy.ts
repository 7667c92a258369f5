/**
 * Tag groups and tags as definitions.
 *
 * A tag says what it is for and what will be done with it, or it is not made. Its level is its group's, for ever.
 * Guides have little time: a brand has at most MAX_GUIDE_TAGS tags that only a guide can set.
 */
import type { Rule } from '../../../contract/rule.ts'
import { newId } from '../../platform/ids.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { brokenConstraint } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { lostWrite } from '../../platform/versioned.ts'
import { changeDefinitions, loadDefinitions } from '../definitions.ts'
import { compileRules } from '../rule/compile.ts'
import { checkRule, declareNeeds } from '../rule/needs.ts'
import { disuses, refuseWhileUsed, usersByObject } from '../usage.ts'
import { claimants, lockPersons, settleSTags } from './store.ts'

export const MAX_GUIDE_TAGS = 60

export type TagGroup = {
  id: number
  name: string
  level: 'S' | 'business'
  scope: 'brand' | 'custom'
  openToStores: boolean
  seeded: boolean
  tags: number
  covered: number | null
  unknown: number | null
  version: number
}
export type GroupFields = Pick<TagGroup, 'name' | 'level' | 'scope' | 'openToStores'>
export type By = { by: string | null; at: Date }

/** All groups; of those of level S how many persons have a value, and how many are unknown. */
export async function listTagGroups(db: Db, id?: number): Promise<TagGroup[]> {
  const only = id === undefined ? sql`` : sql`and g.id = ${id}`
  return db.rows<TagGroup>(sql`
    select g.id, g.name, case g.level when 's' then 'S' else 'business' end as level, g.scope,
      g.open_to_stores as "openToStores", g.code is not null as seeded, g.version,
      (select count(*)::int from tag t where t.group_id = g.id and t.state = 'active') as tags,
      case g.level when 's' then coalesce(valued.persons, 0) end as covered,
      case g.level when 's' then everybody.persons - coalesce(valued.persons, 0) end as unknown
    from tag_group g
      left join (select s.group_id, count(*)::int as persons from s_tag s join person p on p.id = s.person_id
        where p.state = 'live' group by 1) valued on valued.group_id = g.id
      cross join (select count(*)::int as persons from person where state = 'live') everybody
    where g.state = 'active' ${only} order by g.level desc, g.id`)
}

/** Errors: `conflict` where the name is taken. */
export async function createTagGroup(
  tx: Tx,
  fields: GroupFields & { demo?: boolean },
  by: By,
): Promise<number> {
  return unlessTaken(async () => {
    const { id } = await tx.row<{ id: number }>(sql`
      insert into tag_group (name, level, scope, open_to_stores, demo, created_at, created_by)
      values (${fields.name}, ${fields.level === 'S' ? 's' : 'b'}, ${fields.scope}, ${fields.openToStores}, ${fields.demo ?? false}, ${by.at}, ${by.by})
      returning id`)
    return id
  })
}

/** The level stays what it was. Errors: `stale_version`, `conflict`, `bad_input`. */
export async function changeTagGroup(
  tx: Tx,
  given: GroupFields & { id: number; version: number },
): Promise<void> {
  const before = await readGroup(tx, given.id)
  if (before && before.level !== given.level) {
    throw new Problem('bad_input', 'The level of a group cannot be changed: make a new group.', {
      field: 'level',
    })
  }
  await unlessTaken(async () => {
    const changed = await tx.run(sql`
      update tag_group set name = ${given.name}, scope = ${given.scope}, open_to_stores = ${given.openToStores}, version = version + 1
      where id = ${given.id} and version = ${given.version} and state = 'active'`)
    if (changed !== 1) throw lostWrite('tag group', given, before)
  })
}

export type TagFields = {
  groupId: number
  parentId: number | null
  name: string
  volatility: 'dynamic' | 'static'
  subjectivity: 'subjective' | 'objective'
  derivation: 'fact' | 'model'
  composition: 'single' | 'combined'
  producer: 'guide' | 'system'
  origin: 'synced' | 'manual' | 'auto'
  use: string
  plan: string
  rule: Rule | null
}
export type TagShown = TagFields & {
  id: number
  group: string
  level: 'S' | 'business'
  scope: 'brand' | 'custom'
  storeId: string | null
  persons: number
  usedBy: string[]
  /** Active, and nothing uses it. The values that every brand has (TAG-13) are in use by themselves. */
  waste: boolean
  retiredAt: Date | null
  version: number
}

/** `storeId`: made by a store for itself. Errors: `bad_input`, `conflict`, `not_allowed`, `too_many`, `rule_invalid`, `rule_cycle`. */
export async function createTag(
  tx: Tx,
  fields: TagFields & { storeId?: string | null; demo?: boolean },
  by: By,
): Promise<number> {
  const group = await groupOf(tx, fields.groupId)
  if (fields.storeId && !group.openToStores) {
    throw new Problem('not_allowed', 'Headquarters has not opened this group to stores.', {
      field: 'groupId',
    })
  }
  await refuseTooManyGuideTags(tx, fields)
  checkKind(fields)
  const reading = await changeDefinitions(tx)
  const scope = fields.storeId ? 'custom' : group.scope
  const { id } = await unlessTaken(() =>
    tx.row<{ id: number }>(sql`
      insert into tag (group_id, level, parent_id, name, volatility, subjectivity, derivation, composition, scope, producer,
        origin, purpose, plan, rule, position, store_id, reading, demo, created_at, created_by)
      select ${fields.groupId}, ${group.level === 'S' ? 's' : 'b'}, ${fields.parentId}, ${fields.name}, ${fields.volatility}, ${fields.subjectivity},
        ${fields.derivation}, ${fields.composition}, ${scope}, ${fields.producer}, ${fields.origin}, ${fields.use}, ${fields.plan},
        ${jsonOf(fields.rule)}::jsonb, coalesce(max(position), 0) + 1, ${fields.storeId ?? null}, ${reading}, ${fields.demo ?? false}, ${by.at}, ${by.by}
      from tag where group_id = ${fields.groupId}
      returning id`),
  )
  await takeRule(tx, id, fields)
  return id
}

/** A tag in use keeps its rule, group and name's meaning. Errors: as `createTag`, `stale_version`, `in_use` with the users. */
export async function changeTag(tx: Tx, given: TagFields & { id: number; version: number }): Promise<void> {
  const [before] = await listTags(tx, { id: given.id })
  if (!before) throw lostWrite('tag', given, undefined)
  if (before.groupId !== given.groupId) {
    throw new Problem('bad_input', 'A tag cannot move to another group: make a new one.', {
      field: 'groupId',
    })
  }
  checkKind(given)
  const redefined =
    JSON.stringify(before.rule) !== JSON.stringify(given.rule) || before.parentId !== given.parentId
  if (redefined) await refuseWhileUsed(tx, { kind: 'tag', id: given.id })
  if (given.producer === 'guide' && before.producer !== 'guide') await refuseTooManyGuideTags(tx, given)
  const reading = redefined ? await changeDefinitions(tx) : null
  const changed = await unlessTaken(() =>
    tx.run(sql`
      update tag set parent_id = ${given.parentId}, name = ${given.name}, volatility = ${given.volatility}, subjectivity = ${given.subjectivity},
        derivation = ${given.derivation}, composition = ${given.composition}, producer = ${given.producer}, origin = ${given.origin},
        purpose = ${given.use}, plan = ${given.plan}, rule = ${jsonOf(given.rule)}::jsonb,
        reading = coalesce(${reading}, reading), version = version + 1
      where id = ${given.id} and version = ${given.version} and state = 'active'`),
  )
  if (changed !== 1) throw lostWrite('tag', given, before)
  if (redefined) await takeRule(tx, given.id, given)
}

async function takeRule(tx: Tx, id: number, { name, rule }: Pick<TagFields, 'name' | 'rule'>): Promise<void> {
  await disuses(tx, { kind: 'tag', id })
  if (!rule) return
  await checkRule(tx, rule)
  compileRules(await loadDefinitions(tx))
  await declareNeeds(tx, rule, { kind: 'tag', id, label: name })
}

export type TagFilter = { id?: number; groupId?: number; retired?: boolean; wasteOnly?: boolean }

/** Tags with how many persons carry each and who uses it. */
export async function listTags(db: Db, filter: TagFilter = {}): Promise<TagShown[]> {
  const conditions = [
    filter.id === undefined ? sql`` : sql`and t.id = ${filter.id}`,
    filter.groupId === undefined ? sql`` : sql`and t.group_id = ${filter.groupId}`,
    filter.retired === undefined ? sql`` : sql`and t.state = ${filter.retired ? 'retired' : 'active'}`,
  ] as const
  const rows = await db.rows<Omit<TagShown, 'usedBy' | 'waste'> & { seeded: boolean }>(sql`
    select t.id, t.group_id as "groupId", g.name as "group", case t.level when 's' then 'S' else 'business' end as level,
      t.parent_id as "parentId", t.name, t.volatility, t.subjectivity, t.derivation, t.composition, t.producer, t.origin, t.scope,
      t.store_id as "storeId", t.purpose as use, t.plan, t.rule, t.retired_at as "retiredAt", t.version, t.code is not null as seeded,
      case t.level when 's' then (select count(*)::int from s_tag s where s.tag_id = t.id)
        else (select count(distinct person_id)::int from person_tag p where p.tag_id = t.id) end as persons
    from tag t join tag_group g on g.id = t.group_id
    where true ${conditions[0]} ${conditions[1]} ${conditions[2]}
    order by t.level desc, t.group_id, t.position, t.id`)
  const users = await usersByObject(db, 'tag')
  const groupUsers = await usersByObject(db, 'tag_group')
  const shown = rows.map(({ seeded, ...row }): TagShown => {
    const usedBy = [...(users.get(String(row.id)) ?? []), ...(groupUsers.get(String(row.groupId)) ?? [])].map(
      (user) => user.label,
    )
    return { ...row, usedBy, waste: usedBy.length === 0 && row.retiredAt === null && !seeded }
  })
  return filter.wasteOnly ? shown.filter((tag) => tag.waste) : shown
}

/**
 * Takes tags out of use; who carries them stays known, so that `undoRetirement` brings everything back.
 * Errors: `in_use` with the users of the first that is used, `not_found`.
 */
export async function retireTags(
  tx: Tx,
  ids: readonly number[],
  { reason, by, at }: By & { reason: string },
): Promise<{ id: string; retired: number }> {
  for (const id of ids) {
    await refuseWhileUsed(tx, { kind: 'tag', id })
    await disuses(tx, { kind: 'tag', id })
  }
  await changeDefinitions(tx)
  const rows = await tx.rows<{ id: number; level: 's' | 'b' }>(sql`
    update tag set state = 'retired', retired_at = ${at}, version = version + 1
    where id = any(${ids}::int[]) and state = 'active' returning id, level`)
  if (rows.length === 0) throw new Problem('not_found', 'None of these tags is active.')
  await resettle(tx, rows)
  const id = newId(at)
  await tx.run(sql`
    insert into tag_retirement (id, tag_ids, reason, at, staff_id)
    values (${id}, ${rows.map((row) => row.id)}, ${reason}, ${at}, ${by})`)
  return { id, retired: rows.length }
}

/** Values of level S follow when a tag goes or comes back. */
async function resettle(tx: Tx, tags: readonly { id: number; level: 's' | 'b' }[]): Promise<void> {
  const values = tags.filter(({ level }) => level === 's').map(({ id }) => id)
  const persons = await claimants(tx, values)
  for (let from = 0; from < persons.length; from += SETTLE_BATCH) {
    await settleSTags(tx, await lockPersons(tx, persons.slice(from, from + SETTLE_BATCH)))
  }
}

const SETTLE_BATCH = 5000

/** Errors: `not_found`, `gone` where it was undone before, `conflict` where a name is taken again. */
export async function undoRetirement(tx: Tx, id: string, at: Date): Promise<number> {
  const row = await tx.maybe<{ tags: number[]; undone: Date | null }>(
    sql`select tag_ids as tags, undone_at as undone from tag_retirement where id = ${id} for update`,
  )
  if (!row) throw new Problem('not_found', 'There is no such retirement.')
  if (row.undone) throw new Problem('gone', 'These tags have been brought back already.')
  const reading = await changeDefinitions(tx)
  await tx.run(sql`update tag_retirement set undone_at = ${at} where id = ${id}`)
  const restored = await unlessTaken(() =>
    tx.rows<{ id: number; level: 's' | 'b'; name: string; rule: Rule | null }>(sql`
      update tag set state = 'active', retired_at = null, reading = ${reading}, version = version + 1
      where id = any(${row.tags}::int[]) and state = 'retired' returning id, level, name, rule`),
  )
  for (const tag of restored) await takeRule(tx, tag.id, tag)
  await resettle(tx, restored)
  return restored.length
}

type GroupRow = Pick<TagGroup, 'level' | 'scope' | 'openToStores' | 'version'>

/** The group itself, without counting anybody. */
async function readGroup(tx: Tx, id: number): Promise<GroupRow | undefined> {
  return tx.maybe<GroupRow>(sql`
    select case level when 's' then 'S' else 'business' end as level, scope, open_to_stores as "openToStores", version
    from tag_group where id = ${id} and state = 'active'`)
}

async function groupOf(tx: Tx, id: number): Promise<GroupRow> {
  const group = await readGroup(tx, id)
  if (!group) throw new Problem('not_found', 'There is no such tag group.', { field: 'groupId' })
  return group
}

function checkKind({ rule, origin, producer }: TagFields): void {
  if (rule && (origin !== 'auto' || producer !== 'system')) {
    throw new Problem('bad_input', 'A tag with a rule is automatic and made by the system.', {
      field: 'origin',
    })
  }
}

async function refuseTooManyGuideTags(tx: Tx, { producer }: TagFields): Promise<void> {
  if (producer !== 'guide') return
  const { tags } = await tx.row<{ tags: number }>(
    sql`select count(*) as tags from tag where producer = 'guide' and state = 'active'`,
  )
  if (tags >= MAX_GUIDE_TAGS) {
    throw new Problem('too_many', `Guides have ${tags} tags to set already; let a rule set this one.`, {
      field: 'producer',
    })
  }
}

async function unlessTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const constraint = brokenConstraint(error)
    if (constraint === 'tag_name' || constraint === 'tag_group_name_key') {
      throw new Problem('conflict', 'This name is taken.', { field: 'name' })
    }
    if (constraint === 'tag_parent_id_group_id_fkey') {
      throw new Problem('bad_input', 'The parent is a tag of the same group.', { field: 'parentId' })
    }
    throw error
  }
}

function jsonOf(rule: Rule | null): string | null {
  return rule === null ? null : JSON.stringify(rule)
}
