import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { fc } from '../../test/support/fast-check.ts'
import { openKeyring } from '../platform/crypto/master-key.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import type { Follower } from './follower.ts'
import type { IncomingPerson } from './incoming.ts'
import { apartReview, joinReview, mergePersons, undoMerge } from './merges.ts'
import { type Resolved, resolve } from './resolve.ts'
import type { MembersDeps } from './settle-world.ts'
import { tell, type Word } from './tell.ts'
import { undoImport } from './undo-import.ts'

const db = await testDatabase()
const by = { actor: null, at: instant('2026-05-01T00:00:00Z') }
const day = (n: number): Date => instant(Date.UTC(2026, 0, 1 + n))
const phone = (value: string) => ({ kind: 'phone', value }) as const
const card = (value: string) => ({ kind: 'card', value, scope: 'erp' }) as const
const unionid = (value: string) => ({ kind: 'unionid', value }) as const
const IMPORT = '00000000-0000-7000-8000-000000000001'
const OTHER_IMPORT = '00000000-0000-7000-8000-000000000002'

/** Follows merges as a later capability would: which person each profile is of. */
const followed = new Map<number, number>()
const follower: Follower = {
  name: 'model',
  async merged(_, merges) {
    for (const { absorbed, kept, profileIds } of merges) {
      for (const id of profileIds) {
        expect(followed.get(id) ?? absorbed).toBe(absorbed)
        followed.set(id, kept)
      }
    }
  },
  async split(_, splits) {
    for (const { kept, restored, profileIds } of splits) {
      for (const id of profileIds) {
        expect(followed.get(id) ?? kept).toBe(kept)
        followed.set(id, restored)
      }
    }
  },
  async removed(_, { profileIds }) {
    for (const id of profileIds) followed.delete(id)
  },
}
const deps: MembersDeps = { keys: openKeyring(randomBytes(32)), followers: [follower] }

beforeEach(() => empty())

async function empty(): Promise<void> {
  followed.clear()
  // Deleting a handful of rows is ten times faster than truncating.
  for (const table of [
    'verdict',
    'review',
    'merge',
    'profile',
    'person',
    'event_log',
    'profile_home',
    'merge_carried',
  ]) {
    await db.run(sql`delete from ${trusted(table)}`)
  }
  await db.run(sql`alter sequence known_profile restart`)
  await db.run(sql`
    insert into staff (id, login, name, created_at)
    select id, 'guide' || n, '导购', ${day(0)} from unnest(${STAFF}::uuid[]) with ordinality as s (id, n)
    on conflict do nothing`)
}

const STAFF = [1, 2].map((n) => `00000000-0000-7000-8000-0000000000a${n}`)

async function bring(
  rows: IncomingPerson[],
  more: { source?: string; importId?: string; at?: Date } = {},
): Promise<Resolved[]> {
  const how = {
    lane: 'bulk',
    source: more.source ?? 'erp',
    at: more.at ?? day(0),
    ...(more.importId ? { importId: more.importId } : {}),
  } as const
  const answers = await db.transaction((tx) => resolve(deps, tx, rows, how))
  return answers.flatMap((one) => one ?? [])
}

async function say(words: Word[], at: Date): Promise<void> {
  await db.transaction((tx) => tell(deps, tx, words, { lane: 'live', source: 'console', at }))
}

async function one<Answer>(work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
  return db.transaction(work)
}

/** Everything that people see of persons; the moments of bookkeeping and the merges themselves are left out. */
async function snapshot(): Promise<unknown> {
  const persons = await db.rows(sql`
    select e.id, (select array_agg(p.id order by p.id) from profile p where p.person_id = e.id) as profiles, e.kind, e.name, e.gender,
      e.city, e.joined_at, e.source, e.phone, e.identifiers, e.consents, e.owner_staff_id, e.follower_ids, e.wecom, e.completeness
    from person e where e.state = 'live' order by e.id`)
  const profiles = await db.rows(sql`select id, attributes from profile order by id`)
  const claims = await db.rows(sql`
    select profile_id, kind, encode(digest, 'hex') as digest, state, links from identifier where state <> 'disowned' order by 1, 2, 3`)
  const reviews = await db.rows(sql`
    select identifier_kind, profiles from review where kind = 'conflict' and state = 'open' order by profiles, identifier_kind`)
  return { persons, profiles, claims, reviews }
}

