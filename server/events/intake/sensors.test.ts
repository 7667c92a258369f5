import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openBlindIndex } from '../../platform/crypto/blind-index.ts'
import { javaHash, readSensors, unpackForm } from './sensors.ts'

const receivedAt = new Date('2026-03-02T02:00:00.000Z')
const how = { source: 'app', receivedAt, index: openBlindIndex(Buffer.alloc(32, 7)) }
const time = receivedAt.getTime() - 60_000
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const track = {
  type: 'track',
  event: 'ViewProduct',
  time,
  distinct_id: 'd1',
  properties: { sku: 'A', price: 9.9, $ip: '8.8.8.8' },
}
const told = (record: Record<string, unknown>) => readSensors([record], how).told[0]

test('bodies are unpacked in every encoding that the SDKs use', () => {
  const form = (fields: Record<string, string>): unknown[] => unpackForm(new URLSearchParams(fields))
  const list = [track, track]
  const text = base64(track)
  expect(form({ data_list: base64(list), gzip: '0' })).toEqual(list)
  expect(form({ data_list: gzipSync(JSON.stringify(list)).toString('base64'), gzip: '1' })).toEqual(list)
  expect(form({ data: text, ext: `crc=${javaHash(text)}` })).toEqual([track])
  expect(form({ data: text.replaceAll('+', ' ') })).toEqual([track])
})

test('a damaged body names the field that is wrong', () => {
  const text = base64(track)
  const of = (fields: Record<string, string>): unknown => {
    try {
      return unpackForm(new URLSearchParams(fields))
    } catch (error) {
      return (error as { field?: string }).field
    }
  }
  expect(of({ data: text, ext: 'crc=1' })).toBe('ext')
  expect(of({ data_list: '!!!!' })).toBe('data_list')
  expect(of({ data_list: text, gzip: '1' })).toBe('data_list')
  expect(of({})).toBe('data')
  expect(of({ data_list: gzipSync(Buffer.alloc(9_000_000)).toString('base64'), gzip: '1' })).toBe('data_list')
})

test('Java’s hash of a text', () => {
  expect(javaHash('hello')).toBe(99162322)
  expect(javaHash('polygenelubricants')).toBe(-2147483648)
})

test('a record is known by what it says, not by when it was flushed', () => {
  const first = told({ ...track, _flush_time: 1 })
  expect(told({ ...track, _flush_time: 2 })?.id).toBe(first?.id)
  expect(told({ ...track, time: time + 1 })?.id).not.toBe(first?.id)
  expect(first).toMatchObject({
    kind: 'tracked',
    name: 'ViewProduct',
    at: new Date(time),
    who: [{ kind: 'distinct', value: 'd1' }],
    properties: { sku: 'A', price: 9.9 },
  })
  expect(JSON.stringify(first)).not.toContain('8.8.8.8')
})

test('who speaks: login ids are users, the others devices, identities say it themselves', () => {
  const who = (record: Record<string, unknown>) => (told({ ...track, ...record }) as { who: unknown }).who
  expect(who({ properties: { $is_login_id: true } })).toEqual([{ kind: 'user', value: 'd1' }])
  expect(who({ login_id: 'M1', anonymous_id: 'a1', distinct_id: 'M1' })).toEqual([
    { kind: 'user', value: 'M1' },
    { kind: 'device', value: 'a1' },
  ])
  expect(who({ anonymous_id: 'd1' })).toEqual([{ kind: 'device', value: 'd1' }])
  expect(who({ type: 'track_signup', distinct_id: 'M1', original_id: 'a1' })).toEqual([
    { kind: 'user', value: 'M1' },
    { kind: 'device', value: 'a1' },
  ])
  expect(
    who({
      distinct_id: 'M1',
      identities: { $identity_login_id: 'M1', $identity_mp_openid: 'o1', $identity_cookie_id: 'c1' },
    }),
  ).toEqual([
    { kind: 'user', value: 'M1' },
    { kind: 'mp_openid', value: 'o1' },
    { kind: 'device', value: 'c1' },
  ])
})

test('all kinds of records', () => {
  const profile = (type: string, properties: Record<string, unknown>) =>
    told({ type, time, distinct_id: 'd1', properties })
  expect(profile('profile_set', { $name: '李四', level: 'gold' })).toMatchObject({
    kind: 'person',
    set: { name: '李四' },
    custom: { level: 'gold' },
  })
  expect(profile('profile_set_once', { $first_visit_source: 'ad', $name: '李四' })).toMatchObject({
    set: {},
    once: { first_visit_source: 'ad', '.name': '李四' },
  })
  expect(profile('profile_increment', { games: 2, bad: 'x' })).toMatchObject({ add: { games: 2 } })
  expect(profile('profile_append', { movies: ['a', 'b'] })).toMatchObject({ append: { movies: ['a', 'b'] } })
  expect(profile('profile_unset', { level: true })).toMatchObject({ unset: ['level'] })
  expect(profile('profile_delete', {})).toMatchObject({ unset: ['*'] })
  expect(
    told({ type: 'item_set', item_type: 'book', item_id: '1', time, properties: { price: 3 } }),
  ).toMatchObject({ kind: 'item', itemType: 'book', itemId: '1', properties: { price: 3 } })
  expect(told({ type: 'item_delete', item_type: 'book', item_id: '1', time })).toMatchObject({
    kind: 'item',
    properties: null,
  })
  expect(
    told({ ...track, event: '$pageview', properties: { $url_path: '/p', event_duration: 3.5 } }),
  ).toMatchObject({ kind: 'page', page: '/p' })
  expect(
    readSensors([{ ...track, type: 'x' }, 3, { ...track, distinct_id: '' }], how).refused.map(
      ({ reason }) => reason,
    ),
  ).toEqual(['unknown_type', 'not_an_object', 'nobody'])
})
