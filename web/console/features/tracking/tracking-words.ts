import type { z } from 'zod'
import type { Finding, PropertyType, RefusedReason, UserIdKind } from '../../../../contract/intake.ts'

type Said = { zh: string; en: string }

export const userIdWords: Record<z.infer<typeof UserIdKind>, Said> = {
  member_no: { zh: '会员编号', en: 'member numbers' },
  card: { zh: '会员卡号', en: 'card numbers' },
  phone: { zh: '手机号', en: 'phone numbers' },
  email: { zh: '邮箱', en: 'e-mail addresses' },
  unionid: { zh: '微信 unionid', en: 'WeChat unionids' },
  mp_openid: { zh: '小程序 openid', en: 'openids of a mini-program' },
  oa_openid: { zh: '公众号 openid', en: 'openids of an official account' },
  external_userid: { zh: '企业微信外部联系人', en: 'external user ids of WeCom' },
}

export const typeWords: Record<PropertyType, Said> = {
  text: { zh: '文本', en: 'text' },
  number: { zh: '数字', en: 'number' },
  boolean: { zh: '是/否', en: 'yes/no' },
  time: { zh: '时间', en: 'time' },
}

export const findingWords: Record<Finding, Said> = {
  unplanned: { zh: '不在方案中', en: 'not planned' },
  ill_typed: { zh: '类型不符', en: 'other type' },
  missing: { zh: '还没有收到', en: 'never came' },
  missing_required: { zh: '必填但有缺', en: 'required, sometimes missing' },
}

export const refusedWords: Record<RefusedReason, Said> = {
  not_an_object: { zh: '不是 JSON 对象', en: 'no JSON object' },
  unknown_type: { zh: '类型不认识', en: 'its type is not known' },
  no_name: { zh: '没有事件名', en: 'it has no name' },
  nobody: { zh: '没有用户 ID 也没有匿名 ID', en: 'it names nobody' },
  bad_time: { zh: '时间无法识别', en: 'its time cannot be read' },
  too_old: { zh: '超过五年前', en: 'more than five years ago' },
  in_the_future: { zh: '比现在晚十分钟以上', en: 'more than ten minutes ahead' },
  too_large: { zh: '超过 32 KB', en: 'larger than 32 KB' },
}

/** What every source tells, without a name of its own in the plan. */
export const ownNames: Record<string, Said | undefined> = {
  page_viewed: { zh: '页面浏览', en: 'Page views' },
  identify: { zh: '用户资料', en: 'What is said of persons' },
}
