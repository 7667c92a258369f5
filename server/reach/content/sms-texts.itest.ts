import { beforeAll, expect, test } from 'vitest'
import { type SmsText, smsVariables } from '../../../contract/sms-texts.ts'
import { type Caller, type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { makeContent } from '../../../test/support/reach.ts'
import { uses } from '../../audience/audience.ts'
import { receiptKey } from '../../connectors/sms/routes.ts'
import { valuesFor } from '../../journeys/script-values.ts'
import { newId } from '../../platform/ids.ts'
import { sql } from '../../platform/postgres/sql.ts'

const db = await testDatabase()
let here: TestApp
let operator: Caller
let used = ''

beforeAll(async () => {
  here = await testApp(db)
  operator = await here.as('operator')
  used = await makeContent(db, { channel: 'sms', name: 'Wake · SMS', body: '新一季已到店' })
  const wecom = await makeContent(db, { channel: 'wecom' })
  await makeContent(db, { channel: 'sms', name: 'nobody uses it' })
  const journey = { kind: 'journey', id: newId(here.clock.now()), label: 'Wake' }
  for (const id of [used, wecom]) await db.transaction((tx) => uses(tx, { kind: 'content', id }, journey))
})

const listed = async () => ((await operator('GET', '/api/sms-texts')).body as { items: SmsText[] }).items
const approve = (body: object, caller = operator, id = used) =>
  caller('PUT', `/api/sms-texts/${id}/approval`, body)
const APPROVAL = { sign: '留量', template: 'SMS_154950909', params: { name: '{{ member.name }}' } }

test('the texts that somebody uses are listed, without a template at first', async () => {
  expect(await listed()).toMatchObject([
    {
      id: used,
      name: 'Wake · SMS',
      approval: null,
      version: 1,
      usedBy: [{ kind: 'journey', label: 'Wake' }],
    },
  ])
})

test('a template is named by headquarters, is what the hand-over takes, and is written down', async () => {
  expect((await approve({ approval: APPROVAL, version: 1 }, await here.as('analyst'))).status).toBe(403)
  const { status, body } = await approve({ approval: APPROVAL, version: 1 })
  expect(status).toBe(200)
  expect(body).toEqual((await listed())[0])
  expect(
    await db.row(sql`
      select sms_sign as sign, sms_template as template, sms_params as params, body from content where id = ${used}`),
  ).toEqual({ ...APPROVAL, body: '新一季已到店' })
  expect(await db.rows(sql`select action, after from audit_trail where object_kind = 'content'`)).toEqual([
    { action: 'content.approval_changed', after: { approval: APPROVAL } },
  ])
})

test('whoever saw it too early is told what stands there now', async () => {
  const { status, body } = await approve({ approval: null, version: 1 })
  expect(status).toBe(409)
  expect(body).toMatchObject({
    code: 'stale_version',
    details: { theirs: { approval: APPROVAL, version: 2 } },
  })
})

test('a parameter that would leave a gap, and what is no SMS, are refused', async () => {
  const wrong = (value: string) => approve({ approval: { ...APPROVAL, params: { name: value } }, version: 2 })
  for (const value of ['{{ member.phone }}', '{{ member.name', '{{ member.name | shout }}'])
    expect((await wrong(value)).body).toMatchObject({ code: 'bad_input', field: 'approval.params.name' })
  expect((await approve({ approval: APPROVAL, version: 2 }, operator, newId(here.clock.now()))).status).toBe(
    404,
  )
})

test('the name is taken back', async () => {
  expect((await approve({ approval: null, version: 2 })).body).toMatchObject({ approval: null, version: 3 })
  expect(await db.row(sql`select sms_template from content where id = ${used}`)).toEqual({
    sms_template: null,
  })
})

test('what a parameter may name is what a SOP gives', () => {
  const given = { ...valuesFor(undefined, { person_id: 1, facts: {} }, new Date(0)), brand: { name: '' } }
  const names = Object.entries(given).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? Object.keys(value).map((key) => `${name}.${key}`) : [name],
  )
  expect([...smsVariables].sort()).toEqual(names.sort())
})

test('the address for receipts is told to those who connect providers, and to nobody else', async () => {
  const path = `/api/callbacks/sms/${receiptKey(here.parts.stores.keyring.index)}`
  const asked = async (role: 'owner' | 'engineer' | 'operator') =>
    (await here.as(role))('GET', '/api/channels/sms/receipt-address')
  expect((await asked('engineer')).body).toEqual({ address: path })
  expect((await asked('owner')).body).toEqual({ address: path })
  expect((await asked('operator')).status).toBe(403)
  expect((await here.anonymous('POST', path, [])).body).toEqual({ code: 0, msg: '接收成功' })
})
