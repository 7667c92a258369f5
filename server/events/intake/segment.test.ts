import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isAbsent, sharedData } from '../../../test/support/shared-data.ts'
import { openBlindIndex } from '../../platform/crypto/blind-index.ts'
import { readSegment, type SegmentType, segmentTypes } from './segment.ts'
import type { ToldPerson } from './told.ts'

const receivedAt = new Date('2026-03-02T02:00:00.000Z')
const how = { source: 'web', receivedAt, index: openBlindIndex(Buffer.alloc(32, 7)) }
const track = {
  type: 'track',
  messageId: 'm1',
  userId: 'M1',
  anonymousId: 'a1',
  event: 'Order Completed',
  properties: { total: 12.5 },
}
const one = (message: Record<string, unknown>, type: SegmentType | 'batch' = 'batch') =>
  readSegment(type === 'batch' ? { batch: [message] } : message, type, how)

test('a track call names who, what, when and by which id', () => {
  const { told, refused } = one({
    ...track,
    timestamp: '2026-03-01T02:00:00.000Z',
    context: { ip: '8.8.8.8', userAgent: 'x', page: { path: '/p' }, traits: { email: 'a@b.cc' } },
  })
  expect(refused).toEqual([])
  expect(told).toEqual([
    {
      kind: 'tracked',
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      at: new Date('2026-03-01T02:00:00.000Z'),
      who: [
        { kind: 'user', value: 'M1' },
        { kind: 'device', value: 'a1' },
      ],
      name: 'Order Completed',
      properties: { total: 12.5, 'context.page.path': '/p' },
    },
  ])
})

test('a message has the same id however often and wherever it comes, within its source', () => {
  const id = (message: Record<string, unknown>, source = 'web'): string | undefined =>
    readSegment({ batch: [message] }, 'batch', { ...how, source }).told[0]?.id
  expect(id(track)).toBe(id({ ...track, sentAt: '2026-03-02T01:59:00Z' }))
  expect(id(track)).not.toBe(id({ ...track, messageId: 'm2' }))
  expect(id(track)).not.toBe(id(track, 'app'))
  expect(id({ ...track, messageId: undefined })).not.toBe(id({ ...track, messageId: undefined }))
})

test('the clock of the device is corrected by the time of sending', () => {
  const wrong = { ...track, timestamp: '2026-03-02T12:00:00.000Z' }
  const { told } = readSegment({ batch: [wrong], sentAt: '2026-03-02T12:00:01.000Z' }, 'batch', how)
  expect(told[0]?.at).toEqual(new Date('2026-03-02T01:59:59.000Z'))
})

test('no personal value stands in the name of an event or a page, taken or refused, and absurd times are refused', () => {
  const phone = '13812345678'
  const { told, refused } = readSegment(
    {
      batch: [
        { ...track, event: `call ${phone}` },
        { type: 'page', anonymousId: 'a1', properties: { path: `/u/${phone}` } },
        { type: 'screen', anonymousId: 'a1', name: `会员 ${phone}` },
        { ...track, event: `old ${phone}`, timestamp: '1999-01-01T00:00:00Z' },
      ],
    },
    'batch',
    how,
  )
  expect([told.length, refused.length]).toEqual([3, 1])
  expect(JSON.stringify(told.map((one) => ({ ...one, who: [] })))).not.toContain(phone)
  expect(JSON.stringify(refused)).not.toContain(phone)
  const absurd = { ...track, timestamp: 8.64e15 }
  expect(
    readSegment({ batch: [absurd], sentAt: '1971-01-01T00:00:00Z' }, 'batch', how).refused[0]?.reason,
  ).toBe('bad_time')
})

test('five years back and ten minutes ahead are the bounds', () => {
  const reasons = [
    '2021-03-01T00:00:00Z',
    '2021-03-03T00:00:00Z',
    '2026-03-02T02:10:00Z',
    '2026-03-02T02:10:01Z',
    'soon',
  ].map((timestamp) => one({ ...track, timestamp }).refused[0]?.reason ?? 'taken')
  expect(reasons).toEqual(['too_old', 'taken', 'taken', 'in_the_future', 'bad_time'])
})

