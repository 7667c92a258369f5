/** SQL of merges, verdicts and reviews. */
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { KeepingVerdict, Verdict } from './partition.ts'

export type Via = { profile: number; kind: string; scope: string; digest: string }

export type MergeRow = {
  id: string
  kept: number
  absorbed: number
  profiles: number[]
  cause: 'identifier' | 'hand' | 'birth' | 'import'
  via: Via[]
  actor: string | null
  importId: string | null
  at: Date
  undoneAt: Date | null
}

const mergeColumns = sql`id, kept_person as kept, absorbed_person as absorbed, profiles, cause, via, actor,
  import_id as "importId", at, undone_at as "undoneAt"`

export async function mergeById(db: Db, id: string): Promise<MergeRow | undefined> {
  return db.maybe<MergeRow>(sql`select ${mergeColumns} from merge where id = ${id}`)
}

/** Merges that stand, of persons that are absorbed. */
export async function openMerges(db: Db, absorbed: readonly number[]): Promise<MergeRow[]> {
  return db.rows<MergeRow>(sql`
    select ${mergeColumns} from merge where absorbed_person = any(${absorbed}::int[]) and undone_at is null`)
}

export async function insertMerges(tx: Tx, merges: readonly MergeRow[]): Promise<void> {
  if (merges.length === 0) return
  await tx.run(sql`
    insert into merge (id, kept_person, absorbed_person, profiles, cause, via, actor, import_id, at)
    select id, kept, absorbed, array(select jsonb_array_elements_text(profiles)::int), cause, via, actor, "importId", at
    from jsonb_to_recordset(${JSON.stringify(merges)}::jsonb) as n
      (id uuid, kept int, absorbed int, profiles jsonb, cause text, via jsonb, actor uuid, "importId" uuid, at timestamptz)`)
}

export async function closeMerges(
  tx: Tx,
  ids: readonly string[],
  how: { at: Date; actor: string | null; cause: 'hand' | 'parted' | 'import' },
): Promise<void> {
  if (ids.length === 0) return
  await tx.run(sql`
    update merge set undone_at = ${how.at}, undone_by = ${how.actor}::uuid, undo_cause = ${how.cause}
    where id = any(${ids}::uuid[]) and undone_at is null`)
}

export async function verdictsAmong(db: Db, profiles: readonly number[]): Promise<KeepingVerdict[]> {
  return db.rows<KeepingVerdict>(sql`
    select low, high, says, keeps, at from verdict
    where revoked_at is null and low = any(${profiles}::int[]) and high = any(${profiles}::int[])`)
}

/** The verdict between two profiles replaces an earlier one. */
export async function putVerdict(
  tx: Tx,
  verdict: {
    id: string
    pair: readonly [number, number]
    says: Verdict['says']
    keeps?: readonly number[]
    mergeId: string | null
    actor: string | null
    at: Date
  },
): Promise<void> {
  const [low, high] = [Math.min(...verdict.pair), Math.max(...verdict.pair)]
  await tx.run(sql`
    update verdict set revoked_at = ${verdict.at}, revoked_by_merge = ${verdict.mergeId}::uuid
    where low = ${low} and high = ${high} and revoked_at is null`)
  await tx.run(sql`
    insert into verdict (id, low, high, says, keeps, merge_id, actor, at)
    values (${verdict.id}, ${low}, ${high}, ${verdict.says}, ${verdict.keeps ?? []}::int[], ${verdict.mergeId}::uuid, ${verdict.actor}::uuid, ${verdict.at})`)
}

/** Takes back what keeps these two sets of profiles apart; `mergeId` remembers it for the undo. */
export async function revokeApart(
  tx: Tx,
  one: readonly number[],
  other: readonly number[],
  how: { mergeId: string; at: Date },
): Promise<void> {
  await tx.run(sql`
    update verdict set revoked_at = ${how.at}, revoked_by_merge = ${how.mergeId}
    where says = 'apart' and revoked_at is null
      and ((low = any(${one}::int[]) and high = any(${other}::int[])) or (low = any(${other}::int[]) and high = any(${one}::int[])))`)
}

/** Undoes what a merge by hand decided: its verdicts go, and those that it had taken back stand again. */
export async function revertVerdicts(tx: Tx, mergeId: string, at: Date): Promise<void> {
  await tx.run(
    sql`update verdict set revoked_at = ${at} where merge_id = ${mergeId} and says = 'together' and revoked_at is null`,
  )
  await tx.run(sql`
    update verdict v set revoked_at = null, revoked_by_merge = null
    where v.revoked_by_merge = ${mergeId}
      and not exists (select from verdict w where w.low = v.low and w.high = v.high and w.revoked_at is null)`)
}

export async function disownClaims(tx: Tx, claims: readonly Via[]): Promise<void> {
  if (claims.length === 0) return
  await tx.run(sql`
    update identifier i set state = 'disowned', links = false
    from jsonb_to_recordset(${JSON.stringify(claims)}::jsonb) as n (profile int, kind text, scope text, digest text)
    where i.profile_id = n.profile and i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex')`)
}

/** Identifiers that joined these profiles and do so no longer: nobody may be joined by them again. */
export async function markWorn(
  tx: Tx,
  identifiers: readonly { kind: string; scope: string; digest: string }[],
): Promise<void> {
  if (identifiers.length === 0) return
  await tx.run(sql`
    update identifier i set state = 'worn', links = false
    from jsonb_to_recordset(${JSON.stringify(identifiers)}::jsonb) as n (kind text, scope text, digest text)
    where i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex') and i.state = 'active'`)
}

