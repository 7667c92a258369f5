/** Tags, segments and SOPs of the demo brand: what an operator would have made in the first weeks. */
import type { Rule } from '../../contract/rule.ts'
import { createSegment, createTag, createTagGroup, type TagFields } from '../audience/audience.ts'
import { createJourney, goLive, type NewJourney } from '../journeys/journeys.ts'
import type { Database } from '../platform/postgres/database.ts'
import { presentNames } from './store.ts'

type DemoTag = Pick<TagFields, 'name' | 'use' | 'plan'> & {
  rule?: Rule
  guide?: boolean
  subjective?: boolean
}
type DemoGroup = { name: string; openToStores?: boolean; tags: readonly DemoTag[] }

const YEAR = { kind: 'rolling', days: 365 } as const
const sum = (cents: number): Rule => ({
  kind: 'orders',
  measure: { of: 'sum', field: 'amount' },
  filter: {},
  window: YEAR,
  compare: { op: 'ge', value: cents },
})
const buys = (categories: string[]): Rule => ({
  kind: 'orders',
  measure: { of: 'count' },
  filter: { categories },
  window: YEAR,
  compare: { op: 'ge', value: 2 },
})

/** By guides: what only people see. By rule: what the numbers say. The last tag is used by nobody, to be found as waste. */
const groups: readonly DemoGroup[] = [
  {
    name: '风格偏好',
    openToStores: true,
    tags: ['通勤', '休闲', '法式', '新中式'].map((name) => ({
      name,
      guide: true,
      subjective: true,
      use: '上新推荐与话术',
      plan: '每次上新按风格分组邀约',
    })),
  },
  {
    name: '身材与尺码',
    openToStores: true,
    tags: ['偏小码', '标准码', '偏大码'].map((name) => ({
      name,
      guide: true,
      use: '留尺码与断码提醒',
      plan: '到货当天按尺码通知',
    })),
  },
  {
    name: '消费能力',
    tags: [
      { name: '年消费一万以上', rule: sum(1_000_000), use: '高价值会员专属服务', plan: '每月店长一对一回访' },
      { name: '年消费三千以上', rule: sum(300_000), use: '会员日分层权益', plan: '会员日前一周邀约' },
    ],
  },
  {
    name: '品类偏好',
    tags: [
      { name: '爱买连衣裙', rule: buys(['连衣裙']), use: '品类上新邀约', plan: '春夏上新首周邀约' },
      { name: '爱买外套', rule: buys(['外套']), use: '品类上新邀约', plan: '秋冬上新首周邀约' },
    ],
  },
  {
    name: '历史活动',
    tags: [{ name: '参加过2019周年庆', guide: true, use: '周年庆复盘', plan: '周年庆后复盘一次' }],
  },
]

/** The tags that simulated guides give members. */
export const guideTags = ['通勤', '休闲', '法式', '新中式', '偏小码', '标准码', '偏大码'] as const

const lifecycle = (...states: Extract<Rule, { kind: 'lifecycle' }>['states']): Rule => ({
  kind: 'lifecycle',
  states,
})
type DemoSegment = { name: string; description: string; rule: (tag: (name: string) => number) => Rule }

