/**
 * The SOPs that Liuliang ships, complete and editable. They are starting points: adapt the texts before use (AS-10).
 *
 * new_member_follow_up  AS-01…AS-09, Q-21, Q-22: bought, days 0, 3, 7, 15, 30 from the payment; not bought, days 0, 3, 7
 *                       from the add or visit, then it ends. Who buys on the way goes over to the bought side.
 * wake_sleeping         ACT-OFF-4: silent and near-sleep members, an invitation by the guide with member facts and script,
 *                       a message to those who were not reached or did not come, return rate over 30 days.
 * birthday              AS-11: a greeting in the morning of the birthday, lunar birthdays too.
 */

import type { BilingualText, JourneyDefinition, JourneyNode } from '../../contract/journey-definition.ts'
import type { JourneyTemplate } from '../../contract/journeys.ts'
import type { Rule } from '../../contract/rule.ts'

export type Template = {
  template: JourneyTemplate
  name: BilingualText
  goal: BilingualText
  entry: BilingualText
  /** The segment to make when the operator chose none; absent where events let people in. */
  audience?: { name: string; rule: Rule }
  /** Asks before presenting members who are in the segment already. */
  asksForPresent: boolean
  define(segmentId: number | null, texts: Readonly<Record<string, string>>): JourneyDefinition
}

const DAY_START = '10:00'

const text = (zh: string, en: string): BilingualText => ({ zh, en })

