import type { JourneyTemplate } from '../../contract/journeys.ts'
import type { Lang } from './format.ts'

type Said = Readonly<Record<Lang, string>>

export const templateWords: Readonly<Record<JourneyTemplate, { name: Said; says: Said }>> = {
  new_member_follow_up: {
    name: { zh: '新会员跟进', en: 'New-member follow-up' },
    says: {
      zh: '添加、入会、到店或首购后跟进：买了的 0/3/7/15/30 天，没买的 0/3/7 天。',
      en: 'After an add, a visit or a first purchase: days 0/3/7/15/30 for buyers, 0/3/7 for the others.',
    },
  },
  wake_sleeping: {
    name: { zh: '唤醒沉睡会员', en: 'Wake sleeping members' },
    says: {
      zh: '沉默与濒临睡眠的会员：导购带资料和话术邀约，没回应的再发消息，看回店率。',
      en: 'Silent and near-sleep members: the guide invites with facts and a script, a message follows, the return rate tells.',
    },
  },
  birthday: {
    name: { zh: '生日祝福', en: 'Birthday greeting' },
    says: {
      zh: '生日当天（含农历）由导购祝福，没人祝福就发短信。',
      en: 'On the birthday (lunar ones too) the guide greets; an SMS where nobody did.',
    },
  },
}

export const journeyStateWords = {
  draft: { zh: '草稿', en: 'Draft' },
  live: { zh: '运行中', en: 'Live' },
  paused: { zh: '已暂停', en: 'Paused' },
  ended: { zh: '已结束', en: 'Ended' },
} as const

export const journeyStateColours = {
  draft: 'default',
  live: 'green',
  paused: 'orange',
  ended: 'default',
} as const
