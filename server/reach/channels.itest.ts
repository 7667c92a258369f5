/** A channel on its way: off, connected in test, live, back, off; over HTTP, with a provider that answers like WeCom. */
import { afterAll, describe, expect, test } from 'vitest'
import type { ChannelState } from '../../contract/reach.ts'
import { startWecomSandbox } from '../../sandbox/wecom/server.ts'
import { testApp } from '../../test/support/app.ts'
import { testDatabase } from '../../test/support/database.ts'
import { untilSomebodyWaits } from '../../test/support/lock-waits.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  makeStaff,
  offerAll,
  statesOf,
} from '../../test/support/reach.ts'
import { peopleOf, TEN } from '../../test/support/reach-ports.ts'
import { idOf } from '../platform/ids.ts'
import { withLease } from '../platform/jobs/lease.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { goLive, setAllowList } from './channels.ts'
import { connectChannel } from './connection.ts'

const SECRET = 'a-secret-nobody-may-read'
const CORP = 'ww0123456789abcdef'

const db = await testDatabase()
const wecom = await startWecomSandbox({ corpId: CORP, secret: SECRET, clock: () => here.clock.now() })
const here = await testApp(db, { at: TEN.toISOString(), providers: { wecom: wecom.baseUrl } })
afterAll(() => wecom.close())
const { keyring } = here.parts.stores
const owner = await here.as('owner', { rights: ['approve'] })
const operator = await here.as('operator')
const guide = await here.as('guide')
const staffIds = await makeStaff(db, 1)
const [allowed = 0, other = 0, spare = 0] = await makeMembers(db, keyring, { count: 3, staffIds })
const [demo = 0] = await makeMembers(db, keyring, { count: 1, staffIds, demo: true, first: 90 })
const contentId = await makeContent(db, { channel: 'wecom' })
await holdNobodyOut(db)

async function wecomChannel(): Promise<ChannelState> {
  const { body } = await owner('GET', '/api/channels')
  const found = (body as { items: ChannelState[] }).items.find(({ name }) => name === 'wecom')
  if (!found) throw new Error('no such channel')
  return found
}

async function connect(secret: string, call = owner) {
  const { version } = await wecomChannel()
  const credentials = { channel: 'wecom', corpId: CORP, secret }
  return call('PUT', '/api/channels/wecom/connection', { credentials, version })
}

/** Offers to each, and lets the loops of the program decide and deliver. */
async function send(round: string, persons: readonly number[]): Promise<void> {
  const wanted = persons.map((personId) =>
    candidate({ id: idOf(round, personId), personId, channel: 'wecom', class: 'transactional', contentId }),
  )
  await offerAll(db, wanted, here.clock.now())
  for (const name of ['arbiter', 'deliver']) {
    const loop = here.app.loops.find((one) => one.name === name)
    await withLease(db, name, async (held) => {
      while (((await loop?.work(held)) ?? 0) > 0);
    })
  }
}

function reached(): string[] {
  return [...wecom.state.messages.values()]
    .flatMap(({ recipients }) => recipients.map((one) => one.externalUserId))
    .sort()
}

describe('connecting', () => {
  test('is refused to those who may not, and live is refused while it is off', async () => {
    expect((await connect(SECRET, operator)).status).toBe(403)
    expect((await connect(SECRET, guide)).status).toBe(403)
    const { version } = await wecomChannel()
    const live = await owner('POST', '/api/channels/wecom/live-mode', { confirm: 'wecom', version })
    expect([live.status, (live.body as { code: string }).code]).toEqual([422, 'not_ready'])
    const back = await owner('POST', '/api/channels/wecom/test-mode', {})
    expect((back.body as { code: string }).code).toBe('not_ready')
    expect(await wecomChannel()).toMatchObject({ mode: 'off', account: null, configured: false })
  })

  test('refuses credentials of another channel and a version that was seen too early', async () => {
    const credentials = { channel: 'sms', accessKeyId: 'a', accessKeySecret: 'b' }
    const { version } = await wecomChannel()
    const wrong = await owner('PUT', '/api/channels/wecom/connection', { credentials, version })
    expect(wrong.body).toMatchObject({ code: 'bad_input', field: 'credentials' })
    const own = { channel: 'wecom', corpId: CORP, secret: SECRET }
    const stale = await owner('PUT', '/api/channels/wecom/connection', {
      credentials: own,
      version: version + 7,
    })
    expect([stale.status, (stale.body as { code: string }).code]).toEqual([409, 'stale_version'])
  })

  test('starts in test, and what was entered is nowhere to be read', async () => {
    const { status, body } = await connect(SECRET)
    expect(status).toBe(200)
    expect(body).toMatchObject({ mode: 'test', configured: true, account: 'ww0****cdef', liveSince: null })
    const { secret, key } = await db.row<{ secret: Buffer; key: Buffer }>(
      sql`select secret, secret_key as key from channel where name = 'wecom'`,
    )
    expect(secret.length).toBeGreaterThan(40)
    const told = [
      JSON.stringify(body),
      JSON.stringify((await owner('GET', '/api/channels')).body),
      JSON.stringify(await db.rows(sql`select * from audit_trail`)),
      here.logged.join('\n'),
      secret.toString('latin1'),
      key.toString('latin1'),
    ]
    for (const text of told) {
      expect(text).not.toContain(SECRET)
      expect(text).not.toContain(CORP)
    }
    const [note] = await db.rows<{ action: string; after: unknown }>(
      sql`select action, after from audit_trail where action like 'channel.%' order by seq desc limit 1`,
    )
    expect(note).toMatchObject({ action: 'channel.connected', after: { account: 'ww0****cdef' } })
  })
})

