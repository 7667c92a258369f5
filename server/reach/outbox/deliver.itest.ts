import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startSmsSandbox } from '../../../sandbox/sms/server.ts'
import { startWecomSandbox } from '../../../sandbox/wecom/server.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { untilSomebodyWaits } from '../../../test/support/lock-waits.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  makeStaff,
  offerAll,
  openSimulated,
  statesOf,
} from '../../../test/support/reach.ts'
import { noteRequests, peopleOf, TEN, testKeys } from '../../../test/support/reach-ports.ts'
import { openWecom } from '../../../wecom/client.ts'
import { openAliyun, parseReceipts, smsChannel, wecomChannel } from '../../connectors/connectors.ts'
import { type LeaseToken, takeLease } from '../../platform/jobs/lease.ts'
import { brokenConstraint } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { arbitrateOnce } from '../arbiter/arbitrate.ts'
import type { Candidate } from '../candidate.ts'
import { goLive, switchOff, toTest } from '../channels.ts'
import { copyDone } from '../copies.ts'
import { listUnknown, settleKnown } from '../unknown.ts'
import type { Channel } from './channel.ts'
import { consentWithdrawn, withdraw, withdrawSome } from './close.ts'
import { deliverOnce } from './deliver.ts'
import { takeReceipts } from './follow.ts'

const zone = 'Asia/Shanghai'
const HOUR = 3_600_000
const db = await testDatabase({ max: 14 })
const keys = testKeys()
const clock = { now: TEN }
const wecom = await startWecomSandbox({ clock: () => clock.now })
const sms = await startSmsSandbox({ clock: () => clock.now, retryMs: [] })
const channels = [
  wecomChannel({
    client: openWecom({ baseUrl: wecom.baseUrl, corpId: 'ww-sandbox', secret: 'sandbox-secret' }),
  }),
  smsChannel({
    client: openAliyun({
      baseUrl: sms.baseUrl,
      accessKeyId: 'sandbox-key',
      accessKeySecret: 'sandbox-secret',
      clock: () => clock.now,
    }),
  }),
]
const requests = noteRequests()
const ports = { people: peopleOf(keys), askAPerson: requests }
const token = (await takeLease(db, 'reach', 600_000)) as LeaseToken
const staffIds = await makeStaff(db, 2)
const members = await makeMembers(db, keys, { count: 20, staffIds })
const link = { type: 'link', title: '上新', url: 'https://shop.example/new?a=1' } as const
const withLink = await makeContent(db, { channel: 'wecom', attachments: [link] })
const textOnly = await makeContent(db, { channel: 'wecom', body: '今天到店有礼' })
const personal = await makeContent(db, { channel: 'wecom', body: '{{ member.name }},好久不见' })
const smsText = await makeContent(db, {
  channel: 'sms',
  body: '{{ member.name | default: "您" }}好,回复R拒收',
})
await holdNobodyOut(db)

afterAll(async () => {
  await wecom.close()
  await sms.close()
})

beforeEach(async () => {
  clock.now = TEN
  wecom.state.messages.clear()
  wecom.state.strangers.clear()
  wecom.state.received.clear()
  wecom.state.clearFaults()
  sms.forget()
  requests.asked.length = 0
  requests.settled.length = 0
  await db.run(sql`truncate touch, touch_ledger, person_cap, holdout, outbox, event_log, receipt cascade`)
  await openSimulated(db, 'wecom', wecom.baseUrl)
  await openSimulated(db, 'sms', sms.baseUrl)
})

async function run(through: readonly Channel[] = channels): Promise<void> {
  const how = { token, now: clock.now, zone }
  while ((await arbitrateOnce(db, ports.people, how)).persons > 0);
  for (let rounds = 0; rounds < 20; rounds += 1) {
    const done = await deliverOnce(db, through, ports, how)
    if (done.formed + done.handed + done.asked + done.closed === 0) return
  }
}

async function pass(span: { hours?: number; minutes?: number; seconds?: number }): Promise<void> {
  const { hours = 0, minutes = 0, seconds = 0 } = span
  clock.now = new Date(clock.now.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000)
  await run()
}