/** Each tag but the last is used by one of them. */
const segments: readonly DemoSegment[] = [
  {
    name: '已知风格偏好',
    description: '导购记过风格，上新时按风格推荐',
    rule: (tag) => ({ kind: 'tag', tags: ['通勤', '休闲', '法式', '新中式'].map(tag), match: 'any' }),
  },
  {
    name: '已知尺码',
    description: '可以按尺码通知到货',
    rule: (tag) => ({ kind: 'tag', tags: ['偏小码', '标准码', '偏大码'].map(tag), match: 'any' }),
  },
  {
    name: '高价值活跃会员',
    description: '年消费三千以上且仍在买，店长一对一维护',
    rule: (tag) => ({
      kind: 'all',
      rules: [
        { kind: 'tag', tags: ['年消费一万以上', '年消费三千以上'].map(tag), match: 'any' },
        lifecycle('active'),
      ],
    }),
  },
  {
    name: '品类偏好明确',
    description: '同一品类一年内买过两次以上',
    rule: (tag) => ({ kind: 'tag', tags: ['爱买连衣裙', '爱买外套'].map(tag), match: 'any' }),
  },
  {
    name: '高价值沉睡会员',
    description: '累计消费五千元以上，已经沉默或濒临睡眠',
    rule: () => ({
      kind: 'all',
      rules: [
        lifecycle('silent', 'near_sleep'),
        {
          kind: 'orders',
          measure: { of: 'sum', field: 'amount' },
          filter: {},
          window: { kind: 'ever' },
          compare: { op: 'ge', value: 500_000 },
        },
      ],
    }),
  },
  {
    name: '只买过一次',
    description: '一次购买后 90 天内没有再买，最需要第二单',
    rule: () => ({ kind: 'all', rules: [{ kind: 'one_time_buyer' }, lifecycle('active')] }),
  },
  {
    name: '新会员未购买',
    description: '入会 30 天内还没有买过',
    rule: () => ({
      kind: 'all',
      rules: [
        { kind: 'join_recency', recencies: ['new'] },
        {
          kind: 'orders',
          measure: { of: 'count' },
          filter: {},
          window: { kind: 'ever' },
          compare: { op: 'eq', value: 0 },
        },
      ],
    }),
  },
  {
    name: '30 天内生日',
    description: '生日月关怀的名单',
    rule: () => ({ kind: 'birthday', withinDays: 30 }),
  },
  {
    name: '已加企业微信的活跃会员',
    description: '可以一对一触达的活跃会员',
    rule: () => ({
      kind: 'all',
      rules: [lifecycle('active'), { kind: 'attribute', attribute: 'wecom', op: 'in', values: ['followed'] }],
    }),
  },
]

const journeys: readonly Pick<NewJourney, 'template' | 'name'>[] = [
  { template: 'new_member_follow_up', name: '新会员 30 天跟进' },
  { template: 'wake_sleeping', name: '沉默会员唤醒' },
  { template: 'birthday', name: '生日祝福' },
]

/** Makes what is not there yet: each tag, segment and SOP in a transaction of its own, found again by its name. */
export async function seedDefinitions(db: Database, now: Date): Promise<void> {
  const by = { by: null, at: now }
  const present = await presentNames(db)
  const tagIds = present.tags
  for (const { name, openToStores = false, tags } of groups) {
    const groupId =
      present.groups.get(name) ??
      (await db.transaction((tx) =>
        createTagGroup(tx, { name, level: 'business', scope: 'brand', openToStores, demo: true }, by),
      ))
    for (const tag of tags) {
      if (tagIds.has(tag.name)) continue
      tagIds.set(
        tag.name,
        await db.transaction((tx) => createTag(tx, { ...fieldsOf(tag), groupId, demo: true }, by)),
      )
    }
  }
  for (const { rule, ...segment } of segments) {
    if (present.segments.has(segment.name)) continue
    const made = { ...segment, rule: rule((name) => tagIds.get(name) ?? 0), demo: true }
    await db.transaction((tx) => createSegment(tx, made, by))
  }
  for (const journey of journeys) {
    if (present.journeys.has(journey.name)) continue
    await db.transaction(async (tx) => {
      const id = await createJourney(
        tx,
        { ...journey, enterPresent: false, texts: {}, by: null, demo: true },
        now,
      )
      await goLive(tx, id, 1, null, now)
    })
  }
}

function fieldsOf({
  name,
  use,
  plan,
  rule,
  guide = false,
  subjective = false,
}: DemoTag): Omit<TagFields, 'groupId'> {
  return {
    parentId: null,
    name,
    volatility: rule ? 'dynamic' : 'static',
    subjectivity: subjective ? 'subjective' : 'objective',
    derivation: 'fact',
    composition: 'single',
    producer: guide ? 'guide' : 'system',
    origin: rule ? 'auto' : 'manual',
    use,
    plan,
    rule: rule ?? null,
  }
}

/** The segment of the few sleepers who spent most: everybody asleep who has spent at least `cents`. */
export function wakeSegment(cents: number): { name: string; description: string; rule: Rule } {
  return {
    name: '本周重点唤醒',
    description: '消费最高的沉默与濒临睡眠会员，每位导购四五位',
    rule: {
      kind: 'all',
      rules: [
        lifecycle('silent', 'near_sleep'),
        { kind: 'attribute', attribute: 'owner_staff', op: 'known' },
        {
          kind: 'orders',
          measure: { of: 'sum', field: 'amount' },
          filter: {},
          window: { kind: 'ever' },
          compare: { op: 'ge', value: cents },
        },
      ],
    },
  }
}