describe('in test', () => {
  test('only those on the list are reached; everybody else is held back with the reason', async () => {
    const { version } = await wecomChannel()
    const changed = await operator('PUT', '/api/channels/wecom', { allowList: ['wm1'], version })
    expect(changed.status).toBe(200)
    await send('in test', [allowed, other, demo])
    expect(reached()).toEqual(['wm1'])
    expect(await statesOf(db)).toEqual({
      created: 1,
      'dropped channel_in_test': 1,
      'dropped demo_person_real_channel': 1,
    })
  })
})

describe('live', () => {
  test('needs the right to approve, the name once more and the version that was seen', async () => {
    const { version } = await wecomChannel()
    const path = '/api/channels/wecom/live-mode'
    expect((await operator('POST', path, { confirm: 'wecom', version })).status).toBe(403)
    const unsure = await owner('POST', path, { confirm: 'sms', version })
    expect(unsure.body).toMatchObject({ code: 'bad_input', field: 'confirm' })
    const stale = await owner('POST', path, { confirm: 'wecom', version: version - 1 })
    expect((stale.body as { code: string }).code).toBe('stale_version')
    const { status, body } = await owner('POST', path, { confirm: 'wecom', version })
    expect([status, body]).toMatchObject([200, { mode: 'live', liveSince: TEN.toISOString() }])
    const [note] = await db.rows(
      sql`select action, actor_id from audit_trail where action = 'channel.to_live' and object_id = 'wecom'`,
    )
    expect(note).toMatchObject({ actor_id: owner.staffId })
  })

  test('reaches members, never those of the demo', async () => {
    await send('live', [other, demo])
    expect(reached()).toEqual(['wm1', 'wm2'])
    expect((await statesOf(db))['dropped demo_person_real_channel']).toBe(2)
  })

  test('the database refuses a demo member even where the code would hand over', async () => {
    const refusal = db.transaction(async (tx) => {
      const outbox = idOf('refused')
      await tx.run(sql`
        insert into outbox (id, channel, class, content_id, content_version, body, attachments, marker, slot, size, made_at)
        values (${outbox}, 'wecom', 'marketing', ${contentId}, 1, 'x', '[]', 'refused', ${TEN}, 1, ${TEN})`)
      await tx.run(sql`
        insert into touch (id, person_id, channel, class, content_id, offered_at, not_before, expires_at, due_at)
        values (${idOf('refused touch')}, ${demo}, 'wecom', 'marketing', ${contentId}, ${TEN}, ${TEN}, ${TEN}, ${TEN})`)
      await tx.run(
        sql`update touch set state = 'planned', due_at = null, outbox_id = ${outbox} where id = ${idOf('refused touch')}`,
      )
      await tx.run(
        sql`update outbox set state = 'sending', token = 1, tried_at = ${TEN} where id = ${outbox}`,
      )
    })
    await expect(refusal).rejects.toMatchObject({ constraint: 'demo_stays_simulated' })
  })

  test('with new credentials it is in test again, and a provider that refuses them shows as failing', async () => {
    expect((await connect('wrong')).body).toMatchObject({ mode: 'test', liveSince: null })
    await send('wrong secret', [allowed])
    expect(reached()).toEqual(['wm1', 'wm2'])
    expect((await wecomChannel()).failing).toContain('40001')
    expect((await connect(SECRET)).body).toMatchObject({ mode: 'test', failing: null })
    // What could not be handed over waits for its pause, and is handed over then.
    here.clock.advance({ hours: 1 })
    await send('right secret', [])
    expect(reached()).toEqual(['wm1', 'wm1', 'wm2'])
  })
})