async function followedRightly(): Promise<void> {
  const rows = await db.rows<{ id: number; person: number }>(sql`select id, person_id as person from profile`)
  for (const { id, person } of rows) if (followed.has(id)) expect(followed.get(id)).toBe(person)
}

type Fact = {
  id: number
  phones: number[]
  union: number | null
  card: number | null
  city: number
  consent: number
  owner: number
}

const fact = fc.record({
  id: fc.integer({ min: 1, max: 7 }),
  phones: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }),
  union: fc.option(fc.integer({ min: 0, max: 5 })),
  card: fc.option(fc.integer({ min: 0, max: 5 }), { freq: 1 }),
  city: fc.integer({ min: 0, max: 3 }),
  consent: fc.integer({ min: 0, max: 2 }),
  owner: fc.integer({ min: 0, max: 2 }),
})

async function bringFacts(facts: readonly Fact[], firstDay: number, importId?: string): Promise<void> {
  for (const [index, { id, phones, union, card: number, city, consent, owner }] of facts.entries()) {
    const at = day(firstDay + index)
    const staffId = STAFF[owner]
    const row: IncomingPerson = {
      externalId: String(id),
      at,
      identifiers: [
        ...phones.map((n) => phone(`1381234567${n}`)),
        ...(union === null ? [] : [unionid(`U${union}`)]),
        ...(number === null ? [] : [card(`C${number}`)]),
      ],
      attributes: { city: `城${city}`, ...(staffId ? { ownerStaffId: staffId } : {}) },
      ...(consent > 0
        ? { consents: [{ channel: 'sms', state: consent === 1 ? 'granted' : 'withdrawn' }] }
        : {}),
      ...(staffId ? { relations: [{ staffId, externalUserid: `wo${id}`, addedAt: at }] } : {}),
    }
    await bring([row], importId ? { importId } : {})
  }
}

test('facts, a merge by hand, facts and its undo leave what the facts alone leave', async () => {
  let merged = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fact, { minLength: 2, maxLength: 6 }),
      fc.array(fact, { maxLength: 5 }),
      fc.nat(),
      fc.integer({ min: 0, max: 2 }),
      async (before, after, pick, owner) => {
        const words = async (ids: readonly number[]): Promise<void> => {
          await say(
            ids.map((personId) => ({
              personId,
              attributes: { ownerStaffId: STAFF[owner] ?? null, city: '后来' },
              consents: [{ channel: 'wecom', state: 'withdrawn' }],
            })),
            day(200),
          )
        }
        await empty()
        await bringFacts(before, 0)
        const live = (
          await db.rows<{ id: number }>(sql`select id from person where state = 'live' order by id`)
        ).map(({ id }) => id)
        const pair =
          live.length < 2
            ? undefined
            : ([live[pick % live.length] ?? 0, live[(pick + 1) % live.length] ?? 0] as const)
        const keep = pair?.[pick % 3]
        const keeps = await profilesOfPerson(keep)
        const mergeId = pair ? await one((tx) => mergePersons(deps, tx, pair, by, keeps)) : undefined
        if (mergeId) merged += 1
        await bringFacts(after, 20)
        await words(pair ?? [])
        if (mergeId) await one((tx) => undoMerge(deps, tx, mergeId, by))
        const undone = await snapshot()
        await followedRightly()
        await empty()
        await bringFacts(before, 0)
        await bringFacts(after, 20)
        await words(pair ?? [])
        expect(undone).toEqual(await snapshot())
      },
    ),
    { numRuns: 15 },
  )
  expect(merged).toBeGreaterThan(3)
})