async function send(
  count: number,
  given: Partial<Candidate> & { contentId: string; channel: 'wecom' | 'sms' },
  through?: readonly Channel[],
) {
  const some = members.slice(0, count)
  await offerAll(
    db,
    some.map((personId) => candidate({ personId, ...given })),
    clock.now,
  )
  await run(through)
}

const headquarters = { all: true, storeIds: [] as string[], maySeePersonal: true }

/** The mass messages in the order of their senders. */
const sent = () => [...wecom.state.messages.values()].sort((a, b) => (a.sender < b.sender ? -1 : 1))

async function eventTypes(): Promise<Record<string, number>> {
  const rows = await db.rows<{ type: string; n: number }>(sql`
    select type, count(*)::int as n from event_log where type <> 'touch_decided' group by 1 order by 1`)
  return Object.fromEntries(rows.map((row) => [row.type, row.n]))
}

async function open(): Promise<number> {
  return (await db.row<{ n: number }>(sql`select count(*)::int as n from touch_ledger where at is null`)).n
}

describe('a mass message', () => {
  test('is one task a sender, found by its own link, and delivered when the guide has confirmed it', async () => {
    await send(10, { channel: 'wecom', contentId: withLink })
    expect(sent().map((one) => [one.sender, one.recipients.length])).toEqual([
      ['guide1', 5],
      ['guide2', 5],
    ])
    const links = sent().map((one) => (one.attachments[0] as { link: { url: string } }).link.url)
    expect(links.every((url) => url.startsWith('https://shop.example/new?a=1&ll='))).toBe(true)
    expect(new Set(links).size).toBe(2)
    expect(requests.asked.map((one) => [one.kind, one.kind === 'confirm' && one.members])).toEqual([
      ['confirm', 5],
      ['confirm', 5],
    ])
    expect(await statesOf(db)).toEqual({ created: 10 })
    expect(await open()).toBe(10)
    wecom.confirm(sent()[0]?.msgid ?? '')
    await pass({ minutes: 2 })
    expect(await statesOf(db)).toEqual({ created: 5, delivered: 5 })
    expect(await open()).toBe(5)
    expect(requests.settled).toHaveLength(1)
    expect(await eventTypes()).toEqual({ touch_confirmed: 5, touch_delivered: 5, touch_sent: 10 })
  })

  test('tells who is no contact any more and whose month is full, and gives their place back', async () => {
    wecom.state.strangers.add('guide2 wm1')
    const month = Array.from({ length: 31 }, () => TEN.getTime())
    wecom.state.received.set('wm3', month)
    await send(6, { channel: 'wecom', contentId: withLink })
    expect(await statesOf(db)).toEqual({ created: 5, 'not_a_contact not_a_contact': 1 })
    for (const one of sent()) wecom.confirm(one.msgid)
    await pass({ minutes: 2 })
    expect(await statesOf(db)).toEqual({ delivered: 4, 'not_a_contact not_a_contact': 1, 'quota quota': 1 })
    expect((await db.row<{ n: number }>(sql`select count(*)::int as n from touch_ledger`)).n).toBe(4)
  })

  test('that nobody confirms is taken back at night, planned again in the morning, and ends after 48 hours', async () => {
    await send(4, { channel: 'wecom', contentId: withLink, expiresAt: new Date(TEN.getTime() + 200 * HOUR) })
    await pass({ hours: 11 })
    expect(sent().map((one) => one.cancelled)).toEqual([true, true])
    expect(await statesOf(db)).toEqual({ 'deferred quiet_hours': 4 })
    expect(await open()).toBe(0)
    await pass({ hours: 12 })
    expect(await statesOf(db)).toEqual({ created: 4 })
    await pass({ hours: 12 })
    await pass({ hours: 12 })
    expect(await statesOf(db)).toEqual({ created: 4 })
    await pass({ hours: 12 })
    expect(await statesOf(db)).toEqual({ 'expired not_confirmed': 4 })
    expect(await open()).toBe(0)
    expect(sent()).toHaveLength(6)
    expect(sent().every((one) => one.cancelled)).toBe(true)
  })

  test('confirmed in the moment in which it is taken back stays confirmed', async () => {
    await send(2, { channel: 'wecom', contentId: withLink })
    for (const one of sent()) wecom.confirm(one.msgid)
    await pass({ hours: 11 })
    expect(await statesOf(db)).toEqual({ delivered: 2 })
  })

  test('loses the member who withdraws consent and goes on for the others', async () => {
    await send(6, { channel: 'wecom', contentId: withLink })
    const [first = 0] = members
    await db.run(sql`update person set consents = consents || '{"wecom": "withdrawn"}' where id = ${first}`)
    await db.transaction((tx) => consentWithdrawn(tx, [first], 'wecom', clock.now))
    await run()
    expect(await statesOf(db)).toEqual({ created: 5, 'dropped no_consent': 1 })
    expect(
      sent()
        .filter((one) => !one.cancelled)
        .map((one) => one.recipients.length)
        .sort(),
    ).toEqual([2, 3])
    await db.run(sql`update person set consents = consents - 'wecom' where id = ${first}`)
  })

  test('whose content names a member becomes a text to copy for the guide', async () => {
    await send(2, { channel: 'wecom', contentId: personal, facts: { member: { name: '王芳' } } })
    expect(sent()).toHaveLength(0)
    expect(requests.asked.map((one) => [one.kind, one.text])).toEqual([
      ['copy', '王芳,好久不见'],
      ['copy', '王芳,好久不见'],
    ])
    expect(await statesOf(db)).toEqual({ asked: 2 })
    const [first, second] = requests.asked.flatMap((one) => (one.kind === 'copy' ? [one.touchId] : []))
    const at = new Date(TEN.getTime() + HOUR)
    await db.transaction((tx) => copyDone(tx, first ?? '', { outcome: 'sent', at, now: at }))
    await db.transaction((tx) => copyDone(tx, second ?? '', { outcome: 'not_sent', at, now: at }))
    expect(
      await db.transaction((tx) => copyDone(tx, first ?? '', { outcome: 'not_sent', at, now: at })),
    ).toBe(false)
    expect(await statesOf(db)).toEqual({ delivered: 1, 'expired not_copied': 1 })
  })

  test('whose fact is missing is dropped and told', async () => {
    await send(1, { channel: 'wecom', contentId: personal, facts: { member: {} } })
    expect(await statesOf(db)).toEqual({ 'dropped content_missing': 1 })
    expect(await open()).toBe(0)
  })
})

