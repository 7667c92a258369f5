/** Tags, segments and life cycle over HTTP. */
import { implement } from '@orpc/server'
import { z } from 'zod'
import { audienceContract } from '../../contract/audience.ts'
import type { Right, Role } from '../../contract/base.ts'
import { boughtStates, edgesOf, neverStates } from '../../contract/lifecycle.ts'
import type { MemberRow } from '../../contract/members.ts'
import { rfmGroupName } from '../../contract/rfm.ts'
import type { Sizes } from '../../contract/rule-cost.ts'
import type { RuleNames } from '../../contract/rule-phrases.ts'
import { audit, brand, type Call, type Viewer } from '../org/org.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { keepAnswer } from '../platform/kept-answer.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { dayOf, numberOfDay, startOfDay } from '../platform/time/zone.ts'
import {
  baseAsOf,
  changeSegment,
  changeTag,
  changeTagGroup,
  createSegment,
  createTag,
  createTagGroup,
  deleteSegment,
  explainMembership,
  lifecycleOverview,
  listLosses,
  listSegments,
  listTagGroups,
  listTags,
  type PastBase,
  previewRule,
  retireTags,
  rfmOverview,
  ruleNames,
  segmentGrowth,
  segmentOverlap,
  sentences,
  sourceFlow,
  takeAnew,
  undoRetirement,
} from './audience.ts'
import { presentEvaluator } from './definitions.ts'
import { personByPublicId } from './person-lookup.ts'
import { sizesOf, warningsOf } from './segments/warnings.ts'

/** Joined by app.ts: members as lists show them, masked for the viewer; in the given order. */
export type MemberRows = (viewer: Viewer, personIds: readonly number[]) => Promise<MemberRow[]>

export type AudienceRoutes = {
  db: Database
  clickhouse: ClickHouse
  memberRows: MemberRows
  visibleTo: (viewer: Viewer) => Sql
  /** Joined by app.ts: SOPs stand in a later capability, and rules name them. */
  journeyNames: () => Promise<ReadonlyMap<string, string>>
}

const PAST_KEPT_MS = 60_000
const SIZES_KEPT_MS = 600_000

const LossCursor = z.tuple([z.iso.datetime(), z.int()])