describe('back to test', () => {
  async function goLive() {
    const { version } = await wecomChannel()
    expect((await owner('POST', '/api/channels/wecom/live-mode', { confirm: 'wecom', version })).status).toBe(
      200,
    )
  }
  /** What guides can still send. */
  function open(): string[] {
    return [...wecom.state.messages.values()]
      .filter(({ cancelled, confirmedAt }) => !cancelled && confirmedAt === null)
      .flatMap(({ recipients }) => recipients.map((one) => one.externalUserId))
      .sort()
  }

  test('what was decided while it was live and waits for the provider goes to those on the list only', async () => {
    await goLive()
    wecom.state.inject({ kind: 'refuse', code: 45009 })
    await send('waits for the provider', [allowed, other])
    const before = reached().filter((one) => one === 'wm2').length
    here.clock.advance({ minutes: 1 })
    expect((await owner('POST', '/api/channels/wecom/test-mode', {})).status).toBe(200)
    here.clock.advance({ hours: 1 })
    await send('back to test', [])
    expect(reached().filter((one) => one === 'wm2')).toHaveLength(before)
    const states = await db.rows(sql`
      select person_id as person, state, reason from touch where id = any(${[allowed, other].map((id) =>
        idOf('waits for the provider', id),
      )}::uuid[]) order by 1`)
    expect(states).toEqual([
      { person: allowed, state: 'created', reason: null },
      { person: other, state: 'dropped', reason: 'channel_in_test' },
    ])
  })

  test('mass messages that guides have not confirmed are taken back, and made again for those on the list', async () => {
    await goLive()
    await send('open at the guide', [allowed, other])
    expect(open()).toContain('wm2')
    here.clock.advance({ minutes: 1 })
    expect((await owner('POST', '/api/channels/wecom/test-mode', {})).status).toBe(200)
    here.clock.advance({ minutes: 1 })
    await send('taken back', [])
    expect([...new Set(open())]).toEqual(['wm1'])
    const touch = await db.row(
      sql`select state, reason from touch where id = ${idOf('open at the guide', other)}`,
    )
    expect(touch).toEqual({ state: 'dropped', reason: 'channel_in_test' })
  })
})

describe('at the same moment', () => {
  const [by = ''] = staffIds
  const now = TEN
  async function whileConnecting(work: (tx: Tx, version: number) => Promise<void>): Promise<unknown> {
    const { version } = await wecomChannel()
    let working: Promise<unknown> | undefined
    await db.transaction(async (tx) => {
      const credentials = { channel: 'wecom' as const, corpId: CORP, secret: 'another' }
      await connectChannel(tx, keyring.cipher, {
        name: 'wecom',
        credentials,
        version,
        now,
        baseUrl: wecom.baseUrl,
      })
      working = db.transaction((own) => work(own, version))
      await untilSomebodyWaits(db, { whatWaits: working })
    })
    return working
  }

  test('credentials that nobody has seen do not go live', async () => {
    const going = whileConnecting((tx, version) =>
      goLive(tx, 'wecom', { confirm: 'wecom', version, by, now }),
    )
    await expect(going).rejects.toMatchObject({ code: 'stale_version' })
    expect((await wecomChannel()).mode).toBe('test')
  })

  test('a list that was written for another version is refused', async () => {
    const { allowList } = await wecomChannel()
    const people = peopleOf(keyring)
    const writing = whileConnecting((tx, version) =>
      setAllowList(tx, people, 'wecom', ['wm7'], { version, now }),
    )
    await expect(writing).rejects.toMatchObject({ code: 'stale_version' })
    expect((await wecomChannel()).allowList).toEqual(allowList)
  })
})

describe('off', () => {
  test('nothing goes out and what the provider knew us by is forgotten', async () => {
    const { status, body } = await owner('POST', '/api/channels/wecom/off', {})
    expect([status, body]).toMatchObject([200, { mode: 'off', account: null, configured: false }])
    expect(
      await db.row(
        sql`select secret is null and secret_key is null as gone from channel where name = 'wecom'`,
      ),
    ).toEqual({ gone: true })
    const before = reached()
    await send('off', [spare])
    expect(reached()).toEqual(before)
    expect((await statesOf(db))['dropped channel_off']).toBe(1)
  })

  test('the database keeps no secret of a channel that is off or simulated', async () => {
    const hide = db.run(
      sql`update channel set secret = 'x', secret_key = 'y', account = 'z' where name = 'wecom'`,
    )
    await expect(hide).rejects.toMatchObject({ code: '23514' })
  })
})
