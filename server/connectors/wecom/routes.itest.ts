/** WeCom's callbacks over HTTP: the check of the address, contacts that come and go, and everything that is not from WeCom. */
import { beforeAll, describe, expect, test } from 'vitest'
import { testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { openCallbackCrypto } from '../../../wecom/callback/crypto.ts'
import { sql } from '../../platform/postgres/sql.ts'

const CORP = 'ww0123456789abcdef'
const TOKEN = 'QDG6eK'
const KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C'
const ADDED = new Date('2026-03-02T01:59:58Z')

const db = await testDatabase()
const here = await testApp(db, { at: '2026-03-02T02:00:00Z' })
const owner = await here.as('owner')
const guide = await here.as('guide')
await db.run(sql`update staff set wecom_user_id = 'ZhangSan' where id = ${guide.staffId}`)
const ours = openCallbackCrypto({ token: TOKEN, encodingAesKey: KEY, receiveId: CORP })

function signed(encrypt: string, crypto = ours): string {
  const parts = { timestamp: '1772416800', nonce: 'n1', encrypt }
  return new URLSearchParams({
    msg_signature: crypto.sign(parts),
    timestamp: parts.timestamp,
    nonce: parts.nonce,
  }).toString()
}

function eventOf(change: string, more: { user?: string; external?: string; at?: Date } = {}): string {
  const { user = 'zhangsan', external = 'wmCUSTOMER01', at = ADDED } = more
  return `<xml><ToUserName><![CDATA[${CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>
    <CreateTime>${Math.floor(at.getTime() / 1000)}</CreateTime><MsgType><![CDATA[event]]></MsgType>
    <Event><![CDATA[change_external_contact]]></Event><ChangeType><![CDATA[${change}]]></ChangeType>
    <UserID><![CDATA[${user}]]></UserID><ExternalUserID><![CDATA[${external}]]></ExternalUserID>
    <State><![CDATA[poster]]></State></xml>`
}

async function calls(message: string, crypto = ours): Promise<{ status: number; text: string }> {
  const encrypt = crypto.encrypt(message)
  const body = `<xml><ToUserName><![CDATA[${CORP}]]></ToUserName><Encrypt><![CDATA[${encrypt}]]></Encrypt></xml>`
  const response = await fetch(`${here.address}/api/callbacks/wecom?${signed(encrypt, crypto)}`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml' },
    body,
  })
  return { status: response.status, text: await response.text() }
}

async function checks(encrypt: string, query = signed(encrypt)): Promise<{ status: number; text: string }> {
  const path = `/api/callbacks/wecom?${query}&echostr=${encodeURIComponent(encrypt)}`
  const response = await fetch(`${here.address}${path}`)
  return { status: response.status, text: await response.text() }
}

async function events(): Promise<{ type: string; lane: string; data: Record<string, unknown>; at: Date }[]> {
  return db.rows(
    sql`select type, case lane when 0 then 'live' else 'bulk' end as lane, data, at from event_log where type like 'contact_%' order by xid, seq`,
  )
}

test('before the callback is set up there is nothing at its address', async () => {
  expect((await checks(ours.encrypt('1616140317555161061'))).status).toBe(404)
  expect((await calls(eventOf('add_external_contact'))).status).toBe(404)
})

describe('set up', () => {
  beforeAll(async () => {
    const { body } = await owner('GET', '/api/channels')
    const { version } = (body as { items: { name: string; version: number }[] }).items.find(
      ({ name }) => name === 'wecom',
    ) ?? { version: 0 }
    const credentials = {
      channel: 'wecom',
      corpId: CORP,
      secret: 'secret',
      callbackToken: TOKEN,
      callbackKey: KEY,
    }
    const answer = await owner('PUT', '/api/channels/wecom/connection', { credentials, version })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(answer.body)).not.toContain(KEY)
  })

  test('the check of the address is answered with the bare text', async () => {
    expect(await checks(ours.encrypt('1616140317555161061'))).toEqual({
      status: 200,
      text: '1616140317555161061',
    })
  })

  test('whatever is not signed with our token, or sealed for another corp, finds nothing', async () => {
    const sealed = ours.encrypt('1')
    expect((await checks(sealed, signed(ours.encrypt('2')))).status).toBe(404)
    expect((await checks(sealed, '')).status).toBe(404)
    const others = openCallbackCrypto({ token: TOKEN, encodingAesKey: KEY, receiveId: 'wwANOTHER' })
    expect((await calls(eventOf('add_external_contact'), others)).status).toBe(404)
    const guessed = openCallbackCrypto({ token: 'guess', encodingAesKey: KEY, receiveId: CORP })
    expect((await calls(eventOf('add_external_contact'), guessed)).status).toBe(404)
    expect(await events()).toEqual([])
  })

  test('a contact that is added is a person with a relation, and a live event of its own moment', async () => {
    expect(await calls(eventOf('add_external_contact'))).toEqual({ status: 200, text: '' })
    expect(await events()).toMatchObject([
      { type: 'contact_added', lane: 'live', data: { staffId: guide.staffId }, at: ADDED },
    ])
    const [person] = await db.rows(sql`select kind, wecom, state from person`)
    expect(person).toEqual({ kind: 'contact', wecom: 'followed', state: 'live' })
    const [relation] = await db.rows(sql`select staff_id, state, standing, added_at from relation`)
    expect(relation).toEqual({ staff_id: guide.staffId, state: 'poster', standing: true, added_at: ADDED })
  })

  test('a repeat changes nothing', async () => {
    for (let times = 0; times < 3; times += 1)
      expect((await calls(eventOf('add_external_contact'))).status).toBe(200)
    expect(await events()).toHaveLength(1)
    expect(await db.rows(sql`select id from person`)).toHaveLength(1)
  })

  test('a customer who deletes the guide is lost, since then and by whom', async () => {
    const at = new Date('2026-03-02T01:59:59Z')
    expect((await calls(eventOf('del_follow_user', { at }))).status).toBe(200)
    expect((await events())[1]).toMatchObject({ type: 'contact_lost', lane: 'live', data: { by: 'member' } })
    const [relation] = await db.rows(sql`select standing, added_at, lost_at, lost_by from relation`)
    expect(relation).toEqual({ standing: false, added_at: ADDED, lost_at: at, lost_by: 'member' })
    expect(await db.row(sql`select wecom from person`)).toEqual({ wecom: 'lost' })
  })

  test('what is about nobody of the staff, or about something else, is taken and changes nothing', async () => {
    for (const message of [
      eventOf('add_external_contact', { user: 'nobody', external: 'wmSECRET02' }),
      eventOf('edit_external_contact'),
      eventOf('transfer_fail'),
      '<xml><Event><![CDATA[change_external_chat]]></Event></xml>',
    ])
      expect((await calls(message)).status).toBe(200)
    expect(await events()).toHaveLength(2)
    expect(here.logged.join('\n')).toContain('wecom.callback_of_unknown_staff')
  })

  test('what is signed but no message is refused, and no log names a customer', async () => {
    const { status, text } = await calls('<!DOCTYPE x><xml/>')
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([400, 'bad_input'])
    expect(here.logged.join('\n')).not.toMatch(/wmSECRET02|wmCUSTOMER01/)
  })
})