describe('a withdrawal while a hand-over is announced', () => {
  const journeyId = '00000000-0000-8000-8000-000000000002'
  const everybody = () => sent().flatMap((one) => one.recipients.map((each) => each.externalUserId))

  /** Two touches of one mass message that is ready, and not yet handed over. */
  async function ready(): Promise<void> {
    const paused = new Date(clock.now.getTime() + 60_000)
    await db.run(sql`update channel set paused_until = ${paused} where name = 'wecom'`)
    const [first = 0, , third = 0] = members
    await offerAll(
      db,
      [first, third].map((personId) =>
        candidate({ personId, channel: 'wecom', contentId: withLink, journeyId }),
      ),
      clock.now,
    )
    await run()
    expect(await db.rows(sql`select state, size from outbox`)).toEqual([{ state: 'ready', size: 2 }])
    clock.now = new Date(clock.now.getTime() + 2 * 60_000)
  }

  test('that came first is waited for: nothing of it is handed over', async () => {
    await ready()
    let handing: Promise<void> | undefined
    await db.transaction(async (tx) => {
      const { touchIds } = await withdrawSome(tx, { journeyId, reason: 'paused' }, clock.now, 10)
      expect(touchIds).toHaveLength(2)
      handing = run()
      await untilSomebodyWaits(db, { whatWaits: handing })
    })
    await handing
    expect(sent()).toEqual([])
    expect(requests.asked).toEqual([])
    expect(await statesOf(db)).toEqual({ 'dropped paused': 2 })
  })

  test('that comes later leaves what is announced alone: whoever is in the message counts as reached', async () => {
    await ready()
    const [first, last] = (await db.rows<{ id: string }>(sql`select id from touch order by id`)).map(
      (row) => row.id,
    )
    let handing: Promise<void> | undefined
    let withdrawing: Promise<number> | undefined
    // Held here, the announcement cannot end before the withdrawal has begun to wait for it.
    await db.transaction(async (tx) => {
      await tx.run(sql`select from touch where id = ${last} for update`)
      handing = run()
      await untilSomebodyWaits(db, { whatWaits: handing })
      withdrawing = db.transaction((own) =>
        withdraw(own, { touchIds: [first ?? ''], reason: 'paused' }, clock.now),
      )
      await untilSomebodyWaits(db, { many: 2, whatWaits: withdrawing })
    })
    await handing
    expect(await withdrawing).toBe(0)
    expect(everybody()).toHaveLength(2)
    expect(await statesOf(db)).toEqual({ created: 2 })
    expect(await open()).toBe(2)
  })
})

