/** The demo brand on real engines: written, evaluated, lived in for some days, taken out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPurchase } from '../../contract/events.ts'
import { bandOf, boughtStates, defaultEdges } from '../../contract/lifecycle.ts'
import { type TestApp, testApp } from '../../test/support/app.ts'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { endLoops, untilQuiet } from '../../test/support/demo.ts'
import { listTagGroups, listTags } from '../audience/audience.ts'
import { membersDeps } from '../joined.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { newId } from '../platform/ids.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { dayNumber } from '../platform/time/zone.ts'
import { seedDemo } from './demo.ts'
import { demoPlaces } from './organisation.ts'
import { askForRemoval, sweepRemoved } from './removal.ts'
import { DEMO_BIT } from './removal-store.ts'
import { demoMember, ordersOf } from './seed.ts'
import { readDemo } from './store.ts'

const MEMBERS = 400
const SEED = 'test'
/** Monday, 09:00 in China. */
const BEGIN = '2026-03-02T01:00:00Z'
const ZONE = 'Asia/Shanghai'

let db: Database
let clickhouse: ClickHouse
let here: TestApp

beforeAll(async () => {
  db = await testDatabase()
  clickhouse = await testClickHouse()
  here = await testApp(db, { clickhouse, at: BEGIN })
  const members = membersDeps(here.parts.stores.keyring)
  await seedDemo({ db, members }, { now: here.clock.now(), members: MEMBERS, seed: SEED })
})

afterAll(async () => {
  await endLoops(here)
})

const count = async (from: string): Promise<number> =>
  (await db.row<{ rows: number }>(sql`select count(*)::int as rows from ${trusted(from)}`)).rows

describe('written and evaluated', () => {
  beforeAll(async () => {
    // The present SOP opens one step after everybody is evaluated.
    for (let step = 0; step < 4; step += 1) await untilQuiet(here)
  }, 180_000)

  test('the brand lives once everybody is evaluated', async () => {
    expect(await readDemo(db)).toMatchObject({ state: 'living', members: MEMBERS, seeded: MEMBERS })
  })

  test('orders, money and last purchases agree in what was made up, PostgreSQL and ClickHouse', async () => {
    const places = await demoPlaces(db)
    const began = here.clock.now()
    const orders = Array.from({ length: MEMBERS }, (_, index) =>
      ordersOf(SEED, demoMember(SEED, index + 1, places, instant(BEGIN)), began),
    )
    const all = orders.flat()
    const total = all.reduce((sum, order) => sum + order.totalCents, 0)
    const documents = await db.row<{ orders: number; total: number }>(sql`
      select count(*)::int as orders, sum(total_cents)::bigint as total from document
      where kind = 'order' and not deleted and external_id like 'M%'`)
    expect(documents).toEqual({ orders: all.length, total })
    const [row] = await clickhouse.rows<{ orders: number; total: string }>(
      "select count() as orders, toString(toInt64(sum(total) * 100)) as total from orders final where external_id like 'M%'",
    )
    expect(row).toEqual({ orders: all.length, total: String(total) })
    const bands = new Map<string, number>()
    for (const own of orders) {
      const last = own.filter(isPurchase).at(-1)
      if (!last?.paidAt) continue
      const days = dayNumber(ZONE, began) - dayNumber(ZONE, instant(last.paidAt))
      const state = boughtStates[bandOf(days, defaultEdges)]
      bands.set(state, (bands.get(state) ?? 0) + 1)
    }
    const answered = await db.rows<{ lifecycle: string; persons: number }>(sql`
      select lifecycle, count(*)::int as persons from person_state where purchases > 0 group by 1`)
    expect(new Map(answered.map((one) => [one.lifecycle, one.persons]))).toEqual(bands)
  })

  test('history starts no SOP; the few valuable sleepers are in theirs, and guides have tasks', async () => {
    const entered = await db.rows<{ name: string; stays: number }>(sql`
      select j.name, count(e.id)::int as stays from journey j left join enrolment e on e.journey_id = j.id
      group by 1 order by 1`)
    const stays = new Map(entered.map(({ name, stays }) => [name, stays]))
    expect(stays.get('沉默会员唤醒')).toBe(0)
    expect(stays.get('生日祝福')).toBe(0)
    const woken = stays.get('本周重点唤醒 SOP') ?? 0
    expect(woken).toBeGreaterThan(5)
    expect(woken).toBeLessThan(MEMBERS / 4)
    expect(await count("task where kind = 'invite'")).toBeGreaterThan(woken * 0.6)
  })

  test('the groups of level S that every brand has say something of most people', async () => {
    const groups = (await listTagGroups(db)).filter(({ level, seeded }) => level === 'S' && seeded)
    expect(groups.map(({ name }) => name)).toEqual(['来客渠道', '性别'])
    const live = await count("person where state = 'live'")
    for (const { name, covered, unknown } of groups) {
      expect((covered ?? 0) + (unknown ?? 0), name).toBe(live)
      expect((covered ?? 0) / live, name).toBeGreaterThan(0.5)
    }
  })

  test('everybody carries the demo bit, and one tag is waste', async () => {
    expect(await count('person where not demo')).toBe(0)
    const waste = (await listTags(db, { wasteOnly: true })).map(({ name }) => name)
    expect(waste).toContain('参加过2019周年庆')
    expect(waste).not.toContain('法式')
    expect(await count("person_segment where segments <> '{}'")).toBeGreaterThan(20)
  })
})

