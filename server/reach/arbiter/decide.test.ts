import { describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { openBlindIndex } from '../../platform/crypto/blind-index.ts'
import { WHOLE_BASE } from '../candidate.ts'
import type { Recipient } from '../ports.ts'
import { DEFAULT_RULES } from '../settings.ts'
import { type LedgerRow, monthRoom, personRoom } from './caps.ts'
import { type Circumstances, type Considered, decide, type Verdict } from './decide.ts'
import { isHeldOut } from './holdout.ts'

const NOON = new Date('2026-03-02T04:00:00Z')
const HOUR = 3_600_000
const journey = '00000000-0000-7000-8000-0000000000aa'
const li = {
  staffId: '00000000-0000-7000-8000-000000000001',
  wecomUserId: 'li',
  externalUserId: 'wm1',
  owner: true,
  addedAt: new Date('2025-01-01T00:00:00Z'),
  lastTalkedAt: null,
}

function candidate(more: Partial<Considered> = {}): Considered {
  return {
    id: '00000000-0000-7000-8000-0000000000c1',
    personId: 7,
    channel: 'wecom',
    class: 'marketing',
    contentId: 'content',
    senderId: null,
    journeyId: journey,
    score: 1,
    notBefore: NOON,
    expiresAt: new Date(NOON.getTime() + 72 * HOUR),
    costCents: null,
    reason: null,
    ...more,
  }
}

function recipient(more: Partial<Recipient> = {}): Recipient {
  return {
    personId: 7,
    demo: false,
    consents: { sms: 'granted' },
    sms: true,
    contacts: [li],
    digests: { wecom: ['aa'], sms: ['bb'] },
    ...more,
  }
}

function circumstances(more: Partial<Circumstances> = {}): Circumstances {
  return {
    now: NOON,
    zone: 'Asia/Shanghai',
    rules: DEFAULT_RULES,
    channels: new Map([
      ['wecom', { name: 'wecom', mode: 'live', allowed: new Set<string>() }],
      ['sms', { name: 'sms', mode: 'live', allowed: new Set<string>() }],
    ]),
    contents: new Map([
      [
        'content',
        { id: 'content', channel: 'wecom', version: 1, retired: false, perMember: false, approved: false },
      ],
      ['sms', { id: 'sms', channel: 'sms', version: 1, retired: false, perMember: false, approved: true }],
    ]),
    heldOut: () => false,
    ...more,
  }
}

function row(at: Date | null, more: Partial<LedgerRow> = {}): LedgerRow {
  return { personId: 7, channel: 'wecom', class: 'marketing', slot: at ?? new Date(0), at, ...more }
}

function ofOne(
  given: Partial<Considered> = {},
  who: Recipient | undefined = recipient(),
  ledger: LedgerRow[] = [],
  at: Partial<Circumstances> = {},
): string {
  const [verdict] = decide([candidate(given)], who, ledger, circumstances(at))
  if (!verdict) throw new Error('no verdict')
  return told(verdict)
}

function told(verdict: Verdict): string {
  if (verdict.do === 'plan') return 'plan'
  return verdict.do === 'defer'
    ? `defer ${verdict.reason} ${verdict.until.toISOString()}`
    : `${verdict.do} ${verdict.reason}`
}

const ago = (hours: number): Date => new Date(NOON.getTime() - hours * HOUR)

describe('whom nothing reaches', () => {
  test('everybody whose candidate has a reason against it', () => {
    expect(ofOne()).toBe('plan')
    expect(ofOne({ expiresAt: NOON })).toBe('drop expired')
    expect(ofOne({ contentId: 'gone' })).toBe('drop content_missing')
    expect(ofOne({ channel: 'sms', contentId: 'content' })).toBe('drop content_missing')
    expect(ofOne({ channel: 'sms', contentId: 'sms' })).toBe('plan')
    expect(ofOne({ channel: 'sms', contentId: 'sms' }, recipient({ sms: false }))).toBe('drop unreachable')
    expect(ofOne({}, recipient({ contacts: [] }))).toBe('drop not_a_contact')
    expect(ofOne({}, recipient({ consents: { wecom: 'withdrawn' } }))).toBe('drop no_consent')
    expect(decide([candidate()], undefined, [], circumstances()).map(told)).toEqual(['drop person_gone'])
  })

  test('an unknown consent is enough for WeCom and not for SMS', () => {
    expect(ofOne({}, recipient({ consents: {} }))).toBe('plan')
    expect(ofOne({ channel: 'sms', contentId: 'sms' }, recipient({ consents: {} }))).toBe('drop no_consent')
  })

  test('a demo member at a real provider', () => {
    for (const mode of ['test', 'live'] as const) {
      const channels = new Map([['wecom', { name: 'wecom', mode, allowed: new Set(['aa']) }]] as const)
      expect(ofOne({}, recipient({ demo: true }), [], { channels })).toBe('drop demo_person_real_channel')
      expect(ofOne({ class: 'transactional' }, recipient({ demo: true }), [], { channels })).toBe(
        'drop demo_person_real_channel',
      )
    }
  })

  test('a channel in test reaches its allow-list only', () => {
    const inTest = (digests: string[]) => ({
      channels: new Map([['wecom', { name: 'wecom', mode: 'test', allowed: new Set(digests) }]] as const),
    })
    expect(ofOne({}, recipient(), [], inTest([]))).toBe('drop channel_in_test')
    expect(ofOne({}, recipient(), [], inTest(['aa']))).toBe('plan')
  })
})

describe('when', () => {
  test('marketing waits for the end of the quiet hours, or is dropped if that is too late', () => {
    const night = { now: new Date('2026-03-02T14:00:00Z') }
    expect(ofOne({}, recipient(), [], night)).toBe('defer quiet_hours 2026-03-03T01:00:00.000Z')
    expect(ofOne({ expiresAt: new Date('2026-03-03T01:00:00Z') }, recipient(), [], night)).toBe(
      'drop quiet_hours',
    )
    for (const kind of ['transactional', 'welcome', 'answer'] as const)
      expect(ofOne({ class: kind }, recipient(), [], night)).toBe('plan')
  })

  test('a third touch waits until the first has left the week', () => {
    const two = [row(ago(98)), row(ago(30))]
    expect(ofOne({}, recipient(), two)).toBe(
      `defer cap_person_week ${new Date(ago(98).getTime() + 168 * HOUR).toISOString()}`,
    )
    expect(ofOne({ expiresAt: new Date(NOON.getTime() + HOUR) }, recipient(), two)).toBe(
      'drop cap_person_week',
    )
    expect(ofOne({}, recipient(), [row(ago(168)), row(ago(30))])).toBe('plan')
    expect(ofOne({ class: 'transactional' }, recipient(), two)).toBe('plan')
  })

  test('a reservation counts however old it is', () => {
    expect(ofOne({}, recipient(), [row(null), row(null, { slot: ago(400) })])).toMatch(
      /^defer cap_person_week/,
    )
  })

  test('the best of a slot goes, the others wait for the next', () => {
    const weak = candidate({ id: '00000000-0000-7000-8000-0000000000c1', score: 1 })
    const strong = candidate({ id: '00000000-0000-7000-8000-0000000000c2', score: 5 })
    const verdicts = decide([weak, strong], recipient(), [], circumstances())
    expect(verdicts.map((one) => [one.candidate.id.slice(-2), told(one)])).toEqual([
      ['c2', 'plan'],
      ['c1', 'defer outranked 2026-03-02T04:15:00.000Z'],
    ])
  })

  test('WeCom lets a month hold as many mass messages as it has days', () => {
    const received = Array.from({ length: 31 }, (_, day) =>
      row(new Date(Date.UTC(2026, 2, day + 1, 2)), { class: 'transactional' }),
    )
    const end = { now: new Date('2026-03-31T04:00:00Z') }
    const april = new Date('2026-04-03T00:00:00Z')
    expect(ofOne({ class: 'transactional', expiresAt: april }, recipient(), received, end)).toBe(
      'defer cap_channel 2026-03-31T16:00:00.000Z',
    )
    expect(ofOne({ class: 'transactional', expiresAt: april }, recipient(), received.slice(1), end)).toBe(
      'plan',
    )
  })
})

describe('who is held out', () => {
  test('of everything, or of one journey; only from marketing', () => {
    const base = { heldOut: (scope: string) => scope === WHOLE_BASE }
    const own = { heldOut: (scope: string) => scope === journey }
    expect(ofOne({}, recipient(), [], base)).toBe('hold holdout_base')
    expect(ofOne({}, recipient(), [], own)).toBe('hold holdout_journey')
    expect(ofOne({ journeyId: null }, recipient(), [], own)).toBe('plan')
    expect(ofOne({ class: 'welcome' }, recipient(), [], base)).toBe('plan')
  })

  test('whoever could not be reached anyway is not counted as held out', () => {
    expect(ofOne({}, recipient({ contacts: [] }), [], { heldOut: () => true })).toBe('drop not_a_contact')
  })

  test('about as many as the share says, independently by scope, and always the same', () => {
    const index = openBlindIndex(Buffer.alloc(32, 7))
    const people = Array.from({ length: 20_000 }, (_, id) => id + 1)
    const held = people.filter((id) => isHeldOut(index, WHOLE_BASE, id, 50))
    expect(held.length).toBeGreaterThan(900)
    expect(held.length).toBeLessThan(1100)
    expect(held).toEqual(people.filter((id) => isHeldOut(index, WHOLE_BASE, id, 50)))
    const both = held.filter((id) => isHeldOut(index, journey, id, 100))
    expect(both.length).toBeGreaterThan(60)
    expect(both.length).toBeLessThan(140)
  })
})

describe('the sender', () => {
  test('is whoever was asked for, else who last talked, else the owner', () => {
    const wang = { ...li, staffId: '00000000-0000-7000-8000-000000000002', wecomUserId: 'wang', owner: false }
    const zhao = { ...wang, staffId: '00000000-0000-7000-8000-000000000003', wecomUserId: null }
    const senderOf = (contacts: Recipient['contacts'], senderId: string | null = null) => {
      const [verdict] = decide([candidate({ senderId })], recipient({ contacts }), [], circumstances())
      return verdict?.do === 'plan' ? verdict.senderId : undefined
    }
    expect(senderOf([wang, li])).toBe(li.staffId)
    expect(senderOf([{ ...wang, lastTalkedAt: NOON }, li])).toBe(wang.staffId)
    expect(senderOf([wang, li], wang.staffId)).toBe(wang.staffId)
    expect(senderOf([wang, li], zhao.staffId)).toBe(li.staffId)
    expect(senderOf([zhao])).toBeUndefined()
  })
})

test('whatever is allowed, no window of seven days ever holds more than the cap, though reservations are dated later', () => {
  const step = fc.record({ hours: fc.integer({ min: 0, max: 60 }), delay: fc.integer({ min: 0, max: 48 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 4 }), (steps, most) => {
      const rows: { at: number | null; decided: number; confirm: number }[] = []
      let hour = 0
      for (const { hours, delay } of steps) {
        hour += hours
        for (const one of rows) if (one.at === null && one.confirm <= hour) one.at = one.confirm
        const ledger = rows.map((one) => row(one.at === null ? null : new Date(one.at * HOUR)))
        const room = personRoom(ledger, { marketingTouches: most, withinDays: 7 }, new Date(hour * HOUR))
        if (room.free) rows.push({ at: null, decided: hour, confirm: hour + delay })
        else if (room.freeAt) expect(room.freeAt.getTime()).toBeGreaterThan(hour * HOUR)
      }
      const times = rows.map((one) => one.at ?? one.confirm).sort((a, b) => a - b)
      for (const start of times)
        expect(times.filter((time) => time >= start && time < start + 168).length).toBeLessThanOrEqual(most)
    }),
  )
})

test('the month of WeCom is the month of China', () => {
  const beforeMidnight = new Date('2026-02-28T15:59:00Z')
  const afterMidnight = new Date('2026-02-28T16:01:00Z')
  const full = Array.from({ length: 28 }, () => row(new Date('2026-02-10T00:00:00Z')))
  expect(monthRoom(full, beforeMidnight)).toMatchObject({ free: false })
  expect(monthRoom(full, afterMidnight)).toEqual({ free: true })
})
