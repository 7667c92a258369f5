/**
 * Segments as definitions. A live one is followed from the moment it is saved, and answered for everybody by the next
 * recompute. A snapshot keeps who was in it when it was taken, one on demand is computed when somebody asks (take.ts).
 */
import type { Lang } from '../../../contract/lifecycle.ts'
import { Rule } from '../../../contract/rule.ts'
import type { RuleNames } from '../../../contract/rule-phrases.ts'
import { sentence } from '../../../contract/rule-sentence.ts'
import { brokenConstraint, type Db, type Tx } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { lostWrite } from '../../platform/versioned.ts'
import { changeDefinitions, loadDefinitions, nextReading } from '../definitions.ts'
import { compileRules } from '../rule/compile.ts'
import { checkRule, declareNeeds, NOT_FOLLOWED } from '../rule/needs.ts'
import { disuses, refuseWhileUsed, usersByObject } from '../usage.ts'

export type SegmentKind = 'live' | 'snapshot' | 'on_demand'
export type SegmentRow = {
  id: number
  name: string
  description: string
  rule: Rule
  /** What it is, or becomes with the take that is wanted. */
  kind: SegmentKind
  /** When the take that counts was taken, and how many were in it; null for none. */
  takenAt: Date | null
  takenPersons: number | null
  /** Being taken; how far that is, 0…1. */
  taking: boolean
  takenShare: number
  hidden: boolean
  version: number
  demo: boolean
  createdAt: Date
  changedAt: Date
}
export type SegmentFields = { name: string; description: string; rule: Rule; kind?: SegmentKind | undefined }
export type By = { by: string | null; at: Date }

/**
 * `hidden`: a condition of an SOP, not listed. Its members are known after the next recompute.
 * Errors: `rule_invalid`, `rule_cycle` with the path, `conflict` where the name is taken.
 */
export async function createSegment(
  tx: Tx,
  fields: SegmentFields & { hidden?: boolean; demo?: boolean },
  { by, at }: By,
): Promise<SegmentRow> {
  const rule = parsed(fields.rule)
  await checkRule(tx, rule)
  const kind = fields.kind ?? 'live'
  const taking = kind === 'live' ? null : at
  const reading = await nextReading(tx)
  const row = await unlessTaken(() =>
    tx.row<SegmentRow>(sql`
      insert into segment (name, description, rule, hidden, reading, demo, created_at, changed_at, created_by, kind, wanted_take, wanted_at)
      values (${fields.name}, ${fields.description}, ${JSON.stringify(rule)}::jsonb, ${fields.hidden ?? false}, ${reading},
        ${fields.demo ?? false}, ${at}, ${at}, ${by}, ${kind}, ${taking === null ? 0 : 1}, ${taking})
      returning ${columns}`),
  )
  // Before its first take nobody is in it, so nobody has to be evaluated.
  if (kind === 'live')
    await tx.run(
      sql`update segment set reading = ${await changeDefinitions(tx, row.id)} where id = ${row.id}`,
    )
  await declare(tx, row)
  return row
}

/**
 * Name and description can always be changed; rule and kind only while nobody uses the segment. A live segment that
 * becomes a snapshot stays live until it is taken; a snapshot whose rule changes is taken anew at once.
 * Errors: as `createSegment`, `stale_version` with both, `in_use` with the users, `not_found`.
 */
export async function changeSegment(
  tx: Tx,
  given: SegmentFields & { id: number; version: number },
  { at }: Pick<By, 'at'>,
): Promise<SegmentRow> {
  const rule = parsed(given.rule)
  const before = await findSegment(tx, given.id)
  if (!before || before.version !== given.version) throw lostWrite('segment', given, before)
  const kind = given.kind ?? before.kind
  const { same } = await tx.row<{ same: boolean }>(
    sql`select rule = ${JSON.stringify(rule)}::jsonb as same from segment where id = ${given.id}`,
  )
  let change = sql``
  if (!same || kind !== before.kind) {
    await refuseWhileUsed(tx, { kind: 'segment', id: given.id })
    await checkRule(tx, rule)
    change = await becoming(tx, before, { kind, same, at })
  }
  const row = await unlessTaken(() =>
    tx.maybe<SegmentRow>(sql`
      update segment set name = ${given.name}, description = ${given.description}, rule = ${JSON.stringify(rule)}::jsonb,
        version = version + 1, changed_at = ${at} ${change}
      where id = ${given.id} and version = ${given.version} and state = 'live' returning ${columns}`),
  )
  if (!row) throw lostWrite('segment', given, await findSegment(tx, given.id))
  await declare(tx, row)
  return row
}

