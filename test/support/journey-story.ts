/** Two SOPs with their people, what happens to them in phases, and the processes that work for them and are killed. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startSmsSandbox } from '../../sandbox/sms/server.ts'
import { startWecomSandbox } from '../../sandbox/wecom/server.ts'
import { createSegment } from '../../server/audience/audience.ts'
import {
  append,
  hasCaughtUp,
  type NewEvent,
  recordOrders,
  registerConsumers,
} from '../../server/events/events.ts'
import { createJourney, goLive } from '../../server/journeys/journeys.ts'
import { idOf } from '../../server/platform/ids.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { finishTask } from '../../server/tasks/tasks.ts'
import { testDatabase } from './database.ts'
import type { Order } from './journey-worker.ts'
import { orderOf } from './orders.ts'
import { holdNobodyOut, makeMembers, makeStaff, openSimulated } from './reach.ts'
import { TEN, testKeys } from './reach-ports.ts'
import { type Epoch, setEpoch, timeOf } from './test-time.ts'

const MEMBERS = 60
const GUIDES = 6
/** Who never confirms a mass message. */
const LAZY = 'guide1'
/** Business time; longer than the providers take to show something. */
const SETTLE_SECONDS = 20
const VISIBLE_AFTER_MS = 3000
const WORKER = fileURLToPath(new URL('./journey-worker.ts', import.meta.url))

export type Story = {
  db: Database
  members: readonly number[]
  guide: string
  /** The segment whose members the waking SOP takes in. */
  segmentId: number
}

/** `days` after ten o'clock of the first day, in Shanghai. */
function after(days: number, minutes = 0): Date {
  return new Date(TEN.getTime() + days * 86_400_000 + minutes * 60_000)
}

/** Hours apart, so that no deadline lies near a phase: on a slow machine a phase takes long by its own clock. */
export const phases = [
  { name: 'enters', at: after(0) },
  { name: 'tasks done', at: after(0, 180) },
  { name: 'buys', at: after(2) },
  { name: 'thanked', at: after(2, 180) },
  { name: 'day 3', at: after(3, 120) },
  { name: 'day 3, next slot', at: after(3, 300) },
  { name: 'day 5', at: after(5, 480) },
  { name: 'day 5, next slot', at: after(5, 540) },
  { name: 'day 7', at: after(7, 120) },
  { name: 'day 7, next slot', at: after(7, 300) },
  { name: 'day 9', at: after(9, 480) },
  { name: 'day 9, next slot', at: after(9, 540) },
  { name: 'day 21', at: after(21, 120) },
  { name: 'day 21, next slot', at: after(21, 300) },
] as const
export type Phase = (typeof phases)[number]

/** What happens from outside in a phase: half are added by a guide, half fall asleep; tasks are done; some buy. */
export async function tellPhase(story: Story, { name }: Phase, now: Date): Promise<void> {
  const { db, members } = story
  if (name === 'enters') {
    const events = members.map((personId, index) =>
      index % 12 < 6 ? added(story, personId, now) : fellAsleep(story, personId, now),
    )
    await db.transaction((tx) => append(tx, events, { lane: 'live', source: 'test', receivedAt: now }))
  } else if (name === 'tasks done' || name === 'thanked' || name === 'day 9') {
    await finishTasks(story, now)
  } else if (name === 'buys') {
    const buyers = members.filter((_, index) => index % 5 < 2)
    const orders = buyers.map((personId) => ({
      profileId: personId,
      personId,
      order: orderOf(`o-${personId}`, now, 19_900),
    }))
    await db.transaction((tx) => recordOrders(tx, orders, { lane: 'live', source: 'till', receivedAt: now }))
  }
}

function added({ guide }: Story, personId: number, at: Date): NewEvent {
  const data = { staffId: guide, addWay: null }
  return { id: idOf('added', personId), type: 'contact_added', profileId: personId, personId, at, data }
}

function fellAsleep({ segmentId }: Story, personId: number, at: Date): NewEvent {
  const data = { segmentId, cause: 'time' }
  return { id: idOf('asleep', personId), type: 'segment_entered', profileId: personId, personId, at, data }
}

/** Guides do two tasks of three; the others run out. */
async function finishTasks({ db, guide }: Story, at: Date): Promise<void> {
  const open = await db.rows<{ id: string }>(sql`
    select id from task where state in ('open', 'late') and person_id % 3 <> 0 order by person_id, node_id`)
  for (const { id } of open)
    await db.transaction((tx) => finishTask(tx, id, { outcome: 'sent', by: guide, at }))
}

async function makeStory(): Promise<Story> {
  const db = await testDatabase()
  const staff = await makeStaff(db, GUIDES)
  const members = await makeMembers(db, testKeys(), { count: MEMBERS, staffIds: staff })
  await holdNobodyOut(db)
  await registerConsumers(db, ['react'])
  return db.transaction(async (tx) => {
    const rule = { kind: 'lifecycle', states: ['silent', 'near_sleep'] } as const
    const fields = { name: '沉默', description: '', rule: { ...rule, states: [...rule.states] } }
    const { id: segmentId } = await createSegment(tx, fields, { by: null, at: TEN })
    const more = { enterPresent: false, texts: {}, by: null }
    for (const wanted of [
      { template: 'new_member_follow_up' as const, name: '新会员' },
      { template: 'wake_sleeping' as const, name: '唤醒', segmentId },
    ])
      await goLive(tx, await createJourney(tx, { ...wanted, ...more }, TEN), 1, null, TEN)
    return { db, members, guide: staff[0] ?? '', segmentId }
  })
}