describe('consent that is withdrawn while nobody knows whether WeCom has the message', () => {
  const [first = 0] = members
  const withdrawConsent = async () => {
    await db.run(sql`update person set consents = consents || '{"wecom": "withdrawn"}' where id = ${first}`)
    await db.transaction((tx) => consentWithdrawn(tx, [first], 'wecom', clock.now))
  }
  afterEach(() => db.run(sql`update person set consents = consents - 'wecom' where id = ${first}`))

  const open = () =>
    sent()
      .filter((one) => !one.cancelled)
      .flatMap((one) => one.recipients.map((each) => each.externalUserId))
      .sort()

  test.each(['drop_answer', 'busy_after_effect'] as const)(
    'the message that is found (%s) is taken back and made again without them',
    async (kind) => {
      wecom.state.inject({ kind })
      await send(3, { channel: 'wecom', contentId: withLink })
      expect(await statesOf(db)).toMatchObject({ sending: expect.any(Number) })
      await withdrawConsent()
      await pass({ seconds: 6 })
      await pass({ minutes: 1 })
      expect(await statesOf(db)).toEqual({ created: 2, 'dropped no_consent': 1 })
      expect(open()).toEqual(['wm2', 'wm3'])
    },
  )

  test('a message whose call is running is taken back when its answer comes', async () => {
    let withdrawn: Promise<void> | undefined
    const [real, ...others] = channels
    if (!real) throw new Error('no channel')
    const slow: Channel = {
      ...real,
      async hand(handover, signal) {
        const answer = await real.hand(handover, signal)
        withdrawn ??= withdrawConsent()
        await withdrawn
        return answer
      },
    }
    await send(3, { channel: 'wecom', contentId: withLink }, [slow, ...others])
    expect(withdrawn).toBeDefined()
    expect(await statesOf(db)).toEqual({ created: 2, 'dropped no_consent': 1 })
    expect(open()).toEqual(['wm2', 'wm3'])
  })
})

