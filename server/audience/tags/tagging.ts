/**
 * Giving tags to persons and taking them away.
 *
 * A tag of level S is a claim about its group: manual before rule before synced, then the latest; the value follows in
 * the same transaction, and claims that lost are listed to be corrected where they came from. Static tags are changed
 * by hand only with a reason. Rules write their own tags (auto-tags.ts); nobody else may.
 */
import { append, type Lane, type NewEvent } from '../../events/events.ts'
import { newId } from '../../platform/ids.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { settle } from './auto-tags.ts'
import {
  deleteClaims,
  deletePersonTags,
  type Held,
  lockPersons,
  type Origin,
  type Producer,
  selectHeld,
  selectSTags,
  selectTagRows,
  type TagRow,
  upsertClaims,
  upsertPersonTags,
} from './store.ts'

/** `profileId`: where it is known, of which profile it was said; the person's first one otherwise. */
export type Tagging = { personId: number; tagId: number; profileId?: number }
export type TagHow = {
  producer: Producer
  origin: Origin
  at: Date
  staffId?: string | null
  reason?: string | null
  /** `bulk` for imports and first synchronisations. */
  lane?: Lane
  source?: string
}

/** How many persons one call may touch. */
export const MOST_TAGGINGS = 5000

/** Errors: `not_found`, `needs_reason`, `not_allowed` for tags that a rule decides. Answers how many persons changed. */
export async function setTags(tx: Tx, taggings: readonly Tagging[], how: TagHow): Promise<number> {
  return change(tx, taggings, how, 'set')
}

/** Takes away what `how.origin` had said, or for origin 'manual' the tag altogether. Errors: as `setTags`. */
export async function removeTags(tx: Tx, taggings: readonly Tagging[], how: TagHow): Promise<number> {
  return change(tx, taggings, how, 'remove')
}

async function change(
  tx: Tx,
  taggings: readonly Tagging[],
  how: TagHow,
  what: 'set' | 'remove',
): Promise<number> {
  if (taggings.length === 0) return 0
  if (taggings.length > MOST_TAGGINGS) throw new RangeError(`at most ${MOST_TAGGINGS} tags at once`)
  const tags = await tagsFor(tx, taggings)
  const there = new Set(
    await lockPersons(
      tx,
      taggings.map(({ personId }) => personId),
    ),
  )
  const present = taggings.filter(({ personId }) => there.has(personId))
  const levelOf = ({ tagId }: Tagging): 's' | 'b' => tags.get(tagId)?.level ?? 'b'
  const business = present.filter((tagging) => levelOf(tagging) === 'b')
  const values = present.filter((tagging) => levelOf(tagging) === 's')
  const events = [
    ...(await changeBusiness(tx, business, tags, how, what)),
    ...(await changeValues(tx, values, tags, how, what)),
  ]
  await append(tx, events, { lane: how.lane ?? 'live', source: how.source ?? 'tags', receivedAt: how.at })
  return new Set(events.map((event) => event.personId)).size
}

async function changeBusiness(
  tx: Tx,
  taggings: readonly Tagging[],
  tags: ReadonlyMap<number, TagRow>,
  how: TagHow,
  what: 'set' | 'remove',
): Promise<NewEvent[]> {
  if (taggings.length === 0) return []
  const persons = taggings.map(({ personId }) => personId)
  const ids = [...tags.keys()]
  const before = keysOf(await selectHeld(tx, persons, ids))
  if (what === 'set')
    await upsertPersonTags(
      tx,
      taggings.map((tagging) => rowOf(tagging, how)),
    )
  else {
    for (const tagging of taggings) {
      if (before.has(keyOf(tagging))) needReason(tags.get(tagging.tagId), how)
    }
    await deletePersonTags(tx, taggings, how.origin === 'manual' ? undefined : how.origin)
  }
  const after = keysOf(await selectHeld(tx, persons, ids))
  const told = new Map(taggings.map((tagging) => [keyOf(tagging), tagging]))
  return [...told].flatMap(([key, { personId, tagId, profileId }]): NewEvent[] => {
    if (before.has(key) === after.has(key)) return []
    const type = after.has(key) ? 'tag_added' : 'tag_removed'
    const data = { tagId, producer: how.producer, origin: how.origin }
    return [{ id: newId(how.at), type, profileId: profileId ?? personId, personId, at: how.at, data }]
  })
}

async function changeValues(
  tx: Tx,
  taggings: readonly Tagging[],
  tags: ReadonlyMap<number, TagRow>,
  how: TagHow,
  what: 'set' | 'remove',
): Promise<NewEvent[]> {
  if (taggings.length === 0) return []
  const persons = [...new Set(taggings.map(({ personId }) => personId))]
  const claims = taggings.map((tagging) => ({
    ...rowOf(tagging, how),
    groupId: tags.get(tagging.tagId)?.groupId ?? 0,
  }))
  const present = new Map(
    (await selectSTags(tx, persons)).map((row) => [`${row.personId} ${row.groupId}`, row]),
  )
  for (const claim of claims) {
    const value = present.get(`${claim.personId} ${claim.groupId}`)
    const stays = what === 'set' ? !value || value.tagId === claim.tagId : value?.tagId !== claim.tagId
    if (!stays) needReason(tags.get(claim.tagId), how)
  }
  return settle(tx, persons, { reading: newId(how.at), now: how.at }, async () => {
    if (what === 'set') await upsertClaims(tx, claims)
    else await deleteClaims(tx, claims)
  })
}