/** What changes beside the rule when rule or kind do: whose answers hold, and whether a take is wanted. */
async function becoming(
  tx: Tx,
  before: SegmentRow,
  { kind, same, at }: { kind: SegmentKind; same: boolean; at: Date },
): Promise<Sql> {
  const stored = await tx.row<{ kind: SegmentKind; take: number }>(
    sql`select kind, take from segment where id = ${before.id} for update`,
  )
  const fromLive = stored.kind === 'live'
  // What is taken stands for the rule: another rule, or none taken yet, and it is taken now.
  const taking = kind !== 'live' && (!same || fromLive || stored.take === 0 || before.taking)
  // Until it is taken a live segment goes on; one on demand is followed no more at once.
  const stays = fromLive && kind === 'snapshot'
  const followed = stored.kind !== 'on_demand' || kind !== 'on_demand'
  const renewed = followed && !(stays && same) && !(stored.kind === 'snapshot' && kind === 'snapshot')
  const reading = renewed ? await changeDefinitions(tx, before.id) : null
  return sql`, kind = ${stays ? 'live' : kind}, reading = coalesce(${reading}::bigint, reading),
    wanted_take = ${taking ? sql`take + 1` : sql`take`}, wanted_at = ${taking ? at : null}::timestamptz, looked_at = 0, look_total = 0`
}

/** Whoever was in it leaves it with the next recompute. Errors: `in_use` with the users, `stale_version`, `not_found`. */
export async function deleteSegment(
  tx: Tx,
  given: { id: number; version: number },
  { at }: Pick<By, 'at'>,
): Promise<void> {
  await refuseWhileUsed(tx, { kind: 'segment', id: given.id })
  const archived = await tx.run(sql`
    update segment set state = 'archived', version = version + 1, changed_at = ${at}
    where id = ${given.id} and version = ${given.version} and state = 'live'`)
  if (archived !== 1) throw lostWrite('segment', given, await findSegment(tx, given.id))
  await changeDefinitions(tx, given.id)
  await disuses(tx, { kind: 'segment', id: given.id })
}

async function declare(tx: Tx, { id, name, rule }: SegmentRow): Promise<void> {
  await disuses(tx, { kind: 'segment', id })
  compileRules(await loadDefinitions(tx))
  await declareNeeds(tx, rule, { kind: 'segment', id, label: name })
}

const columns = sql`id, name, description, rule, hidden, version, demo, created_at as "createdAt", changed_at as "changedAt",
  case when kind = 'live' and wanted_take > take then 'snapshot' else kind end as kind,
  case when kind <> 'live' then taken_at end as "takenAt", case when kind <> 'live' then taken_persons end as "takenPersons",
  wanted_take > take as taking, case when look_total > 0 then least(1, looked_at::float8 / look_total) else 0 end as "takenShare"`

export async function findSegment(db: Db, id: number): Promise<SegmentRow | undefined> {
  return db.maybe<SegmentRow>(sql`select ${columns} from segment where id = ${id} and state = 'live'`)
}

export type SegmentShown = SegmentRow & {
  persons: number
  enteredToday: number
  leftToday: number
  usedBy: string[]
  /** Whether the answers of everybody are those of the present definition, and how far the recompute has come. */
  state: 'computing' | 'live'
  computedShare: number
}

/** By its number or its name; hidden ones by neither. */
export async function segmentNamed(db: Db, name: string): Promise<SegmentRow | undefined> {
  return db.maybe<SegmentRow>(sql`
    select ${columns} from segment where state = 'live' and not hidden and (name = ${name} or id::text = ${name})
    order by name = ${name} desc limit 1`)
}

/** What is listed, by name; hidden ones only by id. `since`: an instant of the brand's day that counts as today. */
export async function listSegments(
  db: Db,
  { id, since }: { id?: number; since: Date },
): Promise<SegmentShown[]> {
  const only = id === undefined ? sql`not hidden` : sql`id = ${id}`
  const rows = await db.rows<SegmentRow & { persons: number }>(sql`
    select ${columns},
      case when kind = 'on_demand' then coalesce(taken_persons, 0)
        else (select count(*)::int from person_segment ps where ps.segments @> array[s.id]) end as persons
    from segment s where state = 'live' and ${only}
    order by name collate "zh-Hans-CN-x-icu", id`)
  const moved = await db.rows<{ id: number; entered: number; left: number }>(sql`
    select d.segment_id as id, d.entered, d."left" from audience_revision r join segment_day d
      on d.day = (${since}::timestamptz at time zone coalesce(nullif(r.zone, ''), 'UTC'))::date`)
  const movedById = new Map(moved.map((row) => [row.id, row]))
  const users = await usersByObject(db, 'segment')
  const run = await db.row<{ wanted: number; done: number; running: number; persons: number; total: number }>(
    sql`select wanted, done, running, persons, total from recompute where id = 1`,
  )
  const computing = run.wanted > run.done
  const share = run.running >= run.wanted && run.total > 0 ? Math.min(1, run.persons / run.total) : 0
  return rows.map((row) => {
    const followed = row.kind !== 'on_demand'
    const evaluated = followed && computing ? share : 1
    return {
      ...row,
      enteredToday: followed ? (movedById.get(row.id)?.entered ?? 0) : 0,
      leftToday: followed ? (movedById.get(row.id)?.left ?? 0) : 0,
      usedBy: (users.get(String(row.id)) ?? []).map((user) => user.label),
      state: row.taking || (followed && computing) ? 'computing' : 'live',
      computedShare: row.taking ? row.takenShare : evaluated,
    }
  })
}