test('undoing a merge by an identifier parts exactly what came together, and what came after goes to its own side', async () => {
  const [old] = await bring([
    { externalId: '1', identifiers: [phone('13812345670'), card('A1')], attributes: { city: '上海' } },
  ])
  const [young] = await bring(
    [{ externalId: 'u', identifiers: [unionid('u')], attributes: { city: '北京', gender: 'female' } }],
    { source: 'mini' },
  )
  const [joined] = await bring(
    [{ externalId: 'u', identifiers: [unionid('u'), phone('13812345670')], at: day(1) }],
    { source: 'mini' },
  )
  expect(joined?.personId).toBe(old?.personId)
  await say(
    [
      { personId: old?.personId ?? 0, consents: [{ channel: 'sms', state: 'granted' }] },
      { personId: young?.personId ?? 0, consents: [{ channel: 'wecom', state: 'withdrawn' }] },
    ],
    day(2),
  )
  await bring([{ externalId: null, identifiers: [phone('13812345670')] }], { source: 'till' })
  const merge = await db.row<{ id: string }>(sql`select id from merge where undone_at is null`)
  await one((tx) => undoMerge(deps, tx, merge.id, by))
  expect(
    await db.rows(
      sql`select id, city, gender, consents, identifiers from person where state = 'live' order by id`,
    ),
  ).toEqual([
    {
      id: old?.personId,
      city: '上海',
      gender: null,
      consents: { sms: 'granted' },
      identifiers: ['card', 'phone'],
    },
    {
      id: young?.personId,
      city: '北京',
      gender: 'female',
      consents: { wecom: 'withdrawn' },
      identifiers: ['unionid'],
    },
  ])
  await followedRightly()
})

test('people who were parted by hand are not joined again by what they share', async () => {
  const [a] = await bring([
    { externalId: '1', identifiers: [phone('13812345670')] },
    { externalId: '2', identifiers: [unionid('u')] },
  ])
  await bring([{ externalId: '3', identifiers: [phone('13812345670'), unionid('u')] }])
  const merge = await db.row<{ id: string }>(sql`select id from merge`)
  await one((tx) => undoMerge(deps, tx, merge.id, by))
  await bring([{ externalId: '4', identifiers: [phone('13812345670'), unionid('u')] }])
  const rows = await db.rows<{ id: number; person: number }>(
    sql`select id, person_id as person from profile order by id`,
  )
  expect(rows[0]?.person).toBe(a?.personId)
  expect(rows[0]?.person).not.toBe(rows[1]?.person)
  expect(
    await db.rows(sql`select state from review where kind = 'conflict' and state = 'open'`),
  ).toHaveLength(1)
})

test('the side that is kept says who the person is; later words win again, consents and origin are as they were', async () => {
  const rows = (city: string, at: Date, more: IncomingPerson['attributes']): IncomingPerson => ({
    externalId: city,
    at,
    identifiers: [card(city)],
    attributes: { city, ...more },
    consents: [{ channel: 'sms', state: at.getTime() === day(1).getTime() ? 'granted' : 'withdrawn' }],
  })
  const folded = async (): Promise<unknown[]> =>
    db.rows(sql`
      select name, gender, city, birthday, source, (extract(epoch from joined_at) * 1000)::float8 as joined, consents->>'sms' as sms
      from person where state = 'live' order by id`)
  const [old, young] = await bring([
    rows('上海', day(1), { name: '旧名', gender: 'female', joinedAt: day(1), source: 'guide_recruited' }),
    rows('北京', day(5), { name: '新名', birthday: '1990-05-06', joinedAt: day(5), source: 'organic' }),
  ])
  const apart = await folded()
  const pair = [old?.personId ?? 0, young?.personId ?? 0] as const
  const common = {
    gender: 'female',
    birthday: '1990-05-06',
    source: 'guide_recruited',
    joined: day(1).getTime(),
    sms: 'withdrawn',
  }
  // Without a choice the later word wins; kept, the older side wins though its words are older.
  const plain = await one((tx) => mergePersons(deps, tx, pair, by))
  expect(await folded()).toEqual([{ ...common, name: '新名', city: '北京' }])
  await one((tx) => undoMerge(deps, tx, plain, by))
  const keeps = await profilesOfPerson(pair[0])
  const kept = await one((tx) => mergePersons(deps, tx, pair, by, keeps))
  expect(await folded()).toEqual([{ ...common, name: '旧名', city: '上海' }])
  const later = new Date(by.at.getTime() + 60_000)
  await bring([{ externalId: '北京', at: later, identifiers: [card('北京')], attributes: { city: '天津' } }])
  expect(await folded()).toEqual([{ ...common, name: '旧名', city: '天津' }])
  await one((tx) => undoMerge(deps, tx, kept, { ...by, at: later }))
  expect(await folded()).toEqual([apart[0], { ...(apart[1] as object), city: '天津' }])
})