/** By hand only: what a system says of a static tag is its own reason. */
function needReason(tag: TagRow | undefined, how: TagHow): void {
  if (tag?.volatility !== 'static' || how.origin !== 'manual' || (how.reason ?? '').trim() !== '') return
  throw new Problem('needs_reason', 'This tag is static: say why it changes.', {
    field: 'reason',
    details: { tag: tag.name },
  })
}

async function tagsFor(tx: Tx, taggings: readonly Tagging[]): Promise<Map<number, TagRow>> {
  const wanted = [...new Set(taggings.map(({ tagId }) => tagId))]
  const found = new Map((await selectTagRows(tx, wanted)).map((tag) => [tag.id, tag]))
  for (const id of wanted) {
    const tag = found.get(id)
    if (tag?.state !== 'active')
      throw new Problem('not_found', `There is no active tag ${id}.`, { field: 'tagId' })
    if (tag.hasRule) {
      throw new Problem('not_allowed', 'A rule decides who has this tag.', {
        field: 'tagId',
        details: { tag: tag.name },
      })
    }
  }
  return found
}

function rowOf({ personId, tagId, profileId }: Tagging, { producer, origin, at, staffId, reason }: TagHow) {
  return {
    personId,
    tagId,
    profileId: profileId ?? personId,
    origin,
    producer,
    at,
    staffId: staffId ?? null,
    reason: reason ?? null,
  }
}

const keyOf = ({ personId, tagId }: Held): string => `${personId} ${tagId}`
const keysOf = (rows: readonly Held[]): Set<string> => new Set(rows.map(keyOf))

export type PersonTag = {
  tagId: number
  name: string
  group: string
  producer: Producer
  origin: Origin
  at: Date
}
export type PersonValue = { groupId: number; group: string; tagId: number | null; value: string | null }

/** What a person carries: business tags, and one value of every group of level S (null is unknown). */
export async function tagsOf(
  db: Db,
  personId: number,
): Promise<{ tags: PersonTag[]; values: PersonValue[] }> {
  const tags = await db.rows<PersonTag>(sql`
    select distinct on (t.id) t.id as "tagId", t.name, g.name as "group", p.producer, p.origin, p.at
    from person_tag p join tag t on t.id = p.tag_id join tag_group g on g.id = t.group_id
    where p.person_id = ${personId} and t.state = 'active'
    order by t.id, case p.origin when 'manual' then 0 when 'auto' then 1 else 2 end`)
  const values = await db.rows<PersonValue>(sql`
    select g.id as "groupId", g.name as "group", t.id as "tagId", t.name as value
    from tag_group g left join s_tag s on s.group_id = g.id and s.person_id = ${personId}
      left join tag t on t.id = s.tag_id
    where g.level = 's' and g.state = 'active' order by g.id`)
  return { tags, values }
}

export type Loss = {
  profileId: number
  groupId: number
  origin: Origin
  personId: number
  memberId: string
  group: string
  lost: string
  lostTagId: number
  kept: string
  keptTagId: number
  at: Date
  writtenBackAt: Date | null
}

/** Claims that lost, the latest first; `openOnly` those of WeCom that still have to be corrected there. */
export async function listLosses(
  db: Db,
  {
    openOnly = false,
    before,
    limit,
  }: { openOnly?: boolean; before?: { at: Date; profileId: number } | undefined; limit: number },
): Promise<Loss[]> {
  const open = openOnly ? sql`and l.written_back_at is null and l.origin = 'synced'` : sql``
  const page = before ? sql`and (l.at, l.profile_id) < (${before.at}, ${before.profileId})` : sql``
  return db.rows<Loss>(sql`
    select l.profile_id as "profileId", l.group_id as "groupId", l.origin, l.person_id as "personId", p.public_id as "memberId",
      g.name as "group", lost.name as lost, lost.id as "lostTagId", won.name as kept, won.id as "keptTagId",
      l.at, l.written_back_at as "writtenBackAt"
    from s_tag_loss l join tag lost on lost.id = l.lost_tag_id join tag won on won.id = l.won_tag_id
      join tag_group g on g.id = l.group_id join person p on p.id = l.person_id
    where true ${open} ${page} order by l.at desc, l.profile_id desc limit ${limit}`)
}

/** The right value stands in WeCom now. */
export async function markWrittenBack(
  tx: Tx,
  losses: readonly Pick<Loss, 'profileId' | 'groupId' | 'origin' | 'lostTagId'>[],
  at: Date,
): Promise<void> {
  await tx.run(sql`
    update s_tag_loss l set written_back_at = ${at}
    from unnest(${losses.map((loss) => loss.profileId)}::int[], ${losses.map((loss) => loss.groupId)}::int[],
      ${losses.map((loss) => loss.origin)}::text[], ${losses.map((loss) => loss.lostTagId)}::int[]) as t (profile_id, group_id, origin, lost)
    where l.profile_id = t.profile_id and l.group_id = t.group_id and l.origin = t.origin and l.lost_tag_id = t.lost`)
}
