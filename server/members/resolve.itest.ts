import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { fc } from '../../test/support/fast-check.ts'
import { openKeyring } from '../platform/crypto/master-key.ts'
import { idOf } from '../platform/ids.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { FixedClock, instant } from '../platform/time/clock.ts'
import { erasePerson } from './erase.ts'
import type { IncomingPerson, ResolveHow } from './incoming.ts'
import { undoMerge } from './merges.ts'
import { type Resolved, resolve } from './resolve.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle-world.ts'
import { tell } from './tell.ts'

const db = await testDatabase({ max: 10 })
const deps: MembersDeps = { keys: openKeyring(randomBytes(32)), followers: [] }
const clock = new FixedClock('2026-03-01T02:00:00Z')

beforeEach(() => empty())

async function empty(): Promise<void> {
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
    'erased_mark',
  ]) {
    await db.run(sql`delete from ${trusted(table)}`)
  }
}

function how(more: Partial<ResolveHow> = {}): ResolveHow {
  return { lane: 'bulk', source: 'erp', at: clock.now(), ...more }
}

async function bring(rows: IncomingPerson[], more: Partial<ResolveHow> = {}): Promise<Resolved[]> {
  const answers = await db.transaction((tx) => resolve(deps, tx, rows, how(more)))
  return answers.flatMap((one) => one ?? [])
}

const row = (externalId: string | null, ...identifiers: IncomingPerson['identifiers']): IncomingPerson => ({
  externalId,
  identifiers,
})
const phone = (value: string) => ({ kind: 'phone', value }) as const
const card = (value: string) => ({ kind: 'card', value, scope: 'erp' }) as const
const unionid = (value: string) => ({ kind: 'unionid', value }) as const

async function events(
  type: string,
): Promise<{ profile: number; person: number; data: Record<string, unknown> }[]> {
  return db.rows(
    sql`select profile_id as profile, person_id as person, data from event_log where type = ${type} order by xid, seq`,
  )
}

test('a new row makes a profile, a person and the events that tell it', async () => {
  const [li] = await bring([
    {
      externalId: '17',
      identifiers: [phone('138 1234 5679'), card('A1')],
      attributes: {
        name: ' 李 四 ',
        gender: 'female',
        birthday: '1990-05-06',
        joinedAt: instant('2025-01-01T00:00:00Z'),
        source: 'guide_recruited',
      },
      consents: [{ channel: 'sms', state: 'granted' }],
    },
  ])
  expect(li).toMatchObject({ created: true, newPerson: true, merged: [], review: null })
  const person = await db.row(
    sql`select kind, name, gender, birthday, phone, identifiers, consents, source, in_erp, state from person`,
  )
  expect(person).toEqual({
    kind: 'member',
    name: '李 四',
    gender: 'female',
    birthday: '1990-05-06',
    phone: 'mobile',
    identifiers: ['card', 'phone'],
    consents: { sms: 'granted' },
    source: 'guide_recruited',
    in_erp: true,
    state: 'live',
  })
  expect((await events('member_joined'))[0]?.data).toMatchObject({ source: 'guide_recruited' })
  expect((await events('attributes_changed'))[0]?.data).toEqual({
    changed: {
      gender: 'female',
      birthDay: '05-06',
      birthdayLunar: false,
      joinedAt: '2025-01-01T00:00:00.000Z',
      source: 'guide_recruited',
      identifiers: ['card', 'phone'],
    },
  })
  expect((await events('consent_changed'))[0]?.data).toEqual({ channel: 'sms', state: 'granted' })
})

test('the same rows again change nothing', async () => {
  const rows = [
    { ...row('1', phone('13812345679'), card('A1')), attributes: { name: '张三', gender: 'male' as const } },
    row('2', phone('13812345680')),
    row(null, phone('13812345681')),
  ]
  const first = await bring(rows)
  const before = await snapshot(db)
  const log = await db.rows(sql`select id from event_log`)
  clock.advance({ hours: 1 })
  const again = await bring(rows)
  expect(again.map(({ profileId, personId }) => [profileId, personId])).toEqual(
    first.map(({ profileId, personId }) => [profileId, personId]),
  )
  expect(again.every(({ created, changed }) => !created && changed.length === 0)).toBe(true)
  expect(await snapshot(db)).toEqual(before)
  expect(await db.rows(sql`select id from event_log`)).toEqual(log)
})

test('a shared phone makes one person of two systems', async () => {
  const [a] = await bring([row('1', phone('13812345679'), card('A1'))])
  const [b] = await bring([row('x', phone('+86 138-1234-5679'), unionid('u'))], { source: 'shop' })
  expect(b).toMatchObject({ personId: a?.personId, created: true, newPerson: false })
  expect(await db.row(sql`select identifiers from person where state = 'live'`)).toEqual({
    identifiers: ['card', 'phone', 'unionid'],
  })
  expect(await events('persons_merged')).toEqual([])
})