const followUp: Template = {
  template: 'new_member_follow_up',
  name: text('新会员跟进', 'New-member follow-up'),
  goal: text('提高新会员的首购与复购率', 'Raise first and repeat purchases of new members'),
  entry: text(
    '添加企业微信、入会、到店或新购买',
    'Added on WeCom, joined, visited a store, or a new purchase',
  ),
  asksForPresent: false,
  define(_segmentId, texts) {
    const script = (id: string, fallback: string): string => texts[id] ?? fallback
    const task = (
      id: string,
      title: BilingualText,
      fallback: string,
      reason: BilingualText,
      next: string,
    ): JourneyNode => ({
      kind: 'task',
      id,
      title,
      task: 'follow_up',
      script: script(id, fallback),
      reason,
      dueHours: 24,
      feedback: 'never',
      tagGroup: null,
      next,
      undone: next,
    })
    const touch = (id: string, title: BilingualText, fallback: string, next: string): JourneyNode => ({
      kind: 'touch',
      id,
      title,
      channel: 'wecom',
      class: 'marketing',
      text: script(id, fallback),
      contentId: null,
      patienceDays: 2,
      next,
      notSent: next,
    })
    const wait = (id: string, days: number, next: string): JourneyNode => ({
      kind: 'wait',
      id,
      title: text(days === 0 ? '当天' : `第 ${days} 天`, days === 0 ? 'Same day' : `Day ${days}`),
      days,
      time: days === 0 ? null : DAY_START,
      next,
    })
    return {
      againAfterDays: 90,
      onPurchase: { do: 'move', unlessFact: 'bought', to: 'thanks' },
      returnWindowDays: 30,
      highValueCents: 100_000,
      nodes: [
        {
          kind: 'trigger',
          id: 'start',
          title: text('新会员', 'New member'),
          on: [
            { on: 'contact_added' },
            { on: 'member_joined' },
            { on: 'visited_store' },
            { on: 'new_purchase', newDays: 30 },
          ],
          next: 'bought',
        },
        {
          kind: 'branch',
          id: 'bought',
          title: text('是否购买', 'Bought?'),
          when: { by: 'fact', fact: 'bought' },
          yes: 'thanks',
          no: 'welcome',
        },
        task(
          'thanks',
          text('感谢与保养', 'Thanks and care'),
          '{{ member.name }}您好，我是{{ store.name }}的{{ guide.name }}，感谢您选购{{ order.items }}。保养小贴士我整理好发给您，使用中有任何问题随时找我。',
          text('刚刚购买，当天致谢', 'Bought just now: thank on the same day'),
          'wait3',
        ),
        wait('wait3', 3, 'day3'),
        touch(
          'day3',
          text('使用体验', 'How is it?'),
          '您好，购买已经三天了，用着还满意吗？有任何需要帮助的地方，直接回复我就好。',
          'wait7',
        ),
        wait('wait7', 7, 'day7'),
        task(
          'day7',
          text('七天回访', 'Seven-day call'),
          '{{ member.name }}您好，{{ order.items }}用了一周了，体验如何？有没有我能帮上忙的地方？',
          text('购买满 7 天，回访使用体验', 'Seven days after the purchase'),
          'wait15',
        ),
        wait('wait15', 15, 'day15'),
        touch(
          'day15',
          text('使用体验与新品', 'Experience and new arrivals'),
          '您好，半个月过去了，使用上有需要协助的吗？店里到了一批新品，欢迎有空来店里体验。',
          'wait30',
        ),
        wait('wait30', 30, 'day30'),
        touch(
          'day30',
          text('新品到店', 'New arrivals'),
          '您好，这个月的新品已经到店，为您留了试穿的时间，欢迎有空来店里坐坐。',
          'end_bought',
        ),
        { kind: 'exit', id: 'end_bought', title: text('完成', 'Done'), reason: 'completed' },
        task(
          'welcome',
          text('欢迎与利益点', 'Welcome and benefit'),
          '{{ member.name }}您好，我是{{ store.name }}的{{ guide.name }}，欢迎加入我们。新会员专属福利已为您准备好，想了解哪一款随时告诉我。',
          text('新添加或到店，当天介绍品牌与利益点', 'Added or visited: introduce the brand on the same day'),
          'wait_n3',
        ),
        wait('wait_n3', 3, 'remind3'),
        touch(
          'remind3',
          text('未购提醒', 'Reminder'),
          '您好，上次看中的款式还在为您留意，这几天到店可享新会员礼遇，需要我帮您预留吗？',
          'wait_n7',
        ),
        wait('wait_n7', 7, 'tried'),
        {
          kind: 'branch',
          id: 'tried',
          title: text('是否试用过商品', 'Tried an item?'),
          when: { by: 'fact', fact: 'tried' },
          yes: 'low_stock',
          no: 'remind7',
        },
        task(
          'low_stock',
          text('试用商品库存提醒', 'Low stock of the tried item'),
          '{{ member.name }}您好，您上次试过的{{ tried.sku }}库存不多了，需要我帮您留一件吗？',
          text('试用过的商品，第 7 天提醒库存', 'Day 7: the tried item is running out'),
          'end_not_bought',
        ),
        touch(
          'remind7',
          text('未购再提醒', 'Second reminder'),
          '您好，新会员礼遇还有几天到期，欢迎有空来店里看看，我帮您搭配。',
          'end_not_bought',
        ),
        { kind: 'exit', id: 'end_not_bought', title: text('结束', 'End'), reason: 'not_bought' },
      ],
    }
  },
}

