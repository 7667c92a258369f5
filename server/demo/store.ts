/** All SQL of the demo brand's own tables, and what it reads of others to let simulated people answer. */
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type DemoState = 'seeding' | 'settling' | 'living' | 'removing' | 'removed'
export type DemoBrand = {
  state: DemoState
  seed: string
  members: number
  beganAt: Date
  seeded: number
  livedTo: Date | null
  removedAt: Date | null
  wakeSegmentId: number | null
  wakeJourneyId: string | null
}

const BRAND = sql`state, seed, members, began_at as "beganAt", seeded, lived_to as "livedTo", removed_at as "removedAt",
  wake_segment_id as "wakeSegmentId", wake_journey_id as "wakeJourneyId"`

export function readDemo(db: Db): Promise<DemoBrand | undefined> {
  return db.maybe<DemoBrand>(sql`select ${BRAND} from demo_brand`)
}

/** Waits for whoever changes it. */
export function lockDemo(tx: Tx): Promise<DemoBrand | undefined> {
  return tx.maybe<DemoBrand>(sql`select ${BRAND} from demo_brand for update`)
}

/** Begins a demo brand where there is none or a former one was removed; false where one is there. */
export async function beginDemo(
  tx: Tx,
  { seed, members, at }: { seed: string; members: number; at: Date },
): Promise<boolean> {
  return (
    (await tx.run(sql`
    insert into demo_brand (state, seed, members, began_at) values ('seeding', ${seed}, ${members}, ${at})
    on conflict (one) do update set state = 'seeding', seed = excluded.seed, members = excluded.members,
      began_at = excluded.began_at, seeded = 0, lived_to = null, removed_at = null, wake_segment_id = null, wake_journey_id = null
    where demo_brand.state = 'removed'`)) === 1
  )
}

export async function noteSeeded(tx: Tx, seeded: number): Promise<void> {
  await tx.run(sql`update demo_brand set seeded = ${seeded} where state = 'seeding'`)
}

/** False where somebody else has moved it meanwhile. */
export async function moveState(db: Db, from: readonly DemoState[], to: DemoState): Promise<boolean> {
  return (await db.run(sql`update demo_brand set state = ${to} where state = any(${from}::text[])`)) === 1
}

export async function noteRemoved(tx: Tx, at: Date): Promise<void> {
  await tx.run(sql`update demo_brand set state = 'removed', removed_at = ${at} where state = 'removing'`)
}

export async function noteLife(tx: Tx, to: Date): Promise<void> {
  await tx.run(sql`update demo_brand set lived_to = ${to}`)
}

export async function noteWake(tx: Tx, segmentId: number, journeyId: string | null): Promise<void> {
  await tx.run(sql`update demo_brand set wake_segment_id = ${segmentId}, wake_journey_id = ${journeyId}`)
}

/** Nobody, nothing bought, no shop, and no demo brand that was ever begun. */
export async function isUntouched(db: Db): Promise<boolean> {
  const { empty } = await db.row<{ empty: boolean }>(sql`
    select not exists (select from demo_brand) and not exists (select from person)
      and not exists (select from document) and not exists (select from store)
      and not exists (select from import_run) as empty`)
  return empty
}

export async function realMembers(db: Db): Promise<boolean> {
  return (await db.maybe(sql`select 1 from person where not demo and state = 'live' limit 1`)) !== undefined
}

export type DemoGuide = { id: string; name: string; wecomUserId: string; storeId: string; code: string }

/** Demo staff with a WeCom account, by store. */
export function demoGuides(db: Db): Promise<DemoGuide[]> {
  return db.rows(sql`
    select st.id, st.name, st.wecom_user_id as "wecomUserId", s.id as "storeId", s.code
    from staff st join staff_store ss on ss.staff_id = st.id join store s on s.id = ss.store_id
    join staff_role r on r.staff_id = st.id and r.role = 'guide'
    where st.demo and s.demo and st.wecom_user_id is not null
    order by s.code, st.wecom_user_id`)
}

export function staffByLogin(db: Db, login: string): Promise<{ id: string } | undefined> {
  return db.maybe(sql`select id from staff where login = ${login}`)
}

/** Of these, which are there: regions, stores and products that a killed seeding had made. */
export async function presentCodes(
  db: Db,
): Promise<{ regions: Map<string, string>; stores: Set<string>; skus: Set<string> }> {
  const regions = await db.rows<{ code: string; id: string }>(sql`select code, id from region`)
  const stores = await db.rows<{ code: string }>(sql`select code from store`)
  const products = await db.rows<{ sku: string }>(sql`select sku from product`)
  return {
    regions: new Map(regions.map(({ code, id }) => [code, id])),
    stores: new Set(stores.map(({ code }) => code)),
    skus: new Set(products.map(({ sku }) => sku)),
  }
}

