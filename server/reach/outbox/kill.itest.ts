/**
 * Real processes are killed while they decide and deliver: at each named crash point, and fifty times at random.
 * The providers run here, forget answers, and show what they have only after three seconds.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { startSmsSandbox } from '../../../sandbox/sms/server.ts'
import { startWecomSandbox } from '../../../sandbox/wecom/server.ts'
import { testDatabase } from '../../../test/support/database.ts'
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
import { TEN, testKeys } from '../../../test/support/reach-ports.ts'
import { sql } from '../../platform/postgres/sql.ts'

const WORKER = fileURLToPath(new URL('../../../test/support/reach-worker.ts', import.meta.url))
const RANDOM_KILLS = 50
/** Longer than the provider takes to show something, and a call to begin and to end, on a busy machine. */
const SETTLE_SECONDS = 20
const points = [
  'reach.decided',
  'reach.announced',
  'reach.handed',
  'reach.settled',
  'reach.asked',
  'reach.found',
  'reach.polled',
  'reach.cancelled',
  'reach.closed',
]

const startedAt = Date.now()
const clock = () => new Date(TEN.getTime() + Date.now() - startedAt)
const db = await testDatabase()
const keys = testKeys()
const wecom = await startWecomSandbox({ clock, visibleAfterMs: 3000, dispatchMs: 300, latencyMs: 15 })
const sms = await startSmsSandbox({ clock, visibleAfterMs: 3000, latencyMs: 15, retryMs: [] })
const staffIds = await makeStaff(db, 15)
const members = await makeMembers(db, keys, { count: 600, staffIds })
const link = { type: 'link', title: '上新', url: 'https://shop.example/new' } as const
const contents = {
  withLink: await makeContent(db, { channel: 'wecom', attachments: [link] }),
  textOnly: await makeContent(db, { channel: 'wecom', body: '今天到店有礼' }),
  sms: await makeContent(db, { channel: 'sms' }),
}
await holdNobodyOut(db)
await openSimulated(db, 'wecom', wecom.baseUrl)
await openSimulated(db, 'sms', sms.baseUrl)

const compileCache = await mkdtemp(join(tmpdir(), 'liuliang-cache-'))
// biome-ignore lint/style/noProcessEnv: the workers are started as this process was.
const env = { ...process.env, NODE_COMPILE_CACHE: compileCache }
await once(spawn(process.execPath, [WORKER, 'warm-up'], { env }), 'exit')
const running = new Set<ChildProcess>()
const roundsOf = new WeakMap<ChildProcess, number>()
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await wecom.close()
  await sms.close()
  await rm(compileCache, { recursive: true, force: true })
})

function start(crashAt?: string): ChildProcess {
  const order = {
    databaseUrl: db.url,
    wecomUrl: wecom.baseUrl,
    smsUrl: sms.baseUrl,
    startedAt,
    settleSeconds: SETTLE_SECONDS,
    crashAt,
  }
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  })
  running.add(child)
  child.stdout?.on('data', () => roundsOf.set(child, (roundsOf.get(child) ?? 0) + 1))
  child.once('exit', () => running.delete(child))
  return child
}