const wake: Template = {
  template: 'wake_sleeping',
  name: text('唤醒沉睡会员', 'Wake sleeping members'),
  goal: text('提高沉默与濒临睡眠会员的回店率', 'Raise the return rate of silent and near-sleep members'),
  entry: text('进入沉默或濒临睡眠', 'Becomes silent or near-sleep'),
  asksForPresent: true,
  audience: { name: '沉默与濒临睡眠', rule: { kind: 'lifecycle', states: ['silent', 'near_sleep'] } },
  define(segmentId, texts) {
    if (segmentId === null) throw new Error('waking sleeping members needs a segment')
    const script = (id: string, fallback: string): string => texts[id] ?? fallback
    return {
      againAfterDays: 90,
      onPurchase: { do: 'leave' },
      returnWindowDays: 30,
      highValueCents: 300_000,
      nodes: [
        {
          kind: 'trigger',
          id: 'start',
          title: text('开始沉睡', 'Falls asleep'),
          on: [{ on: 'segment', segmentId }],
          next: 'invite',
        },
        {
          kind: 'task',
          id: 'invite',
          title: text('邀约到店', 'Invite to the store'),
          task: 'invite',
          script: script(
            'invite',
            '{{ member.name }}您好，我是{{ store.name }}的{{ guide.name }}。店里换季新品到了，和您之前买的{{ order.items }}很搭，这周有空来试试吗？我给您留好尺码。',
          ),
          reason: text(
            '{{ days }} 天没有购买，趁换季上新邀约',
            '{{ days }} days without a purchase: invite to the new season',
          ),
          dueHours: 72,
          feedback: 'high_value',
          tagGroup: null,
          next: 'wait7',
          undone: 'message',
        },
        {
          kind: 'wait',
          id: 'wait7',
          title: text('第 7 天', 'Day 7'),
          days: 7,
          time: DAY_START,
          next: 'returned',
        },
        {
          kind: 'branch',
          id: 'returned',
          title: text('是否已回店', 'Came back?'),
          when: { by: 'returned' },
          yes: 'woken',
          no: 'message',
        },
        {
          kind: 'touch',
          id: 'message',
          title: text('换季上新', 'New season'),
          channel: 'wecom',
          class: 'marketing',
          text: script('message', '您好，新一季的核心款已经到店，老朋友到店有专属礼遇，欢迎有空来坐坐。'),
          contentId: null,
          patienceDays: 2,
          next: 'wait21',
          notSent: 'sms',
        },
        {
          kind: 'touch',
          id: 'sms',
          title: text('短信', 'SMS'),
          channel: 'sms',
          class: 'marketing',
          text: script('sms', '新一季已到店，老会员到店专享礼遇，期待您回来看看。回T退订'),
          contentId: null,
          patienceDays: 7,
          next: 'wait21',
          notSent: 'wait21',
        },
        {
          kind: 'wait',
          id: 'wait21',
          title: text('第 21 天', 'Day 21'),
          days: 21,
          time: DAY_START,
          next: 'asleep',
        },
        { kind: 'exit', id: 'woken', title: text('已唤醒', 'Woken'), reason: 'returned' },
        { kind: 'exit', id: 'asleep', title: text('未唤醒', 'Still asleep'), reason: 'not_returned' },
      ],
    }
  },
}

const birthday: Template = {
  template: 'birthday',
  name: text('生日祝福', 'Birthday greeting'),
  goal: text('让会员感到被记得', 'Let members feel remembered'),
  entry: text('生日当天（含农历）', 'On the birthday, lunar ones too'),
  asksForPresent: false,
  audience: { name: '今天生日', rule: { kind: 'birthday', withinDays: 0 } },
  define(segmentId, texts) {
    if (segmentId === null) throw new Error('a birthday greeting needs a segment')
    return {
      againAfterDays: 300,
      onPurchase: { do: 'nothing' },
      returnWindowDays: 30,
      highValueCents: 0,
      nodes: [
        {
          kind: 'trigger',
          id: 'start',
          title: text('今天生日', 'Birthday today'),
          on: [{ on: 'segment', segmentId }],
          next: 'morning',
        },
        {
          kind: 'wait',
          id: 'morning',
          title: text('上午', 'Morning'),
          days: 0,
          time: '09:30',
          next: 'greet',
        },
        {
          kind: 'task',
          id: 'greet',
          title: text('生日祝福', 'Birthday greeting'),
          task: 'follow_up',
          script:
            texts['greet'] ??
            '{{ member.name }}您好，我是{{ store.name }}的{{ guide.name }}，祝您生日快乐！为您准备了一份小礼物，生日月内到店即可领取。',
          reason: text('今天是会员生日', 'It is the birthday of this member'),
          dueHours: 11,
          feedback: 'never',
          tagGroup: null,
          next: 'done',
          undone: 'sms',
        },
        {
          kind: 'touch',
          id: 'sms',
          title: text('短信祝福', 'Greeting by SMS'),
          channel: 'sms',
          class: 'marketing',
          text: texts['sms'] ?? '祝您生日快乐！生日礼遇已为您备好，生日月内到店领取。回T退订',
          contentId: null,
          patienceDays: 1,
          next: 'done',
          notSent: 'done',
        },
        { kind: 'exit', id: 'done', title: text('完成', 'Done'), reason: 'completed' },
      ],
    }
  },
}

export const templates: Readonly<Record<JourneyTemplate, Template>> = {
  new_member_follow_up: followUp,
  wake_sleeping: wake,
  birthday,
}