/** Names of what a killed seeding had made. */
export async function presentNames(db: Db): Promise<{
  groups: Map<string, number>
  tags: Map<string, number>
  segments: Map<string, number>
  journeys: Set<string>
}> {
  const named = async (query: ReturnType<typeof sql>) => db.rows<{ id: number; name: string }>(query)
  const groups = await named(sql`select id, name from tag_group where demo and state = 'active'`)
  const tags = await named(sql`select id, name from tag where demo and state = 'active'`)
  const segments = await named(sql`select id, name from segment where demo and state = 'live' and not hidden`)
  const journeys = await db.rows<{ name: string }>(sql`select name from journey where demo`)
  const byName = (rows: { id: number; name: string }[]) => new Map(rows.map(({ id, name }) => [name, id]))
  return {
    groups: byName(groups),
    tags: byName(tags),
    segments: byName(segments),
    journeys: new Set(journeys.map(({ name }) => name)),
  }
}

export type Counts = {
  members: number
  contacts: number
  orders: number
  evaluated: number
  sleepers: number
}

export function countDemo(db: Db): Promise<Counts> {
  return db.row(sql`
    select (select count(*)::int from person where demo and state = 'live' and kind = 'member') as members,
      (select count(*)::int from person where demo and state = 'live' and kind = 'contact') as contacts,
      (select count(*)::int from document where kind = 'order' and not deleted and source like 'demo-%') as orders,
      (select count(*)::int from person_segment ps join person p on p.id = ps.person_id and p.demo and p.state = 'live') as evaluated,
      (select count(*)::int from person_state s join person p on p.id = s.person_id and p.demo and p.state = 'live'
        where s.lifecycle in ('silent', 'near_sleep')) as sleepers`)
}

/** Persons who are not evaluated yet or are to be evaluated again. */
export async function countWaiting(db: Db): Promise<number> {
  const { waiting } = await db.row<{ waiting: number }>(sql`
    select (select count(*)::int from evaluation_due)
      + (select count(*)::int from person p where p.demo and p.state = 'live'
          and not exists (select from person_segment ps where ps.person_id = p.id)) as waiting`)
  return waiting
}

/** What the `nth` of the sleepers who spent most has spent: the edge of a small segment. Null with fewer sleepers. */
export async function sleeperSpend(db: Db, nth: number): Promise<number | null> {
  const row = await db.maybe<{ spent: number }>(sql`
    select s.spent_cents as spent from person_state s join person p on p.id = s.person_id and p.demo and p.state = 'live'
    where s.lifecycle in ('silent', 'near_sleep') and p.owner_staff_id is not null
    order by s.spent_cents desc offset ${nth} limit 1`)
  return row?.spent ?? null
}

/** Active members by what they have spent: those who follow a guide, or those whom only an SMS reaches. */
export function activeReachable(
  db: Db,
  channel: 'wecom' | 'sms',
  limit: number,
): Promise<{ personId: number; spentCents: number }[]> {
  const reached =
    channel === 'wecom'
      ? sql`p.wecom = 'followed'`
      : sql`p.wecom <> 'followed' and p.phone = 'mobile' and p.consents->>'sms' = 'granted'`
  return db.rows(sql`
    select s.person_id as "personId", s.spent_cents as "spentCents"
    from person_state s join person p on p.id = s.person_id and p.demo and p.state = 'live'
    where s.lifecycle = 'active' and ${reached}
    order by s.spent_cents desc, s.person_id limit ${limit}`)
}

export async function noteBorn(tx: Tx, born: readonly { number: number; joinedAt: Date }[]): Promise<void> {
  await tx.run(sql`
    insert into demo_born (number, joined_at)
    select * from unnest(${born.map((one) => one.number)}::int[], ${born.map((one) => one.joinedAt)}::timestamptz[])
    on conflict do nothing`)
}

export function readBorn(db: Db): Promise<{ number: number; joinedAt: Date }[]> {
  return db.rows(sql`select number, joined_at as "joinedAt" from demo_born order by number`)
}

export type KeptMessage = { channel: 'wecom' | 'sms'; id: string; state: unknown; at: Date }