test('what is wrong is refused by its place, the rest is taken', () => {
  const batch = [
    track,
    'no',
    { ...track, type: 'shout' },
    { ...track, event: ' ' },
    { type: 'track', event: 'x' },
    { ...track, properties: { text: 'x'.repeat(40_000) } },
  ]
  const { told, refused } = readSegment({ batch }, 'batch', how)
  expect(told).toHaveLength(1)
  expect(refused.map(({ index, reason }) => [index, reason])).toEqual([
    [1, 'not_an_object'],
    [2, 'unknown_type'],
    [3, 'no_name'],
    [4, 'nobody'],
    [5, 'too_large'],
  ])
})

test('identify tells who somebody is: fields, identifiers, and the rest as the brand’s own without personal data', () => {
  const { told } = one(
    {
      userId: 'M1',
      anonymousId: 'a1',
      traits: {
        name: '张三',
        phone: '13812345678',
        Gender: '女',
        birthday: '1990-02-03T00:00:00Z',
        address: { city: '杭州', state: '浙江' },
        plan: 'gold',
        visits: 3,
        idCard: '11010519491231002X',
      },
    },
    'identify',
  )
  const person = told[0] as ToldPerson
  expect(person.who).toEqual([
    { kind: 'user', value: 'M1' },
    { kind: 'device', value: 'a1' },
    { kind: 'phone', value: '13812345678' },
  ])
  expect(person.set).toEqual({
    name: '张三',
    gender: 'female',
    birthday: '1990-02-03',
    city: '杭州',
    province: '浙江',
  })
  expect(person.custom).toEqual({ plan: 'gold', visits: 3, idCard: expect.stringMatching(/^#:/) })
})

test('alias joins the id of before, group and page are events', () => {
  const alias = one({ userId: 'M1', previousId: 'a9' }, 'alias').told[0] as ToldPerson
  expect(alias.who).toEqual([
    { kind: 'user', value: 'M1' },
    { kind: 'device', value: 'a9' },
  ])
  expect(one({ userId: 'M1', groupId: 'g', traits: { size: 3 } }, 'group').told[0]).toMatchObject({
    kind: 'tracked',
    name: '$group',
    properties: { groupId: 'g', size: 3 },
  })
  expect(one({ anonymousId: 'a1', properties: { path: '/home' } }, 'page').told[0]).toMatchObject({
    kind: 'page',
    page: '/home',
  })
  expect(one({ anonymousId: 'a1', name: '首页' }, 'screen').told[0]).toMatchObject({
    kind: 'page',
    page: '首页',
  })
})

test.skipIf(isAbsent('protocol'))('the examples of the published specification are taken', () => {
  const lines = readFileSync(`${sharedData('protocol')}/segment_spec/examples.jsonl`, 'utf8')
    .trim()
    .split('\n')
  const messages = lines
    .map((line) => JSON.parse(line) as { kind: string; payload: Record<string, unknown> })
    .filter(({ kind }) => kind === 'json')
  const whole = messages
    .map(({ payload }) => payload)
    .filter(
      ({ type, userId, anonymousId }) =>
        segmentTypes.includes(type as SegmentType) && (userId ?? anonymousId),
    )
  expect(whole.length).toBeGreaterThan(8)
  for (const payload of whole) {
    const { told, refused } = readSegment(
      { batch: [{ ...payload, timestamp: undefined, originalTimestamp: undefined }] },
      'batch',
      how,
    )
    expect([payload['type'], told.length, refused]).toEqual([payload['type'], 1, []])
    expect(JSON.stringify(told[0] && 'properties' in told[0] ? told[0].properties : {})).not.toMatch(
      /@\w|8\.8\.8\.8/,
    )
  }
})