/**
 * Who is in a segment, as a condition over `person`, whatever its kind. Errors: `not_found`; `not_ready` for one on
 * demand that was never computed.
 */
export async function inSegment(
  db: Db,
  id: number,
): Promise<{ name: string; followed: boolean; condition: Sql }> {
  const segment = await findSegment(db, id)
  if (!segment) throw new Problem('not_found', 'There is no such segment.', { field: 'segmentId' })
  const { name } = segment
  if (segment.kind !== 'on_demand') {
    return {
      name,
      followed: true,
      condition: sql`exists (select from person_segment ps where ps.person_id = person.id and ps.segments @> array[${id}::int])`,
    }
  }
  if (segment.takenAt === null)
    throw new Problem('not_ready', 'This segment was not computed yet.', { field: 'segmentId' })
  return {
    name,
    followed: false,
    condition: sql`exists (select from profile pr join segment_member m on m.profile_id = pr.id
      join segment sg on sg.id = m.segment_id and sg.take = m.take where pr.person_id = person.id and m.segment_id = ${id}::int)`,
  }
}

/** For whoever must be told when members enter or leave. Errors: `not_ready` with the name for a segment on demand. */
export async function refuseUnfollowed(db: Db, ids: readonly number[]): Promise<void> {
  const asked = await db.maybe<{ id: number; name: string }>(sql`
    select id, name from segment where id = any(${ids}::int[]) and kind = 'on_demand' order by id limit 1`)
  if (asked)
    throw new Problem('not_ready', `${NOT_FOLLOWED}: ${asked.name}`, { details: { onDemand: asked } })
}

/** Ids of members of a segment, ascending, after the cursor. */
export async function segmentMembers(
  db: Db,
  segmentId: number,
  { after = 0, limit }: { after?: number; limit: number },
): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    select person_id as id from person_segment
    where segments @> array[${segmentId}::int] and person_id > ${after} order by person_id limit ${limit}`)
  return rows.map((row) => row.id)
}

/** The segments of a person that are listed. */
export async function segmentsOf(db: Db, personId: number): Promise<{ id: number; name: string }[]> {
  return db.rows(sql`
    select s.id, s.name from person_segment ps join segment s on s.id = any(ps.segments)
    where ps.person_id = ${personId} and s.state = 'live' and not s.hidden
    order by s.name collate "zh-Hans-CN-x-icu"`)
}

/** Names for sentences: of tags, groups, segments, stores and staff. */
export async function ruleNames(db: Db): Promise<RuleNames> {
  const rows = await db.rows<{ kind: string; id: string; name: string }>(sql`
    select 'tag' as kind, id::text, name from tag
    union all select 'group', id::text, name from tag_group
    union all select 'segment', id::text, name from segment
    union all select 'store', id::text, name from store`)
  const names = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row.name]))
  return {
    tag: (id) => names.get(`tag ${id}`),
    group: (id) => names.get(`group ${id}`),
    segment: (id) => names.get(`segment ${id}`),
    store: (id) => names.get(`store ${id}`),
  }
}

/** The rule as a sentence in both languages. */
export function sentences(rule: Rule, names: RuleNames): Record<Lang, string> {
  return { zh: sentence(rule, 'zh', names), en: sentence(rule, 'en', names) }
}

/** Errors: `rule_invalid` with the first fault and where it is. */
export function parsed(rule: unknown): Rule {
  const read = Rule.safeParse(rule)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new Problem('rule_invalid', issue?.message ?? 'This is not a rule.', {
    field: ['rule', ...(issue?.path ?? [])].join('.'),
  })
}

async function unlessTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (brokenConstraint(error) === 'segment_name') {
      throw new Problem('conflict', 'There is a segment of this name.', { field: 'name' })
    }
    throw error
  }
}