describe('a provider that fails', () => {
  test.each([
    ['with a link', withLink],
    ['without a link', textOnly],
  ])(
    'drops the answer after the effect: the message %s is found and not sent again',
    async (_, contentId) => {
      wecom.state.inject({ kind: 'drop_answer', times: 2 })
      await send(4, { channel: 'wecom', contentId })
      expect(sent()).toHaveLength(2)
      await pass({ seconds: 6 })
      expect(await statesOf(db)).toEqual({ created: 4 })
      await pass({ minutes: 20 })
      expect(sent()).toHaveLength(2)
    },
  )

  test('breaks before the effect: sent again only when the provider would show it by now', async () => {
    wecom.state.inject({ kind: 'drop_call' })
    await send(1, { channel: 'wecom', contentId: withLink })
    expect(sent()).toHaveLength(0)
    await pass({ minutes: 14 })
    expect(sent()).toHaveLength(0)
    await pass({ minutes: 2 })
    expect(sent()).toHaveLength(1)
    expect(await statesOf(db)).toEqual({ created: 1 })
  })

  test('shows what it has only after three seconds: waited for, not sent again', async () => {
    wecom.state.inject({ kind: 'drop_answer' })
    await send(1, { channel: 'wecom', contentId: withLink })
    for (const message of sent()) message.shownFrom = TEN.getTime() + 3000
    await pass({ seconds: 2 })
    expect(await statesOf(db)).toEqual({ sending: 1 })
    await pass({ seconds: 5 })
    expect(await statesOf(db)).toEqual({ created: 1 })
    expect(sent()).toHaveLength(1)
  })

  test('is still dispatching (41063): it is asked again later', async () => {
    wecom.state.inject({ kind: 'busy_after_effect' })
    await send(1, { channel: 'wecom', contentId: withLink })
    for (const message of sent()) message.dispatchedAt = TEN.getTime() + 60_000
    await pass({ seconds: 6 })
    expect(await statesOf(db)).toEqual({ sending: 1 })
    await pass({ minutes: 2 })
    expect(await statesOf(db)).toEqual({ created: 1 })
    expect(sent()).toHaveLength(1)
  })

  test('refuses for too many calls (45009): the channel rests and nothing is lost', async () => {
    wecom.state.inject({ kind: 'refuse', code: 45009 })
    await send(1, { channel: 'wecom', contentId: withLink })
    expect(await statesOf(db)).toEqual({ sending: 1 })
    expect(
      (await db.row<{ failing: string }>(sql`select failing from channel where name = 'wecom'`)).failing,
    ).toMatch('45009')
    await pass({ minutes: 2 })
    expect(await statesOf(db)).toEqual({ created: 1 })
    expect(
      (await db.row<{ failing: string }>(sql`select failing from channel where name = 'wecom'`)).failing,
    ).toBeNull()
  })

  test('has something that could be it twice: listed as unknown, never sent again, settled by a person', async () => {
    wecom.state.inject({ kind: 'drop_answer' })
    await send(1, { channel: 'wecom', contentId: textOnly })
    const [message] = sent()
    if (message) wecom.state.messages.set('copy', { ...message, msgid: 'copy' })
    await pass({ seconds: 6 })
    expect(await statesOf(db)).toEqual({ unknown: 1 })
    expect(await listUnknown(db, headquarters)).toMatchObject([{ channel: 'wecom', touches: 1 }])
    await pass({ hours: 1 })
    expect(sent()).toHaveLength(2)
    const [unknown] = await listUnknown(db, headquarters)
    await db.transaction((tx) => settleKnown(tx, unknown?.id ?? '', { reached: false, now: clock.now }))
    expect(await statesOf(db)).toEqual({ 'failed not_sent': 1 })
    expect(await listUnknown(db, headquarters)).toEqual([])
  })
})