export type ConflictRow = { id: string; key: string; kind: string; persons: number[] }

/**
 * Writes the contested identifiers as questions; a question that was answered is asked again only when somebody new
 * claims the identifier. Open questions about these profiles that are none any more are settled. Answers the ids by key.
 */
export async function putConflicts(
  tx: Tx,
  conflicts: readonly ConflictRow[],
  about: { profiles: readonly number[]; at: Date },
): Promise<Map<string, string>> {
  await tx.run(sql`
    update review set state = 'settled', decided_at = ${about.at}
    where kind = 'conflict' and state = 'open' and profiles && ${about.profiles}::int[]
      and not (encode(key, 'hex') = any(${conflicts.map((one) => one.key)}::text[]))`)
  if (conflicts.length === 0) return new Map()
  const rows = await tx.rows<{ id: string; key: string }>(sql`
    insert into review (id, kind, key, profiles, identifier_kind, evidence, at)
    select n.id, 'conflict', decode(n.key, 'hex'), array(select jsonb_array_elements_text(n.persons)::int), n.kind,
      jsonb_build_array(jsonb_build_object('field', n.kind, 'says', 'same')), ${about.at}
    from jsonb_to_recordset(${JSON.stringify(conflicts)}::jsonb) as n (id uuid, key text, kind text, persons jsonb)
    order by 1
    on conflict (kind, key) do update set profiles = excluded.profiles,
      state = case when review.state in ('joined', 'apart') and review.profiles @> excluded.profiles then review.state else 'open' end
    returning id, encode(key, 'hex') as key`)
  return new Map(rows.map((row) => [row.key, row.id]))
}

/** A field in which two agree, and how; `alike` 0…1 where it was measured. Never a value. */
export type Evidence = { field: string; says: string; alike?: number }

export type Proposal = {
  id: string
  low: number
  high: number
  score: number
  evidence: Evidence[]
}

/** Proposes pairs that nobody has proposed or decided before; answers the new questions by pair ('low-high'). */
export async function putProposals(
  tx: Tx,
  proposals: readonly Proposal[],
  at: Date,
): Promise<Map<string, string>> {
  if (proposals.length === 0) return new Map()
  const rows = await tx.rows<{ id: string; pair: string }>(sql`
    insert into review (id, kind, key, profiles, score, evidence, at)
    select n.id, 'fuzzy', convert_to(n.low || '-' || n.high, 'UTF8'), array[n.low, n.high], n.score, n.evidence, ${at}
    from jsonb_to_recordset(${JSON.stringify(proposals)}::jsonb) as n (id uuid, low int, high int, score real, evidence jsonb)
    where not exists (select from verdict v where v.low = n.low and v.high = n.high and v.revoked_at is null)
    order by n.low, n.high
    on conflict (kind, key) do nothing
    returning id, profiles[1] || '-' || profiles[2] as pair`)
  return new Map(rows.map((row) => [row.pair, row.id]))
}

export type ReviewRow = {
  id: string
  kind: 'conflict' | 'fuzzy'
  profiles: number[]
  key: string
  identifierKind: string | null
  score: number | null
  evidence: Evidence[]
  state: 'open' | 'joined' | 'apart' | 'settled'
  at: Date
}

const reviewColumns = sql`id, kind, profiles, encode(key, 'hex') as key, identifier_kind as "identifierKind", score, evidence, state, at`

export async function reviewById(db: Db, id: string): Promise<ReviewRow | undefined> {
  return db.maybe<ReviewRow>(sql`select ${reviewColumns} from review where id = ${id}`)
}

export async function decideReview(
  tx: Tx,
  id: string,
  decision: { state: ReviewRow['state']; at: Date; actor: string | null },
): Promise<void> {
  await tx.run(sql`
    update review set state = ${decision.state}, decided_at = ${decision.at}, decided_by = ${decision.actor}::uuid where id = ${id}`)
}

/** Reviews by (score, id), those of the surest pairs first; conflicts have no score and come first. */
export async function reviewPage(
  db: Db,
  asked: { state: string; kind: string | null; after: { score: number; id: string } | null; limit: number },
): Promise<ReviewRow[]> {
  const after = asked.after
    ? sql`and (coalesce(score, 2), id) < (${asked.after.score}::real, ${asked.after.id}::uuid)`
    : sql``
  return db.rows<ReviewRow>(sql`
    select ${reviewColumns} from review
    where state = ${asked.state} and (${asked.kind}::text is null or kind = ${asked.kind}::text) ${after}
    order by coalesce(score, 2) desc, id desc limit ${asked.limit}`)
}

export async function mergePage(
  db: Db,
  asked: { after: { at: string; id: string } | null; limit: number; person: number | null },
): Promise<MergeRow[]> {
  const after = asked.after
    ? sql`and (at, id) < (${asked.after.at}::timestamptz, ${asked.after.id}::uuid)`
    : sql``
  const person =
    asked.person === null ? sql`` : sql`and ${asked.person}::int in (kept_person, absorbed_person)`
  return db.rows<MergeRow>(sql`
    select ${mergeColumns} from merge where cause <> 'birth' ${person} ${after} order by at desc, id desc limit ${asked.limit}`)
}

/** Questions that were about profiles that are gone. */
export async function settleReviewsOf(tx: Tx, profiles: readonly number[], at: Date): Promise<void> {
  await tx.run(sql`
    update review set state = 'settled', decided_at = ${at} where state = 'open' and profiles && ${profiles}::int[]`)
}
