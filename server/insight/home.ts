/** The state of the brand at a glance: what has stopped, how the base is, what happens today. */
import type { Home } from '../../contract/insight.ts'
import { type LifecycleState, lifecycleStates } from '../../contract/lifecycle.ts'
import { lifecycleFigures } from '../audience/audience.ts'
import { countDeadLetters, readLag, silentSources } from '../events/events.ts'
import { countLive } from '../journeys/journeys.ts'
import { countBase } from '../members/members.ts'
import { brand } from '../org/org.ts'
import { keepAnswer } from '../platform/kept-answer.ts'
import type { Database } from '../platform/postgres/database.ts'
import { addDays, dayOf, startOfDay, type Zone } from '../platform/time/zone.ts'
import { listChannels, touchesOfDay } from '../reach/reach.ts'
import { taskCounts } from '../tasks/tasks.ts'
import { dayCounts, demoPersons } from './store.ts'

const DAYS = 30
/** A consumer further behind than this is said on the page. */
const MAX_LAG_SECONDS = 60

export type HomeDeps = {
  db: Database
  /** One sentence where time cannot be trusted. */
  clockTrouble: () => string | undefined
  clickhouseAnswers: () => Promise<boolean>
  diskFreeShare: () => Promise<number>
  /** One sentence where the disk is so full that intake and sending wait. */
  diskTrouble: () => string | undefined
}

/** Consoles ask every ten seconds; the figures are those of everybody, whoever asks. */
const KEPT_MS = 10_000

/** What stands still is told as it is; figures are counted once for whoever asks within ten seconds. */
export function openHome(deps: HomeDeps): (now: Date) => Promise<Home> {
  const figures = keepAnswer<Figures>(KEPT_MS)
  return async (now) => {
    const { db } = deps
    const own = await brand(db)
    return {
      brand: { name: own.name, demo: await demoPersons(db), currency: own.currency, zone: own.zone },
      stopped: await whatStopped(deps, now),
      ...(await figures(own.zone, now, () => figuresAt(db, own.zone, now))),
    }
  }
}

type Figures = Omit<Home, 'brand' | 'stopped'>

async function figuresAt(db: Database, zone: Zone, now: Date): Promise<Figures> {
  const today = dayOf(zone, now)
  const [overview, counts, days, touches, tasks] = await Promise.all([
    lifecycleFigures(db, { now, zone }),
    countBase(db),
    dayCounts(db, zone, startOfDay(zone, addDays(today, 1 - DAYS))),
    touchesOfDay(db, zone, today),
    taskCounts(db, startOfDay(zone, today), startOfDay(zone, addDays(today, 1))),
  ])
  const asleep = overview.lifecycle.filter(({ state }) =>
    ['silent', 'near_sleep', 'hibernating', 'lost'].includes(state),
  )
  return {
    asOf: now.toISOString(),
    persons: counts.persons,
    members: counts.members,
    reachable: counts.reachableAny,
    lifecycle: inOrder(overview.lifecycle),
    asleep: asleep.reduce((sum, { persons }) => sum + persons, 0),
    fallingAsleep30Days: overview.fallingAsleep30Days,
    newThisMonth: overview.newThisMonth,
    wokenThisMonth: overview.wokenThisMonth,
    journeysLive: await countLive(db),
    touchesToday: byState(touches),
    tasksToday: tasks,
    days: filled(days, zone, now),
  }
}

/** From alive to lost, then those who never bought. */
function inOrder(counts: readonly { state: LifecycleState; persons: number }[]): Home['lifecycle'] {
  const known = new Map(counts.map(({ state, persons }) => [state, persons]))
  return lifecycleStates.map((state) => ({ state, persons: known.get(state) ?? 0 }))
}

function byState(counts: readonly { state: string; touches: number }[]): Home['touchesToday'] {
  const sums = new Map<string, number>()
  for (const { state, touches } of counts) sums.set(state, (sums.get(state) ?? 0) + touches)
  return [...sums].map(([state, touches]) => ({ state, touches }))
}

