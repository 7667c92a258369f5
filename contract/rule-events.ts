/** The events that conditions may ask for: where they stand in the log, and what people call them. */
import type { EventType } from './events.ts'
import type { Lang } from './lifecycle.ts'
import type { RuleEvent } from './rule-parts.ts'

/** The type in the log, and the state where several kinds of event share a type. */
export function loggedAs(event: RuleEvent): { type: EventType; state?: string } {
  if (event === 'touch_held_out') return { type: 'touch_decided', state: 'held_out' }
  if (event === 'touch_dropped') return { type: 'touch_decided', state: 'dropped' }
  return { type: event }
}

const names: Readonly<Record<RuleEvent, Readonly<Record<Lang, string>>>> = {
  tracked: { zh: '自定义埋点事件', en: 'tracked event' },
  page_viewed: { zh: '浏览页面', en: 'page view' },
  visited_store: { zh: '到店', en: 'visit to a store' },
  member_replied: { zh: '回复消息', en: 'reply' },
  contact_added: { zh: '添加企微', en: 'WeCom contact added' },
  contact_lost: { zh: '企微流失', en: 'WeCom contact lost' },
  member_joined: { zh: '入会', en: 'joining' },
  touch_sent: { zh: '触达已发出', en: 'touch sent' },
  touch_confirmed: { zh: '触达已由导购确认', en: 'touch confirmed by a guide' },
  touch_delivered: { zh: '触达已送达', en: 'touch delivered' },
  touch_failed: { zh: '触达失败', en: 'touch failed' },
  touch_dropped: { zh: '触达被拦下', en: 'touch dropped' },
  touch_held_out: { zh: '被留作对照组', en: 'held out as a control' },
  task_created: { zh: '为其建立导购任务', en: 'guide task made' },
  task_done: { zh: '导购任务完成', en: 'guide task done' },
  task_late: { zh: '导购任务逾期', en: 'guide task late' },
  journey_entered: { zh: '进入 SOP', en: 'entering a SOP' },
  journey_left: { zh: '离开 SOP', en: 'leaving a SOP' },
}

export function ruleEventName(event: RuleEvent, lang: Lang): string {
  return names[event][lang]
}