export function audienceRoutes({ db, clickhouse, memberRows, visibleTo, journeyNames }: AudienceRoutes) {
  const api = implement(audienceContract).$context<Call>()
  const zoneOf = async (): Promise<string> => (await brand(db)).zone
  const past = keepAnswer<PastBase>(PAST_KEPT_MS)
  const sizes = keepAnswer<Sizes>(SIZES_KEPT_MS)
  /** The page of a day asks three routes at once: one pass over everybody answers them. */
  const pastOf = async (asOf: string | undefined, visible: Sql, now: Date) => {
    if (asOf === undefined) return undefined
    const zone = await zoneOf()
    if (asOf > dayOf(zone, now))
      throw new Problem('bad_input', 'This day has not come yet.', { field: 'asOf' })
    return past(JSON.stringify([asOf, zone, visible]), now, () =>
      baseAsOf(db, clickhouse, { day: numberOfDay(asOf), zone, visible }),
    )
  }
  const since = async (now: Date): Promise<Date> => {
    const zone = await zoneOf()
    return startOfDay(zone, dayOf(zone, now))
  }
  const namesOfAll = async (): Promise<RuleNames> => {
    const journeys = await journeyNames()
    return { ...(await ruleNames(db)), journey: (id) => journeys.get(id) }
  }
  async function segment(id: number, now: Date) {
    const [found] = await listSegments(db, { id, since: await since(now) })
    if (!found) throw new Problem('not_found', 'There is no such segment.')
    return shownSegment(found, await namesOfAll())
  }
  async function tag(id: number) {
    const [found] = await listTags(db, { id })
    if (!found) throw new Problem('not_found', 'There is no such tag.')
    return shownTag(found)
  }
  async function group(id: number) {
    const [found] = await listTagGroups(db, id)
    if (!found) throw new Problem('not_found', 'There is no such tag group.')
    return found as never
  }
  /** As a condition over `person`. */
  const seenBy = (viewer: Viewer): Sql =>
    sql`person.id in (select p.id from person p where p.state = 'live' and ${visibleTo(viewer)})`
  const by = ({ viewer, now }: Call) => ({ by: viewer.via === 'nobody' ? null : viewer.staffId, at: now })
  return api.router({
    tagGroups: api.tagGroups.handler(async () => ({ items: (await listTagGroups(db)) as never })),
    createTagGroup: api.createTagGroup.handler(async ({ input, context }) => {
      const id = await db.transaction(async (tx) =>
        told(tx, context, 'tag_group.created', await createTagGroup(tx, input, by(context)), input),
      )
      return group(id)
    }),
    changeTagGroup: api.changeTagGroup.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await changeTagGroup(tx, input)
        await told(tx, context, 'tag_group.changed', input.id, input)
      })
      return group(input.id)
    }),
    tags: api.tags.handler(async ({ input }) => ({
      items: (
        await listTags(db, {
          ...(input.groupId === undefined ? {} : { groupId: input.groupId }),
          retired: input.retired,
          wasteOnly: input.wasteOnly,
        })
      ).map(shownTag),
    })),
    createTag: api.createTag.handler(async ({ input, context }) => {
      const storeId = madeByStore(context.viewer) ? (context.viewer.storeIds[0] ?? null) : null
      const id = await db.transaction(async (tx) =>
        told(tx, context, 'tag.created', await createTag(tx, { ...input, storeId }, by(context)), input),
      )
      return tag(id)
    }),
    changeTag: api.changeTag.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await changeTag(tx, input)
        await told(tx, context, 'tag.changed', input.id, input)
      })
      return tag(input.id)
    }),
    retireTags: api.retireTags.handler(async ({ input, context }) =>
      db.transaction(async (tx) => {
        const retirement = await retireTags(tx, input.ids, { reason: 'retired by hand', ...by(context) })
        await told(tx, context, 'tag.retired', retirement.id, input)
        return { retirementId: retirement.id, retired: retirement.retired }
      }),
    ),
    undoRetire: api.undoRetire.handler(async ({ input, context }) =>
      db.transaction(async (tx) => {
        const restored = await undoRetirement(tx, input.id, context.now)
        await told(tx, context, 'tag.restored', input.id, { restored })
        return { restored }
      }),
    ),
    lostSyncs: api.lostSyncs.handler(async ({ input }) => {
      const before = decodeCursor(input.cursor, LossCursor)
      const losses = await listLosses(db, {
        limit: input.limit + 1,
        before: before ? { at: instant(before[0]), profileId: before[1] } : undefined,
      })
      return pageFrom(losses, input.limit, {
        item: ({ memberId, group: of, lost, kept, at, writtenBackAt }) => ({
          memberId,
          group: of,
          lost,
          kept,
          at: at.toISOString(),
          writtenBackAt: writtenBackAt?.toISOString() ?? null,
        }),
        cursor: (loss) => [loss.at.toISOString(), loss.profileId],
      })
    }),
    segments: api.segments.handler(async ({ context: { now } }) => {
      const names = await namesOfAll()
      return {
        items: (await listSegments(db, { since: await since(now) })).map((row) => shownSegment(row, names)),
      }
    }),
    segment: api.segment.handler(({ input, context: { now } }) => segment(input.id, now)),
    preview: api.preview.handler(async ({ input, context: { viewer, now } }) => {
      const zone = await zoneOf()
      const found = await previewRule(db, clickhouse, input.rule, {
        now,
        zone,
        visible: visibleTo(viewer),
        ...(input.quick ? { quick: LOOKED_AT_FIRST } : {}),
      })
      const names = await namesOfAll()
      const sentence = sentences(input.rule, names)
      return {
        persons: found.persons,
        of: found.of,
        exact: found.exact,
        sentence,
        warnings: warningsOf(input.rule, names, await sizes('', now, () => sizesOf(db, clickhouse))),
        lookedAt: found.lookedAt,
        byLifecycle: found.byLifecycle,
        bySource: found.bySource as never,
        byStore: found.byStore,
        otherStores: found.otherStores,
        reachable: found.reachable,
        sample: await memberRows(viewer, found.sample),
      }
    }),
    createSegment: api.createSegment.handler(async ({ input, context }) => {
      const id = await db.transaction(async (tx) =>
        told(tx, context, 'segment.created', (await createSegment(tx, input, by(context))).id, input),
      )
      return segment(id, context.now)
    }),
    changeSegment: api.changeSegment.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await changeSegment(tx, input, by(context))
        await told(tx, context, 'segment.changed', input.id, input)
      })
      return segment(input.id, context.now)
    }),
    takeSegment: api.takeSegment.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await takeAnew(tx, input.id, context.now)
        await told(tx, context, 'segment.taken', input.id, {})
      })
      return segment(input.id, context.now)
    }),
    segmentGrowth: api.segmentGrowth.handler(async ({ input, context: { now } }) =>
      segmentGrowth(db, input.id, { days: input.days, now, zone: await zoneOf() }),
    ),
    segmentOverlap: api.segmentOverlap.handler(({ input, context: { viewer } }) =>
      segmentOverlap(db, [input.id, input.otherId], viewer.all ? undefined : seenBy(viewer)),
    ),
    deleteSegment: api.deleteSegment.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await deleteSegment(tx, input, by(context))
        await told(tx, context, 'segment.deleted', input.id, {})
      })
      return { done: true as const }
    }),
    why: api.why.handler(async ({ input, context: { viewer, now } }) => {
      const personId = await personByPublicId(db, input.id, visibleTo(viewer))
      if (personId === undefined) throw new Problem('not_found', 'There is no such member.')
      const why = await explainMembership(
        db,
        clickhouse,
        { personId, segmentId: input.segmentId },
        { now, zone: await zoneOf(), names: await namesOfAll() },
      )
      return {
        segmentId: input.segmentId,
        name: why.name,
        kind: why.kind,
        takenAt: why.takenAt?.toISOString() ?? null,
        member: why.member,
        verdict: why.verdict,
        sentence: why.sentence,
        leaves: why.leaves.map((leaf) => ({
          sentence: leaf.sentence,
          value: valueText(leaf.value),
          said: leaf.said,
          verdict: leaf.verdict,
          changesAt: leaf.changesAt?.toISOString() ?? null,
          act: leaf.act,
          alone: leaf.alone,
          needed: leaf.needed,
        })),
        changesAt: why.changesAt?.toISOString() ?? null,
        evaluatedAt: why.evaluatedAt?.toISOString() ?? null,
      }
    }),
    lifecycle: api.lifecycle.handler(async ({ input, context: { viewer, now } }) => {
      const zone = await zoneOf()
      const visible = visibleTo(viewer)
      const { definitions } = await presentEvaluator(db, zone)
      const base = await pastOf(input.asOf, visible, now)
      const { lifecycle, asOf, ...overview } =
        base?.overview ?? (await lifecycleOverview(db, { now, zone, visible }))
      return { ...bandsOf(lifecycle, edgesOf(definitions.bands)), ...overview, asOf: asOf.toISOString() }
    }),
    rfm: api.rfm.handler(async ({ input, context: { viewer, now } }) => {
      const visible = visibleTo(viewer)
      const base = await pastOf(input.asOf, visible, now)
      const present = base ? undefined : await rfmOverview(db, visible)
      const cuts = base ? base.rfm.cuts : present?.published?.cuts
      const at = base ? base.overview.asOf : present?.published?.publishedAt
      const { cells, groups } = base?.rfm ?? present ?? { cells: [], groups: [] }
      return {
        publishedAt: cuts && at ? at.toISOString() : null,
        cuts: cuts ? { recency: [...cuts.r], frequency: [...cuts.f], monetary: [...cuts.m] } : null,
        cells,
        groups: groups.map((row) => ({
          ...row,
          name: { zh: rfmGroupName(row.group, 'zh'), en: rfmGroupName(row.group, 'en') },
        })),
      }
    }),
    flow: api.flow.handler(async ({ input, context: { viewer, now } }) => {
      const visible = visibleTo(viewer)
      const base = await pastOf(input.asOf, visible, now)
      const links = base?.flow ?? (await sourceFlow(db, { now, zone: await zoneOf(), visible }))
      return { links: links as never }
    }),
  })
}