describe('an SMS', () => {
  async function report(delivered: boolean) {
    const pushed = sms.messages.map((one) => ({
      phone_number: one.phone,
      report_time: '2026-03-02 10:00:05',
      success: delivered,
      biz_id: one.bizId,
      out_id: one.outId,
    }))
    return takeReceipts(db, channels, requests, parseReceipts(pushed, clock.now), clock.now)
  }

  test('goes to the number in clear, and its receipt ends it once', async () => {
    await send(3, { channel: 'sms', contentId: smsText, facts: { member: { name: '王芳' } } })
    expect(sms.messages.map((one) => one.phone).sort()).toEqual(['13800000001', '13800000002', '13800000003'])
    expect(sms.messages[0]?.params).toEqual({ text: '王芳好,回复R拒收' })
    expect(await statesOf(db)).toEqual({ confirmed: 3 })
    expect(await report(true)).toBe(3)
    expect(await report(true)).toBe(0)
    expect(await statesOf(db)).toEqual({ delivered: 3 })
    expect(await eventTypes()).toEqual({ touch_delivered: 3, touch_sent: 3 })
    const cost = await db.row<{ cents: number }>(
      sql`select sum((data->>'costCents')::int)::int as cents from event_log where type = 'touch_sent'`,
    )
    expect(cost.cents).toBe(15)
  })

  test('that failed gives its place back', async () => {
    await send(1, { channel: 'sms', contentId: smsText })
    await report(false)
    expect(await statesOf(db)).toEqual({ 'failed not_delivered': 1 })
    expect((await db.row<{ n: number }>(sql`select count(*)::int as n from touch_ledger`)).n).toBe(0)
  })

  test('whose answer was lost is found by its OutId', async () => {
    sms.inject({ kind: 'drop_answer', times: 2 })
    await send(3, { channel: 'sms', contentId: smsText })
    await pass({ seconds: 6 })
    expect(await statesOf(db)).toEqual({ confirmed: 3 })
    expect(sms.messages).toHaveLength(3)
  })

  test('whose receipt comes before the lost answer was asked for counts as sent', async () => {
    sms.inject({ kind: 'drop_answer' })
    await send(1, { channel: 'sms', contentId: smsText })
    expect(await report(true)).toBe(1)
    expect(await statesOf(db)).toEqual({ delivered: 1 })
    await pass({ minutes: 20 })
    expect(sms.messages).toHaveLength(1)
  })

  test('whose receipt got lost is asked for', async () => {
    await send(1, { channel: 'sms', contentId: smsText })
    await sms.report(sms.messages[0]?.bizId ?? '', true)
    await pass({ minutes: 11 })
    expect(await statesOf(db)).toEqual({ delivered: 1 })
  })

  test('of which nobody knows is listed without its words for whoever may not see them, and by store', async () => {
    const [near, far] = ['01900000-0000-7000-8000-00000000000a', '01900000-0000-7000-8000-00000000000b']
    await send(1, { channel: 'sms', contentId: smsText, facts: { member: { name: '王芳' } } })
    await db.run(sql`update outbox set state = 'unknown', provider_id = null`)
    await db.run(sql`
      insert into store (id, code, name, created_at) values (${near}, 'near', '近店', ${TEN}) on conflict do nothing`)
    await db.run(sql`update person set home_store_id = ${near} where id = ${members[0]}`)
    const seen = async (viewer: Partial<typeof headquarters>) =>
      (await listUnknown(db, { ...headquarters, ...viewer })).map(({ text }) => text)
    expect(await seen({})).toEqual(['王芳好,回复R拒收'])
    expect(await seen({ maySeePersonal: false })).toEqual(['greeting'])
    expect(await seen({ all: false, storeIds: [near] })).toHaveLength(1)
    expect(await seen({ all: false, storeIds: [far] })).toEqual([])
  })

  test('is not handed over when its journey withdraws it first', async () => {
    const journeyId = '00000000-0000-8000-8000-000000000001'
    await db.transaction((tx) => switchOff(tx, 'sms', clock.now))
    await offerAll(
      db,
      members
        .slice(0, 2)
        .map((personId) => candidate({ personId, channel: 'sms', contentId: smsText, journeyId })),
      TEN,
    )
    const dropped = db.transaction((tx) => withdrawSome(tx, { journeyId, reason: 'paused' }, TEN, 10))
    expect((await dropped).touchIds).toHaveLength(2)
    await run()
    expect(await statesOf(db)).toEqual({ 'dropped paused': 2 })
  })
})

describe('a channel that is off', () => {
  test('holds up no other, and what waits for it ends when it is not wanted any more', async () => {
    const [first = 0] = members
    const soon = new Date(TEN.getTime() + HOUR)
    await db.transaction((tx) => switchOff(tx, 'sms', TEN))
    await db.run(sql`
      with planned as (
        insert into touch (id, person_id, channel, class, content_id, offered_at, not_before, expires_at, state, slot)
        select gen_random_uuid(), ${first}, 'sms', 'answer', gen_random_uuid(), ${TEN}, ${TEN}, ${soon}, 'planned', ${TEN}
        from generate_series(1, 250) returning id, person_id, channel, class, slot)
      insert into touch_ledger (touch_id, person_id, channel, class, slot, reserved_at)
      select id, person_id, channel, class, slot, ${TEN} from planned`)
    await send(1, { channel: 'wecom', contentId: withLink })
    expect(await statesOf(db)).toEqual({ created: 1, planned: 250 })
    await pass({ hours: 2 })
    expect(await statesOf(db)).toEqual({ created: 1, 'expired expired': 250 })
    expect(await open()).toBe(1)
    expect((await eventTypes())['touch_expired']).toBe(250)
  })
})

