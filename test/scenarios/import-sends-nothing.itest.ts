/**
 * However a brand's history is imported, nothing that came with it starts anything, though every SOP is live, also those
 * that took in who was there when they went live (here nobody was).
 */

import { expect, test } from 'vitest'
import { append } from '../../server/events/events.ts'
import { importFile } from '../../server/events/import/import-file.ts'
import { createJourney, goLive } from '../../server/journeys/journeys.ts'
import { idOf } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { fc } from '../support/fast-check.ts'
import { fileOf, importWorld } from '../support/imports.ts'
import { holdNobodyOut, makeStaff } from '../support/reach.ts'
import { sopWorld } from '../support/sop-world.ts'

/** Ten o'clock in Shanghai: outside the quiet hours, and no day of anybody's band begins in the next hour. */
const NOW = new Date('2026-03-10T02:00:00Z')
const DAY_MS = 86_400_000

const world = await sopWorld(NOW)
const { db } = world
const imports = await importWorld(db, { at: NOW.toISOString() })
await makeStaff(db, 2)
await holdNobodyOut(db)
await db.transaction(async (tx) => {
  for (const template of ['new_member_follow_up', 'wake_sleeping', 'birthday'] as const) {
    const wanted = { template, name: template, enterPresent: true, texts: {}, by: null }
    await goLive(tx, await createJourney(tx, wanted, NOW), 1, null, NOW)
  }
})
await world.settle()

/** Days before now; none is ahead by more than the clocks of two shops. */
const daysAgo = fc.oneof(
  fc.constantFrom(-0.02, 0, 0.01, 0.9, 1, 89, 90, 91, 179, 180, 200, 364, 365, 700),
  fc.double({ min: 0, max: 6000, noNaN: true }),
)
const who = fc.nat(5)
const aMember = fc.record({
  who,
  joined: daysAgo,
  birthday: fc.constantFrom('03-10', '02-29', '07-01'),
  lunar: fc.boolean(),
})
const anOrder = fc.record({ who, paid: daysAgo, number: fc.nat(9), refunded: fc.boolean() })
const aContact = fc.record({ who, guide: fc.nat(1), added: daysAgo })
/** Rows of one order that contradict each other are refused, which is another story. */
const ordersOnce = fc.uniqueArray(anOrder, {
  minLength: 1,
  maxLength: 8,
  selector: ({ who: buyer, number }) => `${buyer}-${number}`,
})
const aFile = fc.oneof(
  fc.record({ of: fc.constant('members' as const), rows: fc.array(aMember, { minLength: 1, maxLength: 6 }) }),
  fc.record({ of: fc.constant('orders' as const), rows: ordersOnce }),
  fc.record({
    of: fc.constant('contacts' as const),
    rows: fc.array(aContact, { minLength: 1, maxLength: 4 }),
  }),
)
type File = (typeof aFile extends fc.Arbitrary<infer Value> ? Value : never) & { times?: number }

let run = 0

function local(days: number): string {
  return new Date(NOW.getTime() - days * DAY_MS + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

function textOf(file: File): string {
  const phone = (number: number) => `13${String(run).padStart(4, '0')}0000${number}`
  if (file.of === 'members') {
    const rows = file.rows.map(
      (row) =>
        `M${run}-${row.who},会员${row.who},${phone(row.who)},${local(row.joined)},19${row.birthday === '02-29' ? '88' : '90'}-${row.birthday},${row.lunar ? '是' : '否'},是`,
    )
    return `会员号,姓名,手机号,入会时间,生日,农历生日,接受短信\n${rows.join('\n')}\n`
  }
  if (file.of === 'orders') {
    const rows = file.rows.map(
      (row) =>
        `O${run}-${row.who}-${row.number},${phone(row.who)},${local(row.paid)},衬衫,1,199.00,199.00,${row.refunded ? '199.00' : '0'}`,
    )
    return `订单号,手机号,付款时间,商品名称,数量,单价,实付金额,订单退款金额\n${rows.join('\n')}\n`
  }
  const rows = file.rows.map(
    (row) => `guide${row.guide + 1},wm${run}-${row.who},会员${row.who},${phone(row.who)},${local(row.added)}`,
  )
  return `员工账号,external_userid,客户昵称,备注手机号,添加时间\n${rows.join('\n')}\n`
}

async function started(): Promise<Record<string, number>> {
  const rows = await db.row<Record<string, number>>(sql`
    select (select count(*)::int from enrolment) as enrolments, (select count(*)::int from touch) as touches,
      (select count(*)::int from task) as tasks, (select count(*)::int from outbox) as outboxes`)
  return { ...rows, massMessages: world.wecom.state.messages.size, sms: world.sms.messages.length }
}

const nothing = { enrolments: 0, touches: 0, tasks: 0, outboxes: 0, massMessages: 0, sms: 0 }

test('importing any history, in any order and again, sends nothing and asks nobody for anything', async () => {
  let imported = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(aFile, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(4), { maxLength: 3 }),
      async (files, again) => {
        run += 1
        const texts = files.map(textOf)
        const order = [...texts.keys(), ...again.filter((index) => index < texts.length)]
        for (const [place, index] of order.entries()) {
          const path = await fileOf(imports, `run${run}-${place}.csv`, texts[index] ?? '')
          const { run: done } = await importFile(imports, {
            file: path,
            kind: files[index]?.of,
            source: 'erp',
            now: world.now,
          })
          expect([done.state, done.counts.rejected]).toEqual(['imported', 0])
          imported += done.counts.accepted
          if (index % 2 === 0) await world.settle()
        }
        await world.settle()
        expect(await started()).toEqual(nothing)
        await world.at(new Date(world.now.getTime() + 60_000))
        expect(await started()).toEqual(nothing)
      },
    ),
    { numRuns: 12 },
  )
  expect(imported).toBeGreaterThan(50)
  const { members } = await db.row<{ members: number }>(
    sql`select count(*)::int as members from person_segment where segments <> '{}'`,
  )
  expect(members).toBeGreaterThan(0)
})

test('the same SOPs do start when the same things happen now', async () => {
  const { id } = await db.row<{ id: number }>(
    sql`select id from person where phone = 'mobile' order by id limit 1`,
  )
  const joined = {
    id: idOf('joined now', id),
    type: 'member_joined' as const,
    profileId: id,
    personId: id,
    at: world.now,
    data: {},
  }
  await db.transaction((tx) => append(tx, [joined], { lane: 'live', source: 'test', receivedAt: world.now }))
  await world.settle()
  expect((await started())['enrolments']).toBe(1)
})
