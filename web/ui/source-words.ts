import type { MemberSource } from '../../contract/members.ts'
import type { Lang } from './format.ts'

/** The five sources (SRC-01). */
const names: Readonly<Record<MemberSource, Readonly<Record<Lang, string>>>> = {
  referral_fission: { zh: '拉新裂变', en: 'Referral campaign' },
  returning: { zh: '原有流量回流', en: 'Returning traffic' },
  member_get_member: { zh: '老会员带新会员', en: 'Brought by a member' },
  guide_recruited: { zh: '线下导购招募', en: 'Recruited by a guide' },
  organic: { zh: '自然流量', en: 'Organic' },
}
const sides = { online: { zh: '线上', en: 'online' }, offline: { zh: '线下', en: 'offline' } } as const

export function sourceName(source: MemberSource, lang: Lang): string {
  return names[source][lang]
}

export function sideName(side: 'online' | 'offline' | null, lang: Lang): string {
  return side === null ? '' : sides[side][lang]
}
