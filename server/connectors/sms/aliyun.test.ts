import { expect, test } from 'vitest'
import { signatureOf } from '../../../sandbox/sms/aliyun-signature.ts'
import { sign } from './aliyun.ts'
import { parseReceipts } from './receipts.ts'

/** The sample in Aliyun's description of the RPC signature (DescribeRegions, secret 'testsecret'; there with GET). */
const sample = {
  Timestamp: '2016-02-23T12:46:24Z',
  Format: 'XML',
  AccessKeyId: 'testid',
  Action: 'DescribeRegions',
  SignatureMethod: 'HMAC-SHA1',
  SignatureNonce: '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf',
  Version: '2014-05-26',
  SignatureVersion: '1.0',
}

test('the published sample is signed as published', () => {
  expect(signatureOf('GET', sample, 'testsecret')).toBe('OLeaidS1JvxuMvnyHOwuJ+uX5qY=')
})

test('client and simulated provider sign alike, also Chinese and marks', () => {
  const params = {
    ...sample,
    TemplateParam: JSON.stringify({ name: "小王 (VIP) * 100% ~ !'" }),
    SignName: '留量',
  }
  expect(sign(params, 'testsecret')).toBe(signatureOf('POST', params, 'testsecret'))
})

test('receipts are read, those without an OutId of ours are left out', () => {
  const now = new Date('2026-03-02T02:00:00Z')
  const out = '01890000-0000-7000-8000-000000000001'
  const entry = {
    phone_number: '13800000000',
    report_time: '2026-03-02 09:30:00',
    success: true,
    err_code: 'DELIVERED',
    sms_size: '1',
    biz_id: '12345',
    out_id: out,
  }
  expect(parseReceipts([entry, { ...entry, out_id: '67890' }, 'x'], now)).toEqual([
    {
      channel: 'sms',
      outboxId: out,
      providerId: '12345',
      address: '13800000000',
      delivered: true,
      at: new Date('2026-03-02T01:30:00Z'),
      reason: '',
    },
  ])
  expect(() => parseReceipts({}, now)).toThrow('array')
})