/** So many persons say what a rule means to half a percent, in a tenth of the time that a million takes. */
const LOOKED_AT_FIRST = 50_000

function bandsOf(
  counts: readonly { state: string; persons: number; spentCents: number }[],
  edges: readonly [number, number, number, number],
) {
  const count = (state: string) => counts.find((row) => row.state === state) ?? { persons: 0, spentCents: 0 }
  return {
    bands: boughtStates.map((state, index) => ({
      state,
      ...bounds(edges, index),
      persons: count(state).persons,
      spentCents: count(state).spentCents,
    })),
    neverBought: neverStates.map((state) => ({ state, persons: count(state).persons })),
  }
}

/** Writes the audit line and hands the id through. */
async function told<Id extends string | number>(
  tx: Tx,
  context: Call,
  action: string,
  id: Id,
  after: unknown,
): Promise<Id> {
  await audit(tx, context, {
    action,
    objectKind: action.split('.')[0] ?? action,
    objectId: String(id),
    after,
  })
  return id
}

function madeByStore({ roles }: { roles: readonly Role[]; rights: readonly Right[] }): boolean {
  return !roles.includes('owner') && !roles.includes('operator')
}

function bounds(
  edges: readonly [number, number, number, number],
  index: number,
): { fromDays: number | null; toDays: number | null } {
  const from = [0, edges[0], edges[1], edges[2], edges[3] + 1][index] ?? 0
  const to = [edges[0] - 1, edges[1] - 1, edges[2] - 1, edges[3], null][index] ?? null
  return { fromDays: from, toDays: to }
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '–'
  return Array.isArray(value) ? value.map(String).join(', ') : String(value)
}

type Shown = Awaited<ReturnType<typeof listSegments>>[number]

function shownSegment(row: Shown, names: Awaited<ReturnType<typeof ruleNames>>) {
  return {
    id: row.id as never,
    name: row.name,
    description: row.description,
    rule: row.rule,
    sentence: sentences(row.rule, names),
    persons: row.persons,
    enteredToday: row.enteredToday,
    leftToday: row.leftToday,
    usedBy: row.usedBy,
    kind: row.kind,
    takenAt: row.takenAt?.toISOString() ?? null,
    state: row.state,
    computedShare: row.computedShare,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
  }
}

function shownTag({ storeId: _, retiredAt, ...tag }: Awaited<ReturnType<typeof listTags>>[number]) {
  return { ...tag, retiredAt: retiredAt?.toISOString() ?? null } as never
}