test('two persons become one when a row names both, and the younger is remembered', async () => {
  const [a] = await bring([row('1', phone('13812345679'))])
  const [b] = await bring([row('u', unionid('u'))], { source: 'shop' })
  const [c] = await bring([row('m', phone('13812345679'), unionid('u'))], { source: 'mini' })
  expect(c?.personId).toBe(a?.personId)
  expect(c?.merged).toHaveLength(1)
  expect(
    await db.row(sql`select kept_person as kept, absorbed_person as absorbed, profiles, cause from merge`),
  ).toEqual({
    kept: a?.personId,
    absorbed: b?.personId,
    profiles: [b?.profileId],
    cause: 'identifier',
  })
  expect(await db.row(sql`select state, merged_into as into from person where id = ${b?.personId}`)).toEqual({
    state: 'absorbed',
    into: a?.personId,
  })
  expect((await events('persons_merged'))[0]?.data).toMatchObject({
    keptPersonId: a?.personId,
    absorbedPersonId: b?.personId,
  })
})

test('a family that shares a phone stays two people and goes to review', async () => {
  const [dad] = await bring([row('1', phone('13812345679'), card('A1'))])
  const [mum] = await bring([row('2', phone('13812345679'), card('A2'))])
  expect(mum?.personId).not.toBe(dad?.personId)
  expect(mum?.review).toBeTruthy()
  expect(
    await db.row(sql`select kind, state, profiles, identifier_kind as "identifierKind" from review`),
  ).toEqual({
    kind: 'conflict',
    state: 'open',
    profiles: [dad?.profileId, mum?.profileId],
    identifierKind: 'phone',
  })
})

test('a phone in a remark proposes and never joins, whoever comes first', async () => {
  const contact = (id: string): IncomingPerson => ({
    ...row(
      id,
      { kind: 'external_userid', value: id, scope: 'corp' },
      { kind: 'phone', value: '13812345679', hint: true },
    ),
  })
  await bring([contact('wo1')], { source: 'wecom' })
  const [member] = await bring([row('1', phone('13812345679'))])
  await bring([contact('wo2')], { source: 'wecom' })
  const reviews = await db.rows<{ profiles: number[] }>(
    sql`select profiles from review where kind = 'fuzzy' order by profiles`,
  )
  expect(reviews).toHaveLength(2)
  expect(reviews.every(({ profiles }) => profiles.includes(member?.profileId ?? 0))).toBe(true)
  expect(await db.row(sql`select count(*)::int as n from person where state = 'live'`)).toEqual({ n: 3 })
})

test('an invalid phone joins nobody', async () => {
  const all = await bring([row('1', phone('12345')), row('2', phone('12345'))])
  expect(new Set(all.map(({ personId }) => personId)).size).toBe(2)
  expect(await db.rows(sql`select phone from person`)).toEqual([{ phone: 'invalid' }, { phone: 'invalid' }])
})

test('a row that names nobody is refused with its number', async () => {
  await expect(bring([row('1', phone('13812345679')), row(null)])).rejects.toMatchObject({
    code: 'bad_row',
    row: 1,
  })
})

test('an anonymous visitor is numbered apart and follows its openid to the member', async () => {
  const [visitor] = await bring([row(null, { kind: 'mp_openid', value: 'o1', scope: 'wx1' })], {
    source: 'mini',
  })
  expect(visitor?.personId).toBeGreaterThanOrEqual(2 ** 30)
  const [member] = await bring([
    row('1', phone('13812345679'), { kind: 'mp_openid', value: 'o1', scope: 'wx1' }),
  ])
  expect(member?.personId).toBeLessThan(2 ** 30)
  expect(await db.row(sql`select person_id as person from profile where id = ${visitor?.profileId}`)).toEqual(
    { person: member?.personId },
  )
})

test('demo people never meet real ones, and the database holds it', async () => {
  const [real] = await bring([row('1', phone('13812345679'))])
  const [demo] = await bring([{ ...row('1', phone('13812345679')), demo: true }])
  expect(demo?.personId).not.toBe(real?.personId)
  await expect(
    db.transaction((tx) =>
      tx.run(sql`update profile set person_id = ${real?.personId} where id = ${demo?.profileId}`),
    ),
  ).rejects.toThrow(/check constraint/)
})