describe('nothing real by accident', () => {
  test('the database refuses a demo member at a real channel, even where the code above forgets to ask', async () => {
    const [demo = 0] = await makeMembers(db, keys, { count: 1, staffIds, demo: true, first: 900 })
    await offerAll(db, [candidate({ personId: demo, channel: 'wecom', contentId: withLink })], TEN)
    wecom.state.inject({ kind: 'refuse', code: 45009 })
    await run()
    expect(await statesOf(db)).toEqual({ sending: 1 })
    await db.transaction((tx) => toTest(tx, 'wecom', TEN, 'https://qyapi.weixin.qq.com'))
    const [by = ''] = staffIds
    const { version } = await db.row<{ version: number }>(
      sql`select version from channel where name = 'wecom'`,
    )
    await db.transaction((tx) => goLive(tx, 'wecom', { confirm: 'wecom', version, by, now: TEN }))
    const attempt = db.run(sql`update outbox set state = 'sending', token = 1, tried_at = ${TEN}`)
    expect(brokenConstraint(await attempt.catch((error: unknown) => error))).toBe('demo_stays_simulated')
  })

  test('the database refuses a simulated channel with an address elsewhere, and going live in one step', async () => {
    for (const address of [
      'https://qyapi.weixin.qq.com',
      'http://127.0.0.1:80@evil.example/',
      'http://127.0.0.1.evil.example:80',
    ]) {
      const attempt = db.run(
        sql`update channel set mode = 'simulated', base_url = ${address} where name = 'wecom'`,
      )
      expect(brokenConstraint(await attempt.catch((error: unknown) => error))).toMatch(/^channel_check/)
    }
    const attempt = db.run(
      sql`update channel set mode = 'live', base_url = 'https://qyapi.weixin.qq.com' where name = 'wecom'`,
    )
    expect(brokenConstraint(await attempt.catch((error: unknown) => error))).toMatch(/^channel_check/)
    const [by = ''] = staffIds
    const { version } = await db.row<{ version: number }>(
      sql`select version from channel where name = 'wecom'`,
    )
    const live = (confirm: string) =>
      db.transaction((tx) => goLive(tx, 'wecom', { confirm, version, by, now: TEN }))
    await expect(live('sms')).rejects.toMatchObject({ code: 'bad_input' })
    await expect(live('wecom')).rejects.toMatchObject({ code: 'not_ready' })
  })

  test('a channel whose row names another address than the one spoken to hands nothing over', async () => {
    await openSimulated(db, 'wecom', 'http://127.0.0.1:1')
    await send(1, { channel: 'wecom', contentId: withLink })
    expect(await statesOf(db)).toEqual({ planned: 1 })
    expect(sent()).toHaveLength(0)
  })

  test('nobody joins a hand-over that has begun, and what has ended stays ended', async () => {
    await send(2, { channel: 'wecom', contentId: withLink })
    const joins = db.run(sql`
      update touch set outbox_id = (select id from outbox order by id desc limit 1)
      where outbox_id = (select id from outbox order by id limit 1)`)
    expect(brokenConstraint(await joins.catch((error: unknown) => error))).toBe('joined_too_late')
    await db.run(sql`update touch set state = 'expired', reason = 'x'`)
    const again = db.run(sql`update touch set state = 'planned', outbox_id = null`)
    expect(brokenConstraint(await again.catch((error: unknown) => error))).toBe('touch_ended')
  })
})

test('no number and no name stands in what the log keeps', async () => {
  await send(3, { channel: 'sms', contentId: smsText, facts: { member: { name: '王芳' } } })
  const rows = await db.rows<{ data: unknown }>(sql`select data from event_log`)
  expect(JSON.stringify(rows)).not.toMatch(/138\d{8}|王芳/)
})
