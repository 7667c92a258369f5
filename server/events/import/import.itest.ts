import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { emptyImports, fileOf, importWorld } from '../../../test/support/imports.ts'
import { untilSomebodyWaits } from '../../../test/support/lock-waits.ts'
import { plansOf } from '../../../test/support/plans.ts'
import { StringTable, writeXlsx } from '../../../test/support/xlsx.ts'
import { auditBase } from '../../members/base-audit.ts'
import { erasePerson } from '../../members/erase.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { firstRejected, mapColumns, rejectedText, show, startCheck, startImport } from './import.ts'
import { type ImportFile, importFile, undoImport } from './import-file.ts'
import { forgetImports, importLoop } from './jobs.ts'
import { placesInOrders } from './store-places.ts'
import { preview, receiveUpload } from './upload.ts'

const db = await testDatabase()
const world = await importWorld(db)

beforeEach(() => emptyImports(db))

async function bring(name: string, content: string | Uint8Array, more: Partial<ImportFile> = {}) {
  return importFile(world, { file: await fileOf(world, name, content), now: world.clock.now(), ...more })
}

const ORDERS = `订单号,手机号,下单时间,商品编码,商品名称,数量,单价,门店,导购
A1,13812345671,2025-01-02 10:00,S1,毛巾,2,¥10.00,万象城店,王芳
A2,13812345672,2025-01-03 11:00,S2,浴巾,1,"1,200.00",万象城店,王芳
A1,13812345671,2025-01-02 10:00,S2,浴巾,1,50,万象城店,王芳
A3,,2025-01-04,S1,毛巾,1,10,国贸店,李雷
A1,13812345671,2025-01-02 10:00,S1,毛巾,-1,10,万象城店,王芳
A4,13812345671,昨天,S1,毛巾,1,10,国贸店,李雷
`

/** Everything that counts: orders as they stand, and persons with what is known of them. */
async function standing(): Promise<unknown> {
  return {
    orders: await db.rows(sql`
      select source, external_id, at, total_cents, refunded_cents, body - 'storeId' - 'sellerId' as body, profile_id is null as nobody
      from document where kind = 'order' and not deleted order by source, external_id`),
    people: await db.rows(sql`
      select kind, name, gender, birthday, city, joined_at, source, identifiers, attributes, wecom, consents, phone
      from person where state = 'live' order by joined_at, name, identifiers::text, public_id`),
  }
}

test('whoever stood still for so long that another process went on with the import follows that one', async () => {
  const rows = Array.from(
    { length: 11_000 },
    (_, n) => `O${n},1381234${String(n % 5000).padStart(4, '0')},2025-01-02,10`,
  )
  const file = await fileOf(world, 'overtaken.csv', `订单号,手机号,下单时间,金额\n${rows.join('\n')}\n`)
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  let waiting = 0
  const frozen = {
    ...world,
    resolve: async (...given: Parameters<typeof world.resolve>) => {
      waiting += 1
      await gate
      return world.resolve(...given)
    },
  }
  const first = importFile(frozen, { file, now: world.clock.now() })
  await expect.poll(() => waiting, { timeout: 120_000 }).toBe(1)
  // Waits for the chunk that is open, and is the next to act.
  const overtaken = db.run(
    sql`update lease set token = token + 1, holder = 'another', expires_at = '-infinity' where name like 'import:%'`,
  )
  await untilSomebodyWaits(db, { whatWaits: overtaken })
  open()
  const [{ run }] = await Promise.all([first, overtaken])
  expect([run.state, run.counts.accepted, run.failure]).toEqual(['imported', 11_000, null])
  expect(await db.row(sql`select count(*)::int as n from document where kind = 'order'`)).toEqual({
    n: 11_000,
  })
})