describe('lived in for two days', () => {
  beforeAll(async () => {
    // Hours by day; the nights are passed over, as when the program was off.
    for (let day = 0; day < 2; day += 1) {
      if (day > 0) here.clock.advance({ hours: 12 })
      for (let hour = 0; hour < 12; hour += 1) {
        here.clock.advance({ hours: 1 })
        await untilQuiet(here)
      }
    }
  }, 240_000)

  test('people bought and replied; guides worked; a mass message was planned, confirmed, delivered', async () => {
    expect(await count("document where external_id like 'L%' or external_id like 'B%'")).toBeGreaterThan(0)
    expect(
      await count("task where state in ('done', 'done_late') and kind in ('invite', 'follow_up')"),
    ).toBeGreaterThan(5)
    expect(await count("event_log where type = 'member_replied'")).toBeGreaterThan(0)
    expect(
      await count("event_log where type = 'touch_decided' and data->>'state' = 'planned'"),
    ).toBeGreaterThan(0)
    expect(await count("event_log where type = 'touch_confirmed'")).toBeGreaterThan(0)
    expect(await count("touch where state = 'delivered' and channel = 'wecom'")).toBeGreaterThan(0)
    expect(await count("dead_letter where state <> 'discarded'")).toBe(0)
  })

  test('caps and quiet hours held', async () => {
    const most = await db.maybe<{ touches: number }>(sql`
      select max((select count(*) from touch_ledger o where o.person_id = l.person_id and o.class = 'marketing'
        and o.at <= l.at and o.at > l.at - interval '7 days'))::int as touches
      from touch_ledger l where l.class = 'marketing' and l.at is not null`)
    expect(most?.touches ?? 0).toBeLessThanOrEqual(2)
    expect(
      await count(`touch where state = 'delivered' and class = 'marketing'
        and extract(hour from confirmed_at at time zone '${ZONE}') not between 9 and 20`),
    ).toBe(0)
  })

  test('every touch stands in a counted state with its reason', async () => {
    const { touches, reasoned } = await db.row<{ touches: number; reasoned: number }>(sql`
      select count(*)::int as touches, count(*) filter (where reason is not null or state not in ('dropped', 'held_out', 'deferred'))::int as reasoned
      from touch`)
    expect(touches).toBeGreaterThan(0)
    expect(reasoned).toBe(touches)
  })

  test('a stretch that was lived is not lived again', async () => {
    const before = await count('event_log')
    await untilQuiet(here, ['demo'])
    expect(await count('event_log')).toBe(before)
  })

  test('the database refuses to hand a demo member to a real channel', async () => {
    const content = await db.row<{ id: string }>(sql`select id from content limit 1`)
    const person = await db.row<{ id: number }>(sql`select id from person limit 1`)
    await db.transaction(async (tx) => {
      await tx.run(sql`savepoint before`)
      await tx.run(
        sql`update channel set mode = 'test', base_url = 'https://qyapi.weixin.qq.com' where name = 'wecom'`,
      )
      await tx.run(sql`
        insert into outbox (id, channel, class, content_id, content_version, body, attachments, marker, slot, size, made_at)
        values (gen_random_uuid(), 'wecom', 'marketing', ${content.id}, 1, 'x', '[]', 'refused', now(), 1, now())`)
      await tx.run(sql`
        insert into touch (id, person_id, channel, class, content_id, offered_at, not_before, expires_at, due_at)
        values (gen_random_uuid(), ${person.id}, 'wecom', 'marketing', ${content.id}, now(), now(), now(), now())`)
      await tx.run(sql`
        update touch set state = 'planned', due_at = null, outbox_id = (select id from outbox where marker = 'refused')
        where id = (select id from touch where person_id = ${person.id} and outbox_id is null and state = 'offered' order by offered_at desc limit 1)`)
      await expect(
        tx.run(
          sql`update outbox set state = 'sending', token = 1, tried_at = now() where marker = 'refused'`,
        ),
      ).rejects.toMatchObject({ constraint: 'demo_stays_simulated' })
      await tx.run(sql`rollback to before`)
    })
  })
})