test('an old word about a field does not win over a later one', async () => {
  await bring([{ ...row('1', card('A')), at: instant('2026-01-02T00:00:00Z'), attributes: { city: '上海' } }])
  await bring([
    {
      ...row('1', card('A')),
      at: instant('2026-01-01T00:00:00Z'),
      attributes: { city: '北京', gender: 'male' },
    },
  ])
  expect(await db.row(sql`select city, gender from person`)).toEqual({ city: '上海', gender: 'male' })
})

/** Who is who and what is known, without numbers that the order of arrival gives. */
async function snapshot(of: Database): Promise<unknown> {
  const persons = await of.rows<{ keys: string[] } & Record<string, unknown>>(sql`
    select array_agg(p.source || ':' || encode(p.key, 'hex') order by p.source, p.key) as keys, e.kind, e.name, e.gender, e.city,
      e.joined_at, e.source, e.phone, e.identifiers, e.consents, e.completeness, e.attributes, e.state
    from person e join profile p on p.person_id = e.id group by e.id`)
  const reviews = await of.rows<Record<string, unknown>>(sql`
    select r.kind, encode(r.key, 'hex') as key, (select array_agg(encode(p.key, 'hex') order by p.key)
      from profile p join profile q on q.person_id = p.person_id where q.id = any(r.profiles)) as sides
    from review r where r.kind = 'conflict' and r.state = 'open' order by key`)
  return { persons: persons.sort((a, b) => (a.keys.join() < b.keys.join() ? -1 : 1)), reviews }
}

const world = fc.array(
  fc.record({
    id: fc.integer({ min: 1, max: 14 }),
    source: fc.constantFrom('erp', 'shop'),
    phones: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
    card: fc.option(fc.integer({ min: 0, max: 6 })),
    union: fc.option(fc.integer({ min: 0, max: 6 })),
    city: fc.constantFrom('上海', '北京', '杭州'),
    day: fc.integer({ min: 1, max: 20 }),
  }),
  { minLength: 10, maxLength: 40 },
)

type Line = { source: string; row: IncomingPerson }

function linesOf(
  seed: {
    id: number
    source: string
    phones: number[]
    card: number | null
    union: number | null
    city: string
    day: number
  }[],
): Line[] {
  return seed.map((one) => ({
    source: one.source,
    row: {
      externalId: String(one.id),
      at: instant(Date.UTC(2026, 0, one.day)),
      identifiers: [
        ...one.phones.map((n) => phone(`1381234567${n}`)),
        ...(one.card === null ? [] : [card(`C${one.card}`)]),
        ...(one.union === null ? [] : [unionid(`U${one.union}`)]),
      ],
      attributes: { city: one.city, joinedAt: instant(Date.UTC(2025, 0, one.day)) },
    },
  }))
}

test('four imports at once of overlapping shuffled files give the same persons as one import', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(world, fc.integer(), async (seed, salt) => {
      runs += 1
      const lines = linesOf(seed)
      await empty()
      await importAll(lines, 1000)
      const alone = await snapshot(db)
      await empty()
      const files = [0, 1, 2, 3].map((file) =>
        shuffled(lines, salt + file).filter((_, index) => (index + file) % 4 !== 0),
      )
      await Promise.all(files.map((file, index) => importAll(file, 3 + index)))
      await Promise.all([importAll(shuffled(lines, salt), 7)])
      expect(await snapshot(db)).toEqual(alone)
      await holds()
    }),
    { numRuns: 12 },
  )
  expect(runs).toBeGreaterThanOrEqual(12)
})

async function importAll(lines: readonly Line[], chunk: number): Promise<void> {
  for (let from = 0; from < lines.length; from += chunk) {
    const part = lines.slice(from, from + chunk)
    for (const source of ['erp', 'shop']) {
      const rows = part.filter((line) => line.source === source).map((line) => line.row)
      if (rows.length > 0) await bring(rows, { source })
    }
  }
}

/** What must hold in the tables after anything. */
async function holds(): Promise<void> {
  expect(
    await db.rows(sql`select person_id from profile group by person_id having person_id <> min(id)`),
  ).toEqual([])
  expect(
    await db.rows(
      sql`select e.id from person e where (e.state = 'live') <> exists (select from profile p where p.person_id = e.id)`,
    ),
  ).toEqual([])
  expect(
    await db.rows(sql`
      select e.id from person e join profile p on p.id = e.id where e.state = 'absorbed' and p.person_id <> e.merged_into`),
  ).toEqual([])
}

function shuffled<Item>(items: readonly Item[], salt: number): Item[] {
  return items
    .map((item, index) => ({ item, rank: idOf('shuffle', salt, index) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ item }) => item)
}