export async function keepMessage(db: Db, { channel, id, state, at }: KeptMessage): Promise<void> {
  await db.run(sql`
    insert into demo_message (channel, id, state, at) values (${channel}, ${id}, ${JSON.stringify(state)}::jsonb, ${at})
    on conflict (channel, id) do update set state = excluded.state`)
}

export function keptMessages(db: Db, since: Date): Promise<KeptMessage[]> {
  return db.rows(sql`select channel, id, state, at from demo_message where at >= ${since} order by at, id`)
}

export async function forgetMessages(db: Db, before: Date): Promise<number> {
  return db.run(sql`delete from demo_message where at < ${before}`)
}

export type OpenTask = {
  id: string
  kind: 'follow_up' | 'invite' | 'tag'
  personId: number
  staffId: string
  createdAt: Date
  feedbackNeeded: boolean
}

/** Tasks that simulated staff have still to do. Those of the staff whom a person plays are not theirs. */
export function openTasks(db: Db, played: readonly string[]): Promise<OpenTask[]> {
  return db.rows(sql`
    select t.id, t.kind, t.person_id as "personId", t.staff_id as "staffId", t.created_at as "createdAt",
      t.feedback_needed as "feedbackNeeded"
    from task t join staff s on s.id = t.staff_id and s.demo
    where t.state in ('open', 'late') and t.demo and t.kind <> 'broadcast' and t.kind <> 'tag'
      and not (t.staff_id = any(${played}::uuid[]))`)
}

export type Heard = {
  /** Touch or task. */
  id: string
  personId: number
  /** The ERP profile that orders are recorded under. */
  profileId: number
  staffId: string | null
  how: 'wecom' | 'sms' | 'task'
  at: Date
}

/** What has reached demo members lately: touches delivered, and what guides told them. */
export function heardSince(db: Db, since: Date, to: Date): Promise<Heard[]> {
  return db.rows(sql`
    with heard as (
      select t.id, t.person_id, t.sender_id as staff_id, t.channel as how, t.ended_at as at
      from touch t join person p on p.id = t.person_id and p.demo
      where t.state = 'delivered' and t.ended_at > ${since}::timestamptz - interval '7 days' and t.ended_at <= ${to}
      union all
      select k.id, k.person_id, k.done_by, 'task', k.ended_at
      from task k join person p on p.id = k.person_id and p.demo
      where k.state in ('done', 'done_late') and k.ended_at > ${since}::timestamptz - interval '7 days' and k.ended_at <= ${to}
        and k.outcome in ('sent', 'called', 'will_come') and not exists (select from touch t where t.id = k.id)
    )
    select h.id, h.person_id as "personId", pr.id as "profileId", h.staff_id as "staffId", h.how, h.at
    from heard h
    join lateral (select id from profile where person_id = h.person_id order by id limit 1) pr on true
    order by h.at, h.id`)
}

export type Home = { personId: number; storeId: string | null; staffId: string | null; online: boolean }

/** Where members belong and who looks after them. */
export async function homesOf(db: Db, personIds: readonly number[]): Promise<Map<number, Home>> {
  const rows = await db.rows<Home>(sql`
    select id as "personId", home_store_id as "storeId", owner_staff_id as "staffId",
      coalesce(source_side = 'online', false) as online
    from person where id = any(${personIds}::int[])`)
  return new Map(rows.map((row) => [row.personId, row]))
}

export type Follow = {
  staffId: string
  wecomUserId: string
  externalUserId: string
  profileId: number
  addedAt: Date
}

/** The standing WeCom relations of a person. */
export function followsOf(db: Db, personIds: readonly number[]): Promise<(Follow & { personId: number })[]> {
  return db.rows(sql`
    select p.person_id as "personId", r.profile_id as "profileId", r.staff_id as "staffId",
      s.wecom_user_id as "wecomUserId", r.external_userid as "externalUserId", r.added_at as "addedAt"
    from relation r join profile p on p.id = r.profile_id join staff s on s.id = r.staff_id
    where p.person_id = any(${personIds}::int[]) and p.demo and r.standing and s.wecom_user_id is not null
    order by p.person_id, r.added_at`)
}

/** Whom demo guides have lost: their messages reach them no more. */
export function lostFollows(db: Db): Promise<{ wecomUserId: string; externalUserId: string }[]> {
  return db.rows(sql`
    select s.wecom_user_id as "wecomUserId", r.external_userid as "externalUserId"
    from relation r join profile p on p.id = r.profile_id and p.demo join staff s on s.id = r.staff_id
    where not r.standing and s.wecom_user_id is not null`)
}