/** A row as a rebuild from archived days brings it back. */
function archived({
  at,
  ...row
}: {
  type: string
  at: Date
  person_id?: number
  profile_id?: number
}): object {
  return { id: newId(at), at: at.toISOString().replace('T', ' ').replace('Z', ''), ...row }
}

describe('taken out', () => {
  beforeAll(async () => {
    await askForRemoval(db)
    await untilQuiet(here, ['demo'])
    await untilQuiet(here)
  }, 120_000)

  test('nothing of it is left in any table that could hold it', async () => {
    expect(await readDemo(db)).toMatchObject({ state: 'removed' })
    const columns = await db.rows<{ table: string; column: string }>(sql`
      select c.table_name as "table", c.column_name as "column" from information_schema.columns c
      join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema
      where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
        and (c.column_name in ('demo', 'person_id', 'profile_id', 'from_person', 'kept_person'))`)
    const left: string[] = []
    for (const { table, column } of columns) {
      const where = column === 'demo' ? 'demo' : `(abs(${column}) & ${DEMO_BIT}) <> 0`
      const rows = await count(`${table} where ${where}`)
      if (rows > 0) left.push(`${table}.${column}: ${rows}`)
    }
    expect(left).toEqual([])
    for (const table of [
      'outbox',
      'touch',
      'task',
      'journey',
      'journey_version',
      'content',
      'usage',
      'cut_points',
      'document',
      'event_log where person_id is not null',
    ])
      expect([table, await count(table)]).toEqual([table, 0])
  })

  test('nothing of it is left in ClickHouse', async () => {
    for (const table of ['events', 'orders', 'order_lines']) {
      const [row] = await clickhouse.rows<{ rows: number }>(
        `select count() as rows from ${table} where person_id != 0 or 1`,
      )
      expect([table, row?.rows]).toEqual([table, 0])
    }
  })

  test('a rebuild leaves what the brand has published since, and sweeps what the archive still tells of the demo', async () => {
    const gone = here.clock.now()
    await clickhouse.insert('events', [
      archived({ type: 'cut_points_published', at: new Date(gone.getTime() - 3_600_000) }),
      archived({ type: 'cut_points_published', at: new Date(gone.getTime() + 3_600_000) }),
      archived({ type: 'member_replied', at: gone, person_id: DEMO_BIT + 7, profile_id: DEMO_BIT + 7 }),
    ])
    expect(await sweepRemoved({ db, clickhouse })).toBe(2)
    const left = await clickhouse.rows<{ type: string }>('select type from events')
    expect(left).toEqual([{ type: 'cut_points_published' }])
    await clickhouse.command('truncate table events')
  })

  test('the brand has its own name again, channels are off, and another demo can be written', async () => {
    expect(await db.row(sql`select name from brand`)).toEqual({ name: 'Liuliang' })
    expect(await count("channel where mode <> 'off'")).toBe(0)
    const members = membersDeps(here.parts.stores.keyring)
    const again = await seedDemo({ db, members }, { now: here.clock.now(), members: 20, seed: SEED })
    expect(again.members).toBe(20)
  })
})