async function profilesOfPerson(person = 0): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(
    sql`select id from profile where person_id = ${person} order by id`,
  )
  return rows.map(({ id }) => id)
}

test('of three sides the one to keep wins over both others', async () => {
  for (const keep of ['甲', '乙', '丙']) {
    await empty()
    await bring(
      ['甲', '乙', '丙'].map((name) => ({
        externalId: name,
        identifiers: [phone('13812345670'), card(name)],
        attributes: { name },
      })),
    )
    const { id } = await db.row<{ id: string }>(sql`select id from review where state = 'open'`)
    const person = await db.row<{ id: number }>(sql`select id from person where name = ${keep}`)
    await one((tx) => joinReview(deps, tx, id, { ...by, keep: person.id }))
    expect(await db.rows(sql`select name from person where state = 'live'`)).toEqual([{ name: keep }])
  }
})

test('a question is answered with the side to keep, which must be one of its sides', async () => {
  const [first, second] = await bring([
    { externalId: '1', identifiers: [phone('13812345670'), card('1')], attributes: { name: '甲' } },
    { externalId: '2', identifiers: [phone('13812345670'), card('2')], attributes: { name: '乙' } },
    { externalId: '3', identifiers: [card('3')], attributes: { name: '丙' } },
  ])
  const { id } = await db.row<{ id: string }>(sql`select id from review where state = 'open'`)
  const third = await db.row<{ id: number }>(sql`select id from person where name = '丙'`)
  const wrong = one((tx) => joinReview(deps, tx, id, { ...by, keep: third.id }))
  await expect(wrong).rejects.toMatchObject({ code: 'bad_input', field: 'keep' })
  for (const [keep, name] of [
    [first, '甲'],
    [second, '乙'],
  ] as const) {
    await db.run(sql`update review set state = 'open' where id = ${id}`)
    const mergeId = await one((tx) => joinReview(deps, tx, id, { ...by, keep: keep?.personId }))
    expect(await db.rows(sql`select name from person where state = 'live' order by id`)).toEqual([
      { name },
      { name: '丙' },
    ])
    await one((tx) => undoMerge(deps, tx, mergeId, by))
  }
})

test('a merge cannot be undone twice, and who is one person cannot be joined', async () => {
  const [a, b] = await bring([
    { externalId: '1', identifiers: [card('1')] },
    { externalId: '2', identifiers: [card('2')] },
  ])
  const pair = [a?.personId ?? 0, b?.personId ?? 0] as const
  const id = await one((tx) => mergePersons(deps, tx, pair, by))
  await expect(one((tx) => mergePersons(deps, tx, pair, by))).rejects.toMatchObject({ code: 'conflict' })
  await one((tx) => undoMerge(deps, tx, id, by))
  await expect(one((tx) => undoMerge(deps, tx, id, by))).rejects.toMatchObject({ code: 'conflict' })
})