/** Ends by itself at its crash point, or is killed after `mostMs`. True when it died at the point. */
async function runToItsPoint(point: string, mostMs: number): Promise<boolean> {
  const child = start(point)
  const timer = setTimeout(() => child.kill('SIGTERM'), mostMs)
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return signal === 'SIGKILL'
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Two processes wait for one lease; whichever works is killed `ms` after it began a round, and the other takes over. */
async function killWhoeverWorks(ms: number): Promise<void> {
  while (running.size < 2) start()
  const before = new Map([...running].map((child) => [child, roundsOf.get(child) ?? 0]))
  const isWorking = (child: ChildProcess) => (roundsOf.get(child) ?? 0) > (before.get(child) ?? 0)
  let working: ChildProcess | undefined
  while (!working && running.size > 0) {
    await sleep(5)
    working = [...running].find(isWorking)
  }
  await sleep(ms)
  if (working) await kill(working)
}

/** Touches that are on their way to an end. */
async function unfinished(): Promise<number> {
  const { n } = await db.row<{ n: number }>(sql`
    select count(*)::int as n from touch where state in ('offered', 'deferred', 'planned', 'sending')`)
  return n
}

async function finish(mostMs: number): Promise<void> {
  if (running.size === 0) start()
  const until = Date.now() + mostMs
  while ((await unfinished()) > 0 && Date.now() < until) await sleep(200)
  for (const child of [...running]) await kill(child)
}

async function offerTo(some: readonly number[], round: number): Promise<void> {
  const kinds = [
    { channel: 'sms', contentId: contents.sms },
    { channel: 'wecom', contentId: contents.withLink },
    { channel: 'wecom', contentId: contents.textOnly },
  ] as const
  const wanted = some.map((personId, at) =>
    candidate({
      personId,
      ...(kinds[(at + round) % kinds.length] ?? kinds[0]),
      class: 'transactional',
    }),
  )
  await offerAll(db, wanted, clock())
}

/** How often each person was really reached, by both providers. A mass message that was cancelled reached nobody. */
function received(): Map<string, number> {
  const times = new Map<string, number>()
  const count = (who: string) => times.set(who, (times.get(who) ?? 0) + 1)
  for (const message of sms.messages) count(`${message.phone} ${message.outId}`)
  for (const message of wecom.state.messages.values())
    if (!message.cancelled)
      for (const recipient of message.recipients) count(`${recipient.externalUserId} ${message.text}`)
  return times
}

async function expectOnceOrUnknown(): Promise<void> {
  expect(await unfinished()).toBe(0)
  const times = received()
  expect([...times.values()].filter((n) => n > 1)).toEqual([])
  const states = await statesOf(db)
  const handed = (states['created'] ?? 0) + (states['confirmed'] ?? 0) + (states['delivered'] ?? 0)
  const unknown = states['unknown'] ?? 0
  expect(times.size).toBeGreaterThanOrEqual(handed)
  expect(times.size).toBeLessThanOrEqual(handed + unknown)
  const { doubled } = await db.row<{ doubled: number }>(sql`
    select count(*)::int as doubled from (
      select id from event_log group by id having count(*) > 1) e`)
  expect(doubled).toBe(0)
}

test('killed at each named point, every touch is received once or listed as unknown', async () => {
  const hit: string[] = []
  for (const [round, point] of points.entries()) {
    await offerTo(members.slice(round * 12, round * 12 + 12), round)
    if (point === 'reach.asked' || point === 'reach.found') {
      wecom.state.inject({ kind: 'drop_answer' })
      sms.inject({ kind: 'drop_answer', times: 2 })
    }
    if (point === 'reach.cancelled' || point === 'reach.closed')
      await db.run(
        sql`update outbox set expires_at = ${TEN} where state = 'created' and confirmed_at is null`,
      )
    if (await runToItsPoint(point, 90_000)) hit.push(point)
  }
  await finish(240_000)
  expect(hit).toEqual(points)
  await expectOnceOrUnknown()
})

test('killed fifty times at random while answers get lost, every touch is received once or listed as unknown', async () => {
  let from = 120
  let seed = 7
  const random = (most: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % most
  }
  for (let kill = 0; kill < RANDOM_KILLS; kill += 1) {
    const until = Math.min(from + 10, members.length)
    await offerTo(members.slice(from, until), kill)
    from = until
    if (kill % 5 === 0) wecom.state.inject({ kind: 'drop_answer' })
    if (kill % 4 === 0) sms.inject({ kind: 'drop_answer' })
    if (kill % 7 === 0) sms.inject({ kind: 'drop_call' })
    for (const message of wecom.state.messages.values())
      if (random(3) === 0 && !message.cancelled && message.confirmedAt === null) wecom.confirm(message.msgid)
    await killWhoeverWorks(random(260))
  }
  await finish(240_000)
  await expectOnceOrUnknown()
  const states = await statesOf(db)
  expect(states['unknown'] ?? 0).toBeLessThan(20)
})
