/** From an imported file to the coverage of the groups of level S that every brand has. */
import { expect, test } from 'vitest'
import { audienceWorld, settleAll } from '../../../test/support/audience-world.ts'
import { fileOf, importWorld } from '../../../test/support/imports.ts'
import { importFile } from '../../events/import/import-file.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { listTagGroups, listTags, removeTags, setTags, tagsOf } from '../audience.ts'

const world = await audienceWorld()
const imports = await importWorld(world.db)
const now = imports.clock.now()
const guide = { producer: 'guide', origin: 'manual', at: now, reason: '当面确认' } as const
const [GENDER, FEMALE, MALE] = [2, 7, 8]

async function bring(name: string, content: string, kind: 'members' | 'contacts', at = now): Promise<void> {
  const { run } = await importFile(imports, { file: await fileOf(imports, name, content), kind, now: at })
  expect(run).toMatchObject({ state: 'imported', counts: { rejected: 0 } })
  await settleAll(world, at)
}

async function personCalled(name: string): Promise<number> {
  return (
    await world.db.row<{ id: number }>(sql`select id from person where name = ${name} and state = 'live'`)
  ).id
}

async function valuesOf(name: string): Promise<(string | null)[]> {
  return (await tagsOf(world.db, await personCalled(name))).values.map(({ value }) => value)
}

async function coverage(): Promise<Record<string, [covered: number | null, unknown: number | null]>> {
  const groups = (await listTagGroups(world.db)).filter(({ level }) => level === 'S')
  return Object.fromEntries(groups.map(({ name, covered, unknown }) => [name, [covered, unknown]]))
}

test('an import of members fills 来客渠道 and 性别: everybody has one value, the most telling that the file gives', async () => {
  await bring(
    'members.csv',
    `会员编号,姓名,性别,来源,注册渠道,手机号
1,甲,女,自然流量,天猫旗舰店,13812345671
2,乙,男,老带新,百度推广,13812345672
3,丙,,,直营店,13812345673
4,丁,女,天猫,,13812345674
5,戊,保密,,加盟商,13812345675
6,己,,,线下,13812345676
7,庚,,,朋友说的,13812345677
`,
    'members',
  )
  expect(await valuesOf('甲')).toEqual(['电商平台', '女'])
  expect(await valuesOf('乙')).toEqual(['SEO广告', '男'])
  expect(await valuesOf('丙')).toEqual(['直营店', null])
  expect(await valuesOf('丁')).toEqual(['电商平台', '女'])
  expect(await valuesOf('戊')).toEqual(['代理商', null])
  expect(await valuesOf('己')).toEqual(['线下', null])
  expect(await valuesOf('庚')).toEqual([null, null])
  expect(await coverage()).toEqual({ 来客渠道: [6, 1], 性别: [3, 4] })
  const sides = await world.db.row(
    sql`select register_channel as side, source_side as "sourceSide" from person where name = '甲'`,
  )
  expect(sides).toEqual({ side: 'online', sourceSide: 'online' })
  const persons = (await listTags(world.db, { groupId: GENDER })).map((tag) => [tag.name, tag.persons])
  expect(persons).toEqual([
    ['女', 2],
    ['男', 1],
  ])
})

test('contacts of WeCom bring their gender, and the way of adding where it tells of a channel', async () => {
  await bring(
    'contacts.csv',
    `外部联系人ID,昵称,性别,添加方式,跟进人,添加时间
wm1,子,女,16,张三,2025-05-01
wm2,丑,男,获客链接,张三,2025-05-01
wm3,寅,未知,扫描二维码,张三,2025-05-01
`,
    'contacts',
  )
  expect(await valuesOf('子')).toEqual(['线上', '女'])
  expect(await valuesOf('丑')).toEqual(['线上', '男'])
  // Nothing tells of a channel: recruited by a guide, so in a shop.
  expect(await valuesOf('寅')).toEqual(['线下', null])
  expect(await coverage()).toEqual({ 来客渠道: [9, 1], 性别: [5, 5] })
})

test('a guide is believed before the file, a tag of WeCom too; a newer file moves only who nobody spoke of', async () => {
  const [first, second] = [await personCalled('甲'), await personCalled('丁')]
  const say = (personId: number, tagId: number, how: Parameters<typeof setTags>[2]) =>
    world.db.transaction((tx) => setTags(tx, [{ personId, tagId }], how))
  await say(first, MALE, guide)
  await say(second, MALE, { producer: 'system', origin: 'synced', at: now })
  await settleAll(world, now)
  expect(await valuesOf('甲')).toEqual(['电商平台', '男'])
  expect(await valuesOf('丁')).toEqual(['电商平台', '男'])
  await bring(
    'again.csv',
    '会员编号,性别,手机号\n1,女,13812345671\n2,女,13812345672\n4,女,13812345674\n',
    'members',
    new Date(now.getTime() + 86_400_000),
  )
  expect((await valuesOf('甲'))[1]).toBe('男')
  expect((await valuesOf('乙'))[1]).toBe('女')
  expect((await valuesOf('丁'))[1]).toBe('男')
  await world.db.transaction((tx) => removeTags(tx, [{ personId: first, tagId: MALE }], guide))
  expect((await valuesOf('甲'))[1]).toBe('女')
  expect((await listTags(world.db, { id: FEMALE }))[0]?.persons).toBe(3)
})