test('whoever imports what another process already works on follows that one to the end', async () => {
  const file = await fileOf(world, 'followed.csv', ORDERS)
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const slow = {
    ...world,
    resolve: async (...given: Parameters<typeof world.resolve>) => gate.then(() => world.resolve(...given)),
  }
  const first = importFile(slow, { file, now: world.clock.now() })
  await expect
    .poll(() => db.rows(sql`select stage from import_run`), { timeout: 120_000 })
    .toEqual([{ stage: 'writing' }])
  const told: string[] = []
  const second = importFile(world, {
    file,
    now: world.clock.now(),
    onProgress: ({ stage }) => told.push(stage),
  })
  await expect.poll(() => told.length, { timeout: 120_000 }).toBeGreaterThan(0)
  open()
  const [one, other] = await Promise.all([first, second])
  expect(other.run).toEqual(one.run)
  expect(other.run.state).toBe('imported')
  expect(await db.rows(sql`select state from import_run`)).toEqual([{ state: 'imported' }])
})

test('who is erased while an import runs gets none of the orders that follow', async () => {
  const rows = Array.from({ length: 8000 }, (_, n) => `E${n},13812345699,2025-01-02,10`)
  const file = await fileOf(world, 'erased.csv', `订单号,手机号,下单时间,金额\n${rows.join('\n')}\n`)
  let written: { orders: number } | undefined
  // Asked from the second chunk on, which remembers the buyer of the first.
  const profilesThere: typeof world.profilesThere = async (tx, ids) => {
    if (!written) {
      written = await db.row<{ orders: number }>(sql`select count(*)::int as orders from document`)
      const { id } = await db.row<{ id: number }>(sql`select id from person where state = 'live'`)
      const by = { actor: null, at: world.clock.now() }
      await db.transaction((other) => erasePerson({ keys: world.keys, followers: [] }, other, id, by))
    }
    return world.profilesThere(tx, ids)
  }
  const { run } = await importFile({ ...world, profilesThere }, { file, now: world.clock.now() })
  expect(written?.orders).toBeGreaterThan(0)
  expect(
    await db.row(sql`
      select count(*)::int as orders, count(person_id)::int as "withBuyer" from document where kind = 'order'`),
  ).toEqual({ orders: 8000, withBuyer: written?.orders })
  expect(run.counts.ordersWithoutBuyer).toBe(8000 - (written?.orders ?? 0))
})