export type Harness = {
  readonly story: Story
  now(): Date
  moveTo(at: Date): Promise<void>
  /** Starts one more process; it ends by itself at its crash point. */
  start(crashAt?: string): ChildProcess
  /** True when it died at the point. */
  runToItsPoint(point: string): Promise<boolean>
  /** Two processes wait for one lease; whichever works is killed `ms` later. */
  killWhoeverWorks(ms: number): Promise<void>
  killAll(): Promise<void>
  /** The next answer of the providers is lost after its effect. */
  loseAnAnswer(): void
  /** Lets processes work until nothing is left to do at this time; guides but one confirm, the operator reports. */
  settle(): Promise<void>
  /** How often each message reached each address. */
  received(): Map<string, number>
  /** External user ids and phones of persons. */
  addressesOf(personIds: readonly string[]): Promise<string[]>
  end(): Promise<void>
}

export async function journeyHarness(): Promise<Harness> {
  const story = await makeStory()
  const { db } = story
  let epoch: Epoch = await setEpoch(db, TEN)
  const clock = () => timeOf(epoch)
  const slow = { clock, visibleAfterMs: VISIBLE_AFTER_MS, latencyMs: 10 }
  const wecom = await startWecomSandbox({ ...slow, dispatchMs: 500 })
  const sms = await startSmsSandbox({ ...slow, retryMs: [] })
  await openSimulated(db, 'wecom', wecom.baseUrl)
  await openSimulated(db, 'sms', sms.baseUrl)
  const cache = await mkdtemp(join(tmpdir(), 'liuliang-cache-'))
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  await once(spawn(process.execPath, [WORKER, 'warm-up'], { env }), 'exit')
  const running = new Set<ChildProcess>()
  const rounds = new WeakMap<ChildProcess, number>()

  function start(crashAt?: string): ChildProcess {
    const order: Order = {
      databaseUrl: db.url,
      wecomUrl: wecom.baseUrl,
      smsUrl: sms.baseUrl,
      settleSeconds: SETTLE_SECONDS,
      crashAt,
    }
    const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    })
    running.add(child)
    child.stdout?.on('data', () => rounds.set(child, (rounds.get(child) ?? 0) + 1))
    child.once('exit', () => running.delete(child))
    return child
  }

  async function killAll(): Promise<void> {
    await Promise.all([...running].map((child) => killed(child)))
  }

  function confirmAll(): void {
    for (const { msgid, sender } of wecom.state.messages.values()) if (sender !== LAZY) wecom.confirm(msgid)
  }

  return {
    story,
    now: clock,
    start,
    killAll,
    async moveTo(at) {
      epoch = await setEpoch(db, new Date(Math.max(at.getTime(), clock().getTime())))
    },
    async runToItsPoint(point) {
      const child = start(point)
      const timer = setTimeout(() => child.kill('SIGTERM'), 60_000)
      const working = setInterval(confirmAll, 100)
      const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
      clearTimeout(timer)
      clearInterval(working)
      return signal === 'SIGKILL'
    },
    async killWhoeverWorks(ms) {
      while (running.size < 2) start()
      const before = new Map([...running].map((child) => [child, rounds.get(child) ?? 0]))
      const isWorking = (child: ChildProcess) => (rounds.get(child) ?? 0) > (before.get(child) ?? 0)
      let working: ChildProcess | undefined
      while (!working && running.size > 0) {
        await sleep(5)
        working = [...running].find(isWorking)
      }
      await sleep(ms)
      confirmAll()
      if (working) await killed(working)
    },
    loseAnAnswer() {
      wecom.state.inject({ kind: 'drop_answer' })
      sms.inject({ kind: 'drop_answer' })
    },
    async settle() {
      if (running.size === 0) start()
      const until = Date.now() + 180_000
      for (let quiet = 0; quiet < 3; ) {
        if (Date.now() > until)
          throw new Error(`work was left: ${JSON.stringify(await leftToDo(db, clock()))}`)
        await sleep(60)
        confirmAll()
        for (const { bizId, status } of sms.messages) if (status === 1) await sms.report(bizId, true)
        const left = await leftToDo(db, clock())
        const caughtUp = await hasCaughtUp(db, 'react')
        quiet = caughtUp && Object.values(left).every((rows) => rows === 0) ? quiet + 1 : 0
      }
      wecom.state.clearFaults()
    },
    received() {
      const times = new Map<string, number>()
      const count = (key: string) => times.set(key, (times.get(key) ?? 0) + 1)
      for (const { phone, params } of sms.messages) count(`${phone} ${JSON.stringify(params)}`)
      for (const { recipients, text, cancelled, confirmedAt } of wecom.state.messages.values()) {
        if (cancelled || confirmedAt === null) continue
        for (const { externalUserId } of recipients) count(`${externalUserId} ${text}`)
      }
      return times
    },
    async addressesOf(personIds) {
      const own = story.members.flatMap((id, index) =>
        personIds.includes(String(id)) ? [`wm${index + 1}`, `138${String(index + 1).padStart(8, '0')}`] : [],
      )
      return own
    },
    async end() {
      await killAll()
      await wecom.close()
      await sms.close()
      await rm(cache, { recursive: true, force: true })
    },
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** What is due now, by what it is. */
async function leftToDo(db: Database, now: Date): Promise<Record<string, number>> {
  return db.row(sql`
    select
      (select count(*)::int from enrolment where state = 'active' and due_at <= ${now}) as stays,
      (select count(*)::int from outbox where state in ('ready', 'sending', 'asking', 'closing')) as outbox,
      (select count(*)::int from outbox where state = 'created' and confirmed_at is null and sender_user_id <> ${LAZY}) as unconfirmed,
      (select count(*)::int from touch where state in ('planned', 'sending', 'confirmed')
         or (state = 'created' and channel = 'sms') or (state in ('offered', 'deferred') and due_at <= ${now})) as touches`)
}