test('an erasure at the same moment wins: a file that names the person meanwhile brings nothing back', async () => {
  const [known] = await bring([row('K1', phone('13900000001'))])
  const by = { actor: null, at: clock.now() }
  const later = how({ source: 'shop' })
  let bringing: Promise<(Resolved | null)[]> | undefined
  await db.transaction(async (tx) => {
    await erasePerson(deps, tx, known?.personId ?? 0, by)
    bringing = db.transaction((other) => resolve(deps, other, [row('S1', phone('13900000001'))], later))
    await somebodyWaits()
  })
  expect(await bringing).toEqual([null])
  expect(await db.rows(sql`select from profile`)).toEqual([])

  // And whoever is being brought in is erased along.
  const [second] = await bring([row('K2', phone('13900000002'))])
  let erasing: Promise<{ profiles: number }> | undefined
  await db.transaction(async (tx) => {
    await resolve(deps, tx, [row('S2', phone('13900000002'))], later)
    erasing = db.transaction((other) => erasePerson(deps, other, second?.personId ?? 0, by))
    await somebodyWaits()
  })
  expect(await erasing).toEqual({ profiles: 2 })
  expect(await db.rows(sql`select from profile`)).toEqual([])
})

/** Resolves when somebody waits for a lock. */
async function somebodyWaits(): Promise<void> {
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await db.rows(waiting)).length === 0);
}

test('a number that others are known not to have, or have in a remark only, is marked with its owner', async () => {
  const number = phone('13900000001')
  await bring([row('K1', number)])
  await bring([row('K2', unionid('u2'))], { source: 'shop' })
  await bring([row('K2', unionid('u2'), number)], { source: 'shop' })
  const guessed = row(
    'wo1',
    { kind: 'external_userid', value: 'wo1', scope: 'corp' },
    { ...number, hint: true },
  )
  await bring([guessed], { source: 'wecom' })
  const by = { actor: null, at: clock.now() }
  const { id } = await db.row<{ id: string }>(sql`select id from merge`)
  await db.transaction((tx) => undoMerge(deps, tx, id, by))
  const states = () => db.rows(sql`select state from identifier where kind = 'phone' order by 1`)
  const { guesser } = await db.row<{ guesser: number }>(sql`
    select profile_id as guesser from identifier where kind = 'phone' and state = 'hint'`)
  const sealed = async () =>
    Object.values((await openSecrets(db, deps.keys, [guesser])).get(guesser) ?? {}).sort()
  expect(await sealed()).toEqual(['+8613900000001', 'wo1'])
  expect(await states()).toEqual([{ state: 'active' }, { state: 'disowned' }, { state: 'hint' }])
  const own = await db.row<{ id: number }>(sql`
    select person_id as id from profile p join identifier i on i.profile_id = p.id where i.kind = 'phone' and i.state = 'active'`)
  await db.transaction((tx) => erasePerson(deps, tx, own.id, by))

  const again = db.transaction((tx) => resolve(deps, tx, [row('K9', number)], how({ source: 'till' })))
  expect(await again).toEqual([null])
  expect(await states()).toEqual([{ state: 'disowned' }])
  // Nor does the copy that was sealed with the record of whom the remark was about.
  expect(await sealed()).toEqual(['wo1'])
  await bring([guessed], { source: 'wecom', at: instant('2026-03-02T02:00:00Z') })
  expect(await states()).toEqual([{ state: 'disowned' }])
})

test('of two words about one person at once both stand, and a phone in a remark proposes its owner', async () => {
  const staffId = '00000000-0000-7000-8000-0000000000b1'
  await db.run(
    sql`insert into staff (id, login, name, created_at) values (${staffId}, 'b1', '导购', ${clock.now()})`,
  )
  const [contact, owner] = await bring([row('1', card('C1')), row('2', phone('13812345679'))])
  const personId = contact?.personId ?? 0
  const remark = { staffId, externalUserid: 'wo1', remark: '老客 13812345679', addedAt: clock.now() }
  const words = [
    { personId, attributes: { address: '一号路' }, relations: [remark] },
    { personId, attributes: { city: '杭州' } },
  ]
  expect(await db.transaction((tx) => tell(deps, tx, words, how({ source: 'console' })))).toBe(1)
  const sealed = (await openSecrets(db, deps.keys, [personId])).get(personId)
  expect(Object.values(sealed ?? {})).toEqual(expect.arrayContaining(['一号路', '+8613812345679']))
  expect(await db.row(sql`select city from person where id = ${personId}`)).toEqual({ city: '杭州' })
  expect(
    await db.rows(sql`select kind, state from identifier where profile_id = ${personId} and state = 'hint'`),
  ).toEqual([{ kind: 'phone', state: 'hint' }])
  expect(await db.rows(sql`select profiles from review where kind = 'fuzzy'`)).toEqual([
    { profiles: [personId, owner?.profileId] },
  ])
})
