import type { Lang } from './format.ts'

const names: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  wecom: { zh: '企业微信', en: 'WeCom' },
  sms: { zh: '短信', en: 'SMS' },
  email: { zh: '邮件', en: 'E-mail' },
  official_account: { zh: '公众号', en: 'Official account' },
}

export const channelModeWords = {
  off: { zh: '关闭', en: 'Off' },
  simulated: { zh: '模拟', en: 'Simulated' },
  test: { zh: '测试', en: 'Test' },
  live: { zh: '正式', en: 'Live' },
} as const

/** The name of a way out; one that is not known here stays as it is. */
export function channelName(channel: string, lang: Lang): string {
  return names[channel]?.[lang] ?? channel
}
