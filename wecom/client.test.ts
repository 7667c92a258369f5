import { afterEach, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from '../sandbox/wecom/server.ts'
import { openWecom, WecomRefused, WecomSilent } from './client.ts'

const open: WecomSandbox[] = []
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close()
})

async function start(given: Parameters<typeof startWecomSandbox>[0] = {}) {
  const sandbox = await startWecomSandbox(given)
  open.push(sandbox)
  const client = openWecom({ baseUrl: sandbox.baseUrl, corpId: 'ww-sandbox', secret: 'sandbox-secret' })
  return { sandbox, client }
}

const message = {
  chat_type: 'single',
  external_userid: ['wm1'],
  sender: 'li',
  text: { content: '您好' },
} as const

function add(client: ReturnType<typeof openWecom>) {
  return client.addMessage({ ...message, external_userid: [...message.external_userid] })
}

test('many calls at once fetch one token', async () => {
  const { sandbox, client } = await start()
  await Promise.all(Array.from({ length: 10 }, () => add(client)))
  expect(sandbox.state.calls.get('/cgi-bin/gettoken')).toBe(1)
  expect(sandbox.state.messages.size).toBe(10)
})

test.each([40014, 42001] as const)(
  'a token refused with %i is fetched again once and the call repeated',
  async (code) => {
    const { sandbox, client } = await start()
    await add(client)
    sandbox.state.inject({ kind: 'refuse_token', code })
    await add(client)
    expect(sandbox.state.calls.get('/cgi-bin/gettoken')).toBe(2)
    expect(sandbox.state.messages.size).toBe(2)
  },
)

test('a token that is refused for ever ends after one repeat', async () => {
  const { sandbox, client } = await start()
  sandbox.state.inject({ kind: 'refuse_token', code: 40014, times: 100 })
  await expect(add(client)).rejects.toMatchObject({ name: 'WecomRefused', code: 40014 })
  expect(sandbox.state.calls.get('/cgi-bin/externalcontact/add_msg_template')).toBe(2)
})

test('reading is repeated while WeCom is busy, sending never', async () => {
  const { sandbox, client } = await start()
  const { msgid = '' } = await add(client)
  sandbox.state.inject({ kind: 'refuse', code: -1 })
  expect((await client.getTask({ msgid })).task_list).toEqual([{ userid: 'li', status: 0 }])
  sandbox.state.inject({ kind: 'refuse', code: -1 })
  await expect(add(client)).rejects.toBeInstanceOf(WecomRefused)
  expect(sandbox.state.messages.size).toBe(1)
})

test('an answer that never comes is silence, and says nothing of the token', async () => {
  const { sandbox, client } = await start()
  await add(client)
  sandbox.state.inject({ kind: 'drop_answer' })
  const failure = await add(client).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(WecomSilent)
  const [token = 'none'] = sandbox.state.tokens
  expect(`${(failure as Error).message}${JSON.stringify(failure)}`).not.toContain(token)
  expect(sandbox.state.messages.size).toBe(2)
})

test('a mass message reaches friends with quota left, once it is confirmed', async () => {
  const { sandbox, client } = await start({ monthlyQuota: 1 })
  sandbox.state.strangers.add('li wm9')
  const first = await client.addMessage({
    sender: 'li',
    external_userid: ['wm1', 'wm9'],
    text: { content: 'a' },
  })
  expect(first.fail_list).toEqual(['wm9'])
  const second = await client.addMessage({
    sender: 'li',
    external_userid: ['wm1', 'wm2'],
    text: { content: 'b' },
  })
  sandbox.confirm(first.msgid ?? '')
  sandbox.state.strangers.add('li wm2')
  sandbox.confirm(second.msgid ?? '')
  const result = await client.getSendResult({ msgid: second.msgid ?? '', userid: 'li' })
  expect(result.send_list?.map((row) => [row.external_userid, row.status])).toEqual([
    ['wm1', 3],
    ['wm2', 2],
  ])
})

test('what is cancelled cannot be confirmed, and asking says so', async () => {
  const { sandbox, client } = await start()
  const { msgid = '' } = await add(client)
  await client.cancel({ msgid })
  expect(sandbox.confirm(msgid)).toBe(false)
  await expect(client.getTask({ msgid })).rejects.toMatchObject({ code: 41093 })
})

test('the list is paged by its cursor', async () => {
  const { client } = await start()
  for (let made = 0; made < 5; made += 1) await add(client)
  const seconds = Math.floor(Date.now() / 1000)
  const range = { chat_type: 'single', start_time: seconds - 60, end_time: seconds + 60, limit: 2 } as const
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await client.listMessages({ ...range, ...(cursor ? { cursor } : {}) })
    seen.push(...(page.group_msg_list ?? []).map((one) => one.msgid))
    cursor = page.next_cursor ?? ''
  } while (cursor)
  expect(new Set(seen).size).toBe(5)
})
