/**
 * The present definitions: segments, tags, bands and cut points, as one revision.
 *
 * Always true: whatever changes a definition calls `changeDefinitions` in its own transaction; an answer that was
 * computed with an older revision is not written (segments/membership.ts), and a recompute of everybody is wanted.
 * The bands are a setting of the brand: `loadDefinitions` notices that they, or the zone, are others than before.
 */
import type { Bands, Edges } from '../../contract/lifecycle.ts'
import type { CutPoints } from '../../contract/rfm.ts'
import { needsOf, type Rule } from '../../contract/rule.ts'
import { brand, setting } from '../org/org.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { Zone } from '../platform/time/zone.ts'
import { compileRules, type Evaluator } from './rule/compile.ts'
import {
  attributesOfGroups,
  type Definitions,
  type SegmentDefinition,
  type TagDefinition,
} from './rule/definitions.ts'
import { behindTags } from './rule/program.ts'

/** The number of a reading (see audience_reading): take it once the bounds are fixed and before facts are read. */
export async function nextReading(db: Db): Promise<number> {
  return (await db.row<{ reading: number }>(sql`select nextval('audience_reading') as reading`)).reading
}

/**
 * To be called in every transaction that changes what rules mean; answers the reading from which it holds. `segment`: the
 * only definition that changes, so that others need not be answered anew. Undefined: anything may be meant.
 */
export async function changeDefinitions(tx: Tx, segment?: number): Promise<number> {
  // Held from here on: no answer of the definitions before can be written with a later reading.
  const { revision } = await tx.row<{ revision: number }>(
    sql`update audience_revision set revision = revision + 1 where id = 1 returning revision`,
  )
  await tx.run(
    sql`insert into definition_change (revision, segment_id) values (${revision}, ${segment ?? null})`,
  )
  await tx.run(sql`update recompute set wanted = ${revision} where id = 1`)
  return nextReading(tx)
}

const compiled = new WeakMap<Database, Evaluator>()

/** The compiled function of the present definitions; compiled again only when something has changed. */
export async function presentEvaluator(db: Database, zone: Zone): Promise<Evaluator> {
  const known = compiled.get(db)
  const stamp = await db.row<{ revision: number; settled: boolean }>(sql`
    select revision, zone = ${zone} and bands_version = coalesce(
      (select version from setting where name = 'lifecycle_bands'), 0) as settled
    from audience_revision where id = 1`)
  if (
    known &&
    stamp.settled &&
    known.definitions.revision === stamp.revision &&
    known.definitions.zone === zone
  ) {
    return known
  }
  const evaluator = compileRules(await db.transaction((tx) => loadDefinitions(tx, zone)))
  compiled.set(db, evaluator)
  return evaluator
}

/** All live definitions, read in one transaction. A change of bands or zone since the last time becomes a revision. */
export async function loadDefinitions(tx: Tx, zone?: Zone): Promise<Definitions> {
  const present = zone ?? (await brand(tx)).zone
  await noticeBands(tx, present)
  const { revision, bandsReading } = await tx.row<{ revision: number; bandsReading: number }>(
    sql`select revision, bands_reading as "bandsReading" from audience_revision where id = 1 for share`,
  )
  const bands = await setting(tx, 'lifecycle_bands')
  const cuts = await tx.maybe<{ cuts: CutPoints; reading: number }>(
    sql`select cuts, reading from cut_points where name = 'rfm' order by version desc limit 1`,
  )
  const segments = await tx.rows<SegmentDefinition>(
    sql`select id, name, rule, reading, kind = 'snapshot' as kept from segment
      where state = 'live' and kind <> 'on_demand' order by id`,
  )
  const tags = await tx.rows<TagDefinition>(sql`
    select t.id, t.name, t.group_id as "group", t.level, t.parent_id as parent, t.position, t.rule, t.reading,
      case when t.code is not null and g.code = any(${attributesOfGroups}::text[])
        then json_build_object('attribute', g.code, 'value', t.code) end as means
    from tag t join tag_group g on g.id = t.group_id where t.state = 'active' order by t.id`)
  return {
    revision,
    zone: present,
    bands: bandsOf(bands),
    bandsReading,
    cuts: cuts?.cuts ?? null,
    cutsReading: cuts?.reading ?? 0,
    segments,
    tags,
  }
}

async function noticeBands(tx: Tx, zone: Zone): Promise<void> {
  const stale = await tx.maybe<{ version: number; first: boolean }>(sql`
    select s.version, r.zone = '' and r.bands_version = s.version as first
    from audience_revision r,
      (select coalesce(max(version), 0) as version from setting where name = 'lifecycle_bands') s
    where r.id = 1 and (r.bands_version <> s.version or r.zone <> ${zone})`)
  if (!stale) return
  const reading = stale.first ? 0 : await changeDefinitions(tx)
  await tx.run(sql`
    update audience_revision set bands_version = ${stale.version}, zone = ${zone}, bands_reading = ${reading} where id = 1`)
}

type Band = { silent: number; nearSleep: number; hibernating: number; lost: number }

/** The setting in the form of the pure functions. */
export function bandsOf(setting: { brand: Band; byCategory: Readonly<Record<string, Band>> }): Bands {
  const edges = ({ silent, nearSleep, hibernating, lost }: Band): Edges => [
    silent,
    nearSleep,
    hibernating,
    lost,
  ]
  return {
    brand: edges(setting.brand),
    categories: Object.fromEntries(
      Object.entries(setting.byCategory).map(([category, band]) => [category, edges(band)]),
    ),
  }
}

/**
 * Since which reading a segment means what it means now: its own definition, those it depends on, bands and cut points.
 * A difference against an older answer has the cause `definition`.
 */
export function holdsSince(definitions: Definitions): { segments: Map<number, number>; states: number } {
  const behind = behindTags(definitions)
  const known = new Map<string, number>()
  const byId = new Map<string, { rule: Rule; reading: number }>()
  for (const { id, rule, reading, kept } of definitions.segments) {
    if (kept) known.set(`s${id}`, reading)
    else byId.set(`s${id}`, { rule, reading })
  }
  for (const { id, rule, reading } of definitions.tags) if (rule) byId.set(`t${id}`, { rule, reading })
  const since = (id: string): number => {
    const before = known.get(id)
    if (before !== undefined) return before
    const node = byId.get(id)
    if (!node) return 0
    const needs = needsOf(node.rule)
    const below = [
      ...needs.segments.map((segment) => since(`s${segment}`)),
      ...needs.tags.flatMap((tag) => behind.tag(tag).map((each) => since(`t${each}`))),
      ...needs.groups.flatMap((group) => behind.group(group).map((each) => since(`t${each}`))),
    ]
    const found = Math.max(
      node.reading,
      definitions.bandsReading,
      needs.rfm ? definitions.cutsReading : 0,
      ...below,
    )
    known.set(id, found)
    return found
  }
  const segments = new Map(definitions.segments.map((segment) => [segment.id, since(`s${segment.id}`)]))
  return { segments, states: definitions.bandsReading }
}