describe('orders', () => {
  test('lines that stand apart are one order, a bad row is told, the rest goes in', async () => {
    const { run } = await bring('orders.csv', ORDERS)
    expect(run).toMatchObject({ state: 'imported', kind: 'orders' })
    expect(run.counts).toMatchObject({
      read: 6,
      accepted: 5,
      rejected: 1,
      reasons: { not_a_date: 1 },
      created: 3,
      orders: 3,
      ordersWithoutBuyer: 1,
      people: 2,
      peopleCreated: 2,
      storesCreated: 2,
    })
    const rows = await db.rows(sql`
      select external_id as id, total_cents as total, refunded_cents as refunded, at, profile_id is null as nobody,
        s.name as store, t.name as seller
      from document d left join store s on s.id = (d.body->>'storeId')::uuid left join staff t on t.id = (d.body->>'sellerId')::uuid
      where kind = 'order' order by 1`)
    expect(rows).toEqual([
      {
        id: 'A1',
        total: 7000,
        refunded: 1000,
        at: new Date('2025-01-02T02:00:00Z'),
        nobody: false,
        store: '万象城店',
        seller: '王芳',
      },
      {
        id: 'A2',
        total: 120_000,
        refunded: 0,
        at: new Date('2025-01-03T03:00:00Z'),
        nobody: false,
        store: '万象城店',
        seller: '王芳',
      },
      {
        id: 'A3',
        total: 1000,
        refunded: 0,
        at: new Date('2025-01-03T16:00:00Z'),
        nobody: true,
        store: '国贸店',
        seller: '李雷',
      },
    ])
    expect(await firstRejected(world, run.id, 10)).toEqual([
      { row: 7, column: '下单时间', value: '昨天', reason: 'not_a_date' },
    ])
  })

  test('the same file again changes nothing, nor does it in another order', async () => {
    await bring('orders.csv', ORDERS)
    const before = await db.rows(sql`select external_id, version, digest, body from document order by 1`)
    const events = await db.row(sql`select count(*) as n from event_log`)
    const [head = '', ...lines] = ORDERS.trim().split('\n')
    for (const text of [ORDERS, [head, ...lines.reverse()].join('\r\n')]) {
      const { run } = await bring('again.csv', text)
      expect(run.counts).toMatchObject({
        created: 0,
        changed: 0,
        unchanged: 3,
        peopleCreated: 0,
        storesCreated: 0,
      })
    }
    expect(await db.rows(sql`select external_id, version, digest, body from document order by 1`)).toEqual(
      before,
    )
    expect(await db.row(sql`select count(*) as n from event_log`)).toEqual(events)
  })

  test('rows without a number are told apart by what they say and how often they say it', async () => {
    const text = '会员编号,日期,金额\n1,20250102,12.00\n1,20250102,12.00\n2,20250103,5\n'
    const first = await bring('a.csv', text, { kind: 'orders' })
    expect(first.run.counts).toMatchObject({ created: 3, peopleCreated: 2 })
    expect((await bring('b.csv', text, { kind: 'orders' })).run.counts).toMatchObject({
      created: 0,
      changed: 0,
      unchanged: 3,
    })
    expect((await bring('c.csv', `${text}1,20250102,12.00\n`, { kind: 'orders' })).run.counts).toMatchObject({
      created: 1,
      unchanged: 3,
    })
  })

  test('refunds that come in another file, before or after their order, reduce it once', async () => {
    const refunds =
      '订单号,原订单号,下单时间,商品编码,数量,单价\nR1,A2,2025-02-01,S2,1,100\nR2,A9,2025-02-01,S1,1,4\n'
    await bring('orders.csv', ORDERS)
    for (let time = 0; time < 2; time += 1) await bring('refunds.csv', refunds, { kind: 'orders' })
    await bring('orders.csv', ORDERS)
    await bring('late.csv', ORDERS.split('\n').slice(0, 2).join('\n').replaceAll('A1', 'A9'))
    const rows = await db.rows(
      sql`select external_id as id, refunded_cents as refunded from document where kind = 'order' and not deleted order by 1`,
    )
    expect(rows).toEqual([
      { id: 'A1', refunded: 1000 },
      { id: 'A2', refunded: 10_000 },
      { id: 'A3', refunded: 0 },
      { id: 'A9', refunded: 400 },
    ])
  })

  test('an imported order is bulk: it can set nothing off', async () => {
    await bring('orders.csv', ORDERS)
    expect(await db.rows(sql`select distinct lane from event_log`)).toEqual([{ lane: 1 }])
  })

  test('a workbook with dates by style, numbers as phones and a cut phone', async () => {
    const strings = new StringTable()
    const path = join(world.dataFolder, 'orders.xlsx')
    const head = ['订单号', '手机号', '下单时间', '商品编码', '数量', '单价'].map((text) =>
      strings.cell(text),
    )
    await writeXlsx(path, {
      formats: [22],
      rows: [
        head,
        [
          strings.cell('X1'),
          { number: 13_812_345_671 },
          { number: 45659.4375, style: 1 },
          strings.cell('S1'),
          { number: 2 },
          { number: 9.99 },
        ],
        [
          strings.cell('X2'),
          { text: '1.38E+10' },
          { number: 45659.4375, style: 1 },
          strings.cell('S1'),
          { number: 2 },
          { number: 9.99 },
        ],
      ],
      strings: () => strings.values(),
    })
    const { run } = await importFile(world, { file: path, now: world.clock.now() })
    expect(run.counts).toMatchObject({ created: 1, rejected: 1, reasons: { scientific_notation: 1 } })
    expect(await db.row(sql`select at, total_cents as total from document`)).toEqual({
      at: new Date('2025-01-02T02:30:00Z'),
      total: 1998,
    })
  })
})

const MEMBERS = `会员编号,姓名,手机号,性别,生日,注册时间,门店,来源,接受短信,爱好
M1,张三,13812345671,男,1990-05-06,2024-01-02,万象城店,导购招募,是,钓鱼
M2,李四,13812345672,女,,2024-02-03,国贸店,自然流量,否,
M3,王五,138****5673,,,2024-02-04,国贸店,,,
,赵六,,,,2024-02-05,国贸店,,,
,赵六,,,,2024-02-05,国贸店,,,
M4,孙七,13812345674,外星人,,2024-02-05,国贸店,,,
`