test('a conflict is answered by joining or by keeping apart, and keeping apart is remembered', async () => {
  await bring([
    { externalId: '1', identifiers: [phone('13812345670'), card('1')] },
    { externalId: '2', identifiers: [phone('13812345670'), card('2')] },
  ])
  const open = async (): Promise<string[]> =>
    (await db.rows<{ id: string }>(sql`select id from review where state = 'open'`)).map(({ id }) => id)
  const [conflict] = await open()
  await one((tx) => apartReview(deps, tx, conflict ?? '', by))
  await bring([
    {
      externalId: '1',
      identifiers: [phone('13812345670'), card('1')],
      at: day(3),
      attributes: { city: '上海' },
    },
  ])
  expect(await open()).toEqual([])
  await expect(one((tx) => joinReview(deps, tx, conflict ?? '', by))).rejects.toMatchObject({
    code: 'conflict',
  })
  await bring([{ externalId: '3', identifiers: [phone('13812345670'), card('3')] }])
  const [again] = await open()
  expect(again).toBe(conflict)
  await one((tx) => joinReview(deps, tx, again ?? '', by))
  expect(await db.rows(sql`select id from person where state = 'live'`)).toHaveLength(1)
})

test('undoing an import leaves what would have been without it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fact, { maxLength: 4 }),
      fc.array(fact, { minLength: 1, maxLength: 5 }),
      fc.array(fact, { maxLength: 3 }),
      async (before, imported, after) => {
        // A profile that the import made and others speak of later keeps its identifiers, by design; not here.
        const known = new Set(before.map(({ id }) => id))
        const later = after.filter(({ id }) => known.has(id))
        await empty()
        await bringFacts(before, 0)
        await bringFacts(imported, 20, IMPORT)
        await bringFacts(later, 40)
        for (let next: number | null = 0; next !== null; ) {
          const at: number = next
          next = (await one((tx) => undoImport(deps, tx, IMPORT, by.at, { after: at }))).next
        }
        const undone = await snapshot()
        await followedRightly()
        expect(await db.rows(sql`select profile_id from profile_layer where origin = ${IMPORT}`)).toEqual([])
        await empty()
        await bringFacts(before, 0)
        await bringFacts(later, 40)
        expect(undone).toEqual(await snapshot())
      },
    ),
    { numRuns: 15 },
  )
})

test('a profile of which two imports spoke goes only with the second', async () => {
  const row = (city: string, at: Date): IncomingPerson => ({
    externalId: '1',
    at,
    identifiers: [card('1')],
    attributes: { city },
  })
  await bring([row('上海', day(1))], { importId: IMPORT })
  await bring([row('北京', day(2))], { importId: OTHER_IMPORT })
  await one((tx) => undoImport(deps, tx, IMPORT, by.at))
  expect(await db.rows(sql`select city, identifiers from person where state = 'live'`)).toEqual([
    { city: '北京', identifiers: ['card'] },
  ])
  const last = await one((tx) => undoImport(deps, tx, OTHER_IMPORT, by.at))
  expect(last.removedPersons).toBe(1)
  expect(await db.rows(sql`select state, name, city from person`)).toEqual([
    { state: 'removed', name: null, city: null },
  ])
})

test('a person whose oldest record goes with an import goes on under the next', async () => {
  await bring([{ externalId: '1', identifiers: [phone('13812345670')] }], { importId: IMPORT })
  const [second] = await bring([
    { externalId: '2', identifiers: [phone('13812345670')], attributes: { city: '杭州' } },
  ])
  await one((tx) => undoImport(deps, tx, IMPORT, by.at))
  expect(await db.rows(sql`select id, city from person where state = 'live'`)).toEqual([
    { id: second?.profileId, city: '杭州' },
  ])
  expect(await db.rows(sql`select cause from merge where undone_at is null`)).toEqual([{ cause: 'import' }])
  await followedRightly()
})
