/**
 * What simulated people do about what reaches them, and when: pure, by the id of the touch or task, so that asking
 * again gives the same answer. Delays are log-normal; nobody works or answers at night.
 */
import { Chance } from './chance.ts'
import { whenAwake } from './hours.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export type Way = 'wecom' | 'sms' | 'task'
const REPLIES: Readonly<Record<Way, number>> = { wecom: 0.12, sms: 0, task: 0.25 }
const RETURNS: Readonly<Record<Way, number>> = { wecom: 0.05, sms: 0.02, task: 0.1 }
/** By messages within seven days: a second one is borne, the third costs, then it is over for many. */
const LEAVES: readonly number[] = [0, 0.002, 0.008, 0.05, 0.12]
/** A message at night is borne three times worse. */
const AT_NIGHT = 3

export type Answers = { repliesAt: number | null; buysAt: number | null; leavesAt: number | null }

/** `recent`: how many messages reached the person in the seven days up to this one. */
export function answersTo(
  seed: string,
  heard: { id: string; how: Way; at: number; recent: number },
): Answers {
  const { how, at, recent } = heard
  const chance = new Chance(seed, 'answer', heard.id)
  const after = (median: number, spread: number): number => at + Math.round(chance.logNormal(median, spread))
  const [replies, buys, leaves] = [chance.next(), chance.next(), chance.next()]
  const reply = whenAwake(after(35 * MINUTE_MS, 1.1), 8, 23)
  const purchase = whenAwake(after(1.5 * DAY_MS, 0.9), 10, 22)
  const leave = after(2 * HOUR_MS, 1.2)
  const night = whenAwake(at, 9, 21) === at ? 1 : AT_NIGHT
  const patience = how === 'sms' ? 0 : (LEAVES[Math.min(recent, LEAVES.length - 1)] ?? 0) * night
  return {
    repliesAt: replies < REPLIES[how] ? reply : null,
    buysAt: buys < RETURNS[how] ? purchase : null,
    leavesAt: leaves < patience ? leave : null,
  }
}

export type TaskAnswer = {
  at: number
  outcome: 'sent' | 'called' | 'will_come' | 'not_interested' | 'no_answer'
  feedback: string
  tags: boolean
}

const FEEDBACK: Readonly<Record<TaskAnswer['outcome'], string>> = {
  sent: '已发微信，会员说有空来看看',
  called: '已电话沟通，近期出差，回来再约',
  will_come: '约好周末到店试穿，已留尺码',
  not_interested: '暂时没有购买打算，喜欢的款式已记录',
  no_answer: '电话未接，晚些再联系',
}

/** When a guide does a task and what comes of it; null for those that are left. */
export function taskAnswer(
  seed: string,
  task: { id: string; kind: 'follow_up' | 'invite' | 'tag'; at: number },
): TaskAnswer | null {
  const chance = new Chance(seed, 'task', task.id)
  if (chance.hits(0.1)) return null
  const at = whenAwake(task.at + Math.round(chance.logNormal(4 * HOUR_MS, 1)), 10, 21)
  const outcome = task.kind === 'invite' ? invited(chance.next()) : followedUp(chance.next())
  return { at, outcome, feedback: FEEDBACK[outcome], tags: chance.hits(0.2) }
}

function followedUp(dice: number): TaskAnswer['outcome'] {
  return dice < 0.8 ? 'sent' : 'called'
}

function invited(dice: number): TaskAnswer['outcome'] {
  if (dice < 0.34) return 'will_come'
  if (dice < 0.58) return 'sent'
  if (dice < 0.7) return 'called'
  return dice < 0.86 ? 'no_answer' : 'not_interested'
}

/** When a guide presses send on a mass message; null: never, it will expire. */
export function confirmsAt(seed: string, message: { id: string; at: number }): number | null {
  const chance = new Chance(seed, 'confirm', message.id)
  if (chance.hits(0.12)) return null
  return whenAwake(message.at + Math.round(chance.logNormal(70 * MINUTE_MS, 1)), 10, 20)
}

/** When the operator reports on an SMS, and what. */
export function reportOf(
  seed: string,
  message: { id: string; at: number },
): { at: number; delivered: boolean } {
  const chance = new Chance(seed, 'report', message.id)
  return { at: message.at + Math.round(chance.logNormal(6000, 0.7)), delivered: chance.hits(0.97) }
}