describe('members', () => {
  test('go in with what is known, wrong phones are counted, bad rows told', async () => {
    const { run } = await bring('members.csv', MEMBERS, { kind: 'members' })
    expect(run.counts).toMatchObject({
      read: 6,
      accepted: 5,
      rejected: 1,
      created: 5,
      invalidPhones: 1,
      reasons: { unknown_word: 1 },
      storesCreated: 2,
    })
    const [zhang] = await db.rows<Record<string, unknown>>(sql`
      select p.kind, p.gender, p.birthday, p.joined_at, p.source, p.consents, s.name as store
      from person p join store s on s.id = p.home_store_id where p.name = '张三'`)
    expect(zhang).toEqual({
      kind: 'member',
      gender: 'male',
      birthday: '1990-05-06',
      joined_at: new Date('2024-01-01T16:00:00Z'),
      source: 'guide_recruited',
      consents: { sms: 'granted' },
      store: '万象城店',
    })
    expect(await db.rows(sql`select phone from person where name = '王五'`)).toEqual([{ phone: 'invalid' }])
    expect((await bring('members.csv', MEMBERS, { kind: 'members' })).run.counts).toMatchObject({
      created: 0,
      changed: 0,
      unchanged: 5,
    })
  })

  test('a phone that cannot exist is counted, in the result and in the audit, and joins or names nobody', async () => {
    const text = `姓名,手机号,城市
甲,12345,杭州
乙,12345,杭州
甲,12345,宁波
丙,1381234567,杭州
丁,13800138000,杭州
戊,13812345679,杭州
`
    const { run } = await bring('wrong.csv', text, { kind: 'members' })
    expect(run.counts).toMatchObject({ read: 6, rejected: 0, created: 6, peopleCreated: 6, invalidPhones: 5 })
    const audited = await auditBase(db)
    expect(audited).toMatchObject({ persons: 6, phones: { valid: 1, invalid: 5, missing: 0 } })
    expect(await db.rows(sql`select links from identifier where not valid`)).toEqual(
      Array.from({ length: 5 }, () => ({ links: false })),
    )
    expect((await bring('wrong.csv', text, { kind: 'members' })).run.counts).toMatchObject({
      created: 0,
      unchanged: 6,
    })
    const orders = await bring(
      'orders.csv',
      '订单号,手机号,下单时间,金额\nA1,12345,2025-01-02,10\nA2,13812345679,2025-01-02,10\n',
    )
    expect(orders.run.counts).toMatchObject({ created: 2, ordersWithoutBuyer: 1, peopleCreated: 0 })
  })

  test('an order by phone belongs to the member with that phone', async () => {
    await bring('members.csv', MEMBERS, { kind: 'members' })
    const { run } = await bring('orders.csv', ORDERS)
    expect(run.counts.peopleCreated).toBe(0)
    const rows = await db.rows(
      sql`select p.name, count(*) as n from document d join profile f on f.id = d.profile_id join person p on p.id = f.person_id group by 1 order by 1`,
    )
    expect(rows).toEqual([
      { name: '张三', n: 1 },
      { name: '李四', n: 1 },
    ])
  })

  test('GB18030 with tabs', async () => {
    // 会员编号\t姓名\nM1\t张三\n as a Chinese Windows writes it
    const { run, columns } = await bring(
      'gb.txt',
      Buffer.from('bbe1d4b1b1e0bac509d0d5c3fb0a4d3109d5c5c8fd0a', 'hex'),
      { kind: 'members' },
    )
    expect(columns.map((column) => column.field)).toEqual(['memberNo', 'name'])
    expect(run.counts).toMatchObject({ created: 1 })
    expect(await db.row(sql`select name from person`)).toEqual({ name: '张三' })
  })
})

