import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { startSmsSandbox } from '../../../sandbox/sms/server.ts'
import { testDatabase } from '../../../test/support/database.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  offerAll,
  openSimulated,
  statesOf,
} from '../../../test/support/reach.ts'
import { noteRequests, peopleOf, TEN, testKeys } from '../../../test/support/reach-ports.ts'
import { type LeaseToken, takeLease } from '../../platform/jobs/lease.ts'
import { arbitrateOnce, deliverOnce } from '../../reach/reach.ts'
import { openAliyun, smsChannel } from '../connectors.ts'
import { receiptKey, smsStreams } from './routes.ts'

const db = await testDatabase()
const keys = testKeys()

test('a receipt that the provider pushes to its own address ends the touch; any other address is nothing', async () => {
  const sms = await startSmsSandbox({ clock: () => TEN, retryMs: [] })
  try {
    const client = openAliyun({
      baseUrl: sms.baseUrl,
      accessKeyId: 'sandbox-key',
      accessKeySecret: 'sandbox-secret',
      clock: () => TEN,
    })
    const channels = [smsChannel({ client })]
    const ports = { people: peopleOf(keys), askAPerson: noteRequests() }
    await holdNobodyOut(db)
    await openSimulated(db, 'sms', sms.baseUrl)
    const contentId = await makeContent(db, { channel: 'sms' })
    const [personId = 0] = await makeMembers(db, keys, { count: 1 })
    await offerAll(db, [candidate({ personId, channel: 'sms', contentId })], TEN)
    const how = {
      token: (await takeLease(db, 'reach', 60_000)) as LeaseToken,
      now: TEN,
      zone: 'Asia/Shanghai',
    }
    await arbitrateOnce(db, ports.people, how)
    await deliverOnce(db, channels, ports, how)
    expect(await statesOf(db)).toEqual({ confirmed: 1 })

    const [stream] = smsStreams({
      db,
      channels: async () => channels,
      askAPerson: ports.askAPerson,
      index: keys.index,
    })
    const [message] = sms.messages
    const push = (key: string) => {
      const body = JSON.stringify([
        { phone_number: message?.phone, success: true, biz_id: message?.bizId, out_id: message?.outId },
      ])
      const request = { params: { key }, body: Readable.from([Buffer.from(body)]), call: { now: TEN } }
      return stream?.handle(request as never)
    }
    await expect(push('guess')).rejects.toMatchObject({ code: 'not_found' })
    expect(await push(receiptKey(keys.index))).toEqual({ code: 0, msg: '接收成功' })
    expect(await statesOf(db)).toEqual({ delivered: 1 })
  } finally {
    await sms.close()
  }
})