/** Every day of the last 30, also those on which nothing happened. */
function filled(days: Home['days'], zone: Zone, now: Date): Home['days'] {
  const known = new Map(days.map((day) => [day.day, day]))
  const today = dayOf(zone, now)
  return Array.from({ length: DAYS }, (_, index) => {
    const day = addDays(today, index + 1 - DAYS)
    return known.get(day) ?? { day, joined: 0, bought: 0, touched: 0 }
  })
}

const LOW_DISK = 0.1

function spanOf(hours: number): { zh: string; en: string } {
  if (hours < 1) return { zh: '不到 1 小时', en: 'less than an hour' }
  if (hours < 48) return { zh: ` ${Math.round(hours)} 小时`, en: `${Math.round(hours)} hours` }
  return { zh: ` ${Math.round(hours / 24)} 天`, en: `${Math.round(hours / 24)} days` }
}

async function whatStopped(
  { db, clockTrouble, clickhouseAnswers, diskFreeShare, diskTrouble }: HomeDeps,
  now: Date,
): Promise<Home['stopped']> {
  const stopped: Home['stopped'] = []
  const clock = clockTrouble()
  if (clock !== undefined)
    stopped.push({
      what: 'clock',
      text: {
        zh: '服务器时钟不可信，SOP 和发送已暂停。请校准时钟；若时钟无误，请运行 liuliang doctor --accept-clock',
        en: clock,
      },
      since: null,
    })
  if (!(await clickhouseAnswers())) {
    stopped.push({
      what: 'clickhouse',
      text: {
        zh: '分析引擎没有响应，数据照常接收，恢复后会自动补上',
        en: 'ClickHouse does not answer; intake goes on and is caught up later',
      },
      since: null,
    })
  }
  const full = diskTrouble()
  const free = await diskFreeShare()
  if (full !== undefined) {
    stopped.push({
      what: 'disk',
      text: { zh: '磁盘空间不足，导入、接收和发送已暂停；腾出空间后会自动恢复', en: full },
      since: null,
    })
  } else if (free < LOW_DISK) {
    const share = `${(free * 100).toFixed(1)} %`
    stopped.push({
      what: 'disk',
      text: { zh: `磁盘只剩 ${share}，请尽快清理或扩容`, en: `Only ${share} of the disk is free: make room` },
      since: null,
    })
  }
  for (const lag of await readLag(db, now)) {
    if (lag.lane === 'live' && lag.seconds > MAX_LAG_SECONDS) {
      stopped.push({
        what: `consumer.${lag.name}`,
        text: {
          zh: `处理进度落后 ${Math.round(lag.seconds / 60)} 分钟（${lag.name}）`,
          en: `${lag.name} is ${Math.round(lag.seconds / 60)} minutes behind`,
        },
        since: null,
      })
    }
  }
  for (const channel of await listChannels(db)) {
    if (channel.failing !== null) {
      stopped.push({
        what: `channel.${channel.name}`,
        text: {
          zh: `渠道 ${channel.name} 连续失败，已暂停`,
          en: `The channel ${channel.name} keeps failing and rests`,
        },
        since: null,
      })
    }
  }
  for (const { source, lastAt, usualHours } of await silentSources(db, now)) {
    const hours = (now.getTime() - lastAt.getTime()) / 3_600_000
    stopped.push({
      what: `source.${source}`,
      text: {
        zh: `数据源「${source}」已 ${spanOf(hours).zh}没有数据（通常最长间隔 ${spanOf(usualHours).zh}），请检查对接是否中断`,
        en: `The source ${source} has told nothing for ${spanOf(hours).en} (its longest usual pause is ${spanOf(usualHours).en}): look at what connects it`,
      },
      since: lastAt.toISOString(),
    })
  }
  const { dead } = await countDeadLetters(db)
  if (dead > 0)
    stopped.push({
      what: 'dead_letters',
      text: {
        zh: `${dead} 个事件处理失败，需要人工查看`,
        en: `${dead} events could not be handled: somebody must look`,
      },
      since: null,
    })
  return stopped
}