describe('contacts', () => {
  const CONTACTS = `客户昵称,备注,添加人账号,添加人,添加时间,添加方式,external_userid
小张,张三13812345671,wangfang,王芳,2025-01-01 09:00,扫码,wmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1
小张,张总,lilei,李雷,2025-02-01 09:00,名片,wmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1
小李,,wangfang,王芳,,扫码,wmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2
`

  test('one contact of two guides is one person with two relations; a phone in a remark only proposes', async () => {
    await bring('members.csv', MEMBERS, { kind: 'members' })
    const { run } = await bring('contacts.csv', CONTACTS)
    expect(run).toMatchObject({ kind: 'contacts', source: 'wecom' })
    expect(run.counts).toMatchObject({ read: 3, accepted: 3, created: 2 })
    const rows = await db.rows(
      sql`select s.login, s.wecom_user_id as wecom, r.external_userid as contact from relation r join staff s on s.id = r.staff_id order by 1, 3`,
    )
    expect(rows).toMatchObject([
      { login: 'lilei', wecom: 'lilei' },
      { login: 'wangfang' },
      { login: 'wangfang' },
    ])
    expect(await db.row(sql`select count(*) as n from person where state = 'live'`)).toEqual({ n: 7 })
    expect((await bring('contacts.csv', CONTACTS)).run.counts).toMatchObject({ created: 0, changed: 0 })
  })
})

describe('undo', () => {
  test('leaves everything as it was before, and says what it could not touch', async () => {
    await bring('members.csv', MEMBERS, { kind: 'members' })
    await bring('orders.csv', ORDERS)
    const before = await standing()
    world.clock.advance({ hours: 1 })
    const changed = ORDERS.replace('S2,浴巾,1,50', 'S2,浴巾,2,50').replace('A3,,', 'A3,13999999999,')
    const { run } = await bring('changed.csv', `${changed}A5,13888888888,2025-03-01,S1,毛巾,1,10,新店,新人\n`)
    expect(run.counts).toMatchObject({ created: 1, changed: 2, unchanged: 1, peopleCreated: 2 })
    expect(await standing()).not.toEqual(before)
    world.clock.advance({ hours: 1 })
    const undone = await undoImport(world, run.id, world.clock.now())
    expect(undone).toMatchObject({ state: 'undone', counts: { kept: 0 } })
    expect(await standing()).toEqual(before)
  })

  test('an order that somebody changed since then stays', async () => {
    const { run } = await bring('orders.csv', ORDERS)
    world.clock.advance({ hours: 1 })
    await bring('later.csv', ORDERS.replace('S2,浴巾,1,50', 'S2,浴巾,2,50'))
    world.clock.advance({ hours: 1 })
    expect(await undoImport(world, run.id, world.clock.now())).toMatchObject({ counts: { kept: 1 } })
    expect(await db.rows(sql`select external_id as id from document where not deleted`)).toEqual([
      { id: 'A1' },
    ])
  })

  test('takes stores and guides away that it alone added, and leaves those that anything else uses', async () => {
    const places = async (): Promise<unknown> => ({
      stores: (await db.rows<{ name: string }>(sql`select name from store order by 1`)).map(
        ({ name }) => name,
      ),
      staff: (await db.rows<{ name: string }>(sql`select name from staff order by 1`)).map(
        ({ name }) => name,
      ),
    })
    const head = '会员编号,姓名,手机号,门店,导购\n'
    const order = '订单号,手机号,下单时间,金额,门店,导购\n'
    const first = await bring(
      'first.csv',
      `${head}M1,张三,13812345671,甲店,王芳\nM2,李四,13812345672,乙店,李雷\nM3,王五,13812345673,丙店,韩梅\nM4,赵六,13812345674,丁店,林涛\nM5,孙七,13812345675,戊店,露西\nM6,周八,13812345676,己店,何琳\n`,
      { kind: 'members' },
    )
    world.clock.advance({ hours: 1 })
    // An order names 乙店 and 李雷, another file 丙店, whose word a third has overruled since; 丁店 was renamed by hand.
    await bring('orders.csv', `${order}A1,13812345672,2025-01-02,10,乙店,李雷\n`)
    await bring('second.csv', '会员编号,姓名,门店\nN1,外人,丙店\n', { kind: 'members', source: 'crm' })
    world.clock.advance({ hours: 1 })
    await bring('third.csv', '会员编号,姓名,门店\nN1,外人,乙店\n', { kind: 'members', source: 'crm' })
    await db.run(sql`update store set name = '丁字店', version = 2 where name = '丁店'`)
    await db.run(sql`update staff set password_hash = 'x' where name = '露西'`)
    const at = world.clock.now()
    await db.run(sql`
      insert into touch (id, person_id, channel, class, content_id, sender_id, offered_at, not_before, expires_at, state)
      select gen_random_uuid(), p.person_id, 'wecom', 'marketing', gen_random_uuid(), staff.id, ${at}, ${at}, ${at}, 'delivered'
      from profile p, staff where p.source = 'crm' and staff.name = '何琳'`)
    world.clock.advance({ hours: 1 })
    expect(await undoImport(world, first.run.id, world.clock.now())).toMatchObject({ state: 'undone' })
    // 戊店 stays for 露西, who can sign in and belongs to it, 己店 for 何琳, who wrote to a member.
    expect(await places()).toEqual({
      stores: ['丁字店', '丙店', '乙店', '戊店', '己店'].sort(),
      staff: ['何琳', '李雷', '露西'].sort(),
    })
    expect(await db.rows(sql`select from import_place where import_id = ${first.run.id}`)).toEqual([])
    const told = await db.rows(
      sql`select action, count(*)::int as n from audit_trail
      where action like '%import_undone' and at = ${world.clock.now()} group by 1 order by 1`,
    )
    expect(told).toEqual([
      { action: 'staff.import_undone', n: 3 },
      { action: 'store.import_undone', n: 1 },
    ])
  })

  test('looks for them among the orders that were written since it began', async () => {
    const since = world.clock.now()
    const made = { stores: ['00000000-0000-7000-8000-000000000001'], staff: [] }
    await db.run(sql`
      insert into document (kind, source, external_id, version, digest, at, body, recorded_at)
      select 'order', 'erp', n::text, 1, '', ${since}, '{}', ${since}::timestamptz - interval '1 year' from generate_series(1, 20000) n`)
    await db.run(sql`vacuum analyze document`)
    expect(await plansOf(db, (explaining) => placesInOrders(explaining, made, since))).toContain(
      'document_recorded',
    )
  })

  test('leaves them while another import is under way, which may name them at any moment', async () => {
    const first = await bring('first.csv', '会员编号,姓名,门店\nM1,张三,甲店\n', { kind: 'members' })
    await bring('other.csv', '会员编号,姓名,门店\nM2,李四,乙店\n', { kind: 'members' })
    await db.run(
      sql`update import_run set state = 'importing', stage = 'writing' where id <> ${first.run.id}`,
    )
    await undoImport(world, first.run.id, world.clock.now())
    expect(await db.rows(sql`select name from store where name = '甲店'`)).toHaveLength(1)
  })

  test('is possible for 30 days', async () => {
    const { run } = await bring('orders.csv', ORDERS)
    const later = new Date(world.clock.now().getTime() + 31 * 86_400_000)
    await expect(undoImport(world, run.id, later)).rejects.toMatchObject({ code: 'gone' })
  })
})

test('progress only grows, from the bytes read to the rows written, and promises no time that is over', async () => {
  const lines = Array.from({ length: 20_000 }, (_, row) => `R${row},2025-01-02,${row}`)
  const told: { done: number; left: number | null; stage: string }[] = []
  await bring('long.csv', `订单号,下单时间,金额\n${lines.join('\n')}\n`, {
    onProgress: ({ done, secondsLeft, stage }) => told.push({ done, left: secondsLeft, stage }),
  })
  expect(told.length).toBeGreaterThan(3)
  const shares = told.map(({ done }) => done)
  expect(shares).toEqual([...shares].sort((a, b) => a - b))
  expect(shares.at(-1)).toBe(1)
  for (const { left } of told) expect(left ?? 0).toBeGreaterThanOrEqual(0)
})

describe('dry run', () => {
  test('says what would happen and changes nothing', async () => {
    await bring('orders.csv', ORDERS)
    const before = await db.rows(sql`select external_id, version from document order by 1`)
    const text = `${ORDERS.replace('S2,浴巾,1,50', 'S2,浴巾,2,50')}A5,13888888888,2025-03-01,S1,毛巾,1,10,新店,新人\n`
    const { run } = await bring('dry.csv', text, { dryRun: true })
    expect(run).toMatchObject({
      state: 'checked',
      forecast: {
        read: 7,
        rejected: 1,
        created: 1,
        changed: 1,
        unchanged: 2,
        peopleCreated: 1,
        storesCreated: 1,
      },
    })
    expect(await db.rows(sql`select external_id, version from document order by 1`)).toEqual(before)
    expect(await db.row(sql`select count(*) as n from store where name = '新店'`)).toEqual({ n: 0 })
  })
})

describe('by pages', () => {
  test('upload, preview, mapping, dry run, import by the loop, rejected rows, files removed', async () => {
    const body = (async function* () {
      yield Buffer.from(ORDERS.replace('订单号', '编号X'))
    })()
    const first = await receiveUpload(world, {
      name: '../orders.csv',
      body,
      by: null,
      now: world.clock.now(),
    })
    expect(first.run).toMatchObject({ state: 'uploaded', kind: 'orders', fileName: 'orders.csv' })
    expect(first.columns[0]).toMatchObject({
      heading: '编号X',
      field: null,
      samples: ['A1', 'A2', 'A3', 'A4'],
    })
    const columns = first.columns.map(({ heading, field }) => ({
      heading,
      field: heading === '编号X' ? 'orderNo' : field,
    }))
    const given = {
      id: first.run.id,
      kind: 'orders',
      source: 'file',
      mapping: { columns, defaults: {} },
      format: {},
      saveAs: '收银系统',
      by: null,
      now: world.clock.now(),
    } as const
    const mapped = await mapColumns(world, { ...given, version: 1 })
    await expect(mapColumns(world, { ...given, version: 1 })).rejects.toMatchObject({ code: 'stale_version' })
    expect((await preview(world, mapped.id)).savedMapping).toMatchObject({ name: '收银系统' })
    const loop = importLoop(world)
    const held = { lease: 'imports', token: 1, signal: new AbortController().signal }
    await startCheck(world, mapped.id, world.clock.now())
    expect(await loop.work(held)).toBe(1)
    expect(await show(world, mapped.id)).toMatchObject({
      state: 'checked',
      forecast: { created: 3, rejected: 1 },
      counts: { created: 0 },
    })
    await startImport(world, mapped.id, world.clock.now())
    await loop.work(held)
    expect(await show(world, mapped.id)).toMatchObject({
      state: 'imported',
      done: 1,
      counts: { created: 3, rejected: 1 },
    })
    await expect(startImport(world, mapped.id, world.clock.now())).rejects.toMatchObject({
      code: 'not_ready',
    })
    let text = ''
    for await (const part of rejectedText(world, mapped.id)) text += part
    expect(text).toBe('\uFEFFrow,column,value,reason\r\n7,下单时间,昨天,not_a_date\r\n')
    const folder = join(world.folder, mapped.id)
    expect(await readdir(folder)).toEqual(['rejects'])
    expect((await readFile(join(folder, 'rejects'))).includes('昨天')).toBe(false)
    await forgetImports(world, new Date(world.clock.now().getTime() + 31 * 86_400_000))
    await expect(rejectedText(world, mapped.id).next()).rejects.toMatchObject({ code: 'gone' })
  })

  test('rows in are rows accepted and rows rejected, each rejected row with its number', async () => {
    const rows = Array.from(
      { length: 6000 },
      (_, n) =>
        `B${n},1381234${String(n % 500).padStart(4, '0')},${n % 97 === 0 ? 'nie' : '2025-01-02'},S1,毛巾,1,${n % 89 === 0 ? 'x' : '10'},店,`,
    )
    const bad = rows.flatMap((_, n) => (n % 97 === 0 || n % 89 === 0 ? [n + 2] : []))
    const { run } = await bring('many.csv', `${ORDERS.split('\n')[0]}\n${rows.join('\n')}\n`)
    expect(run.counts).toMatchObject({ read: 6000, accepted: 6000 - bad.length, rejected: bad.length })
    const told = await firstRejected(world, run.id, 100_000)
    expect([...new Set(told.map((row) => row.row))]).toEqual(bad)
    expect(await db.row(sql`select count(*) as n from document`)).toEqual({ n: 6000 - bad.length })
  })
})
