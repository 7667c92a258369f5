import { exportColumns } from '../../contract/exports.ts'
import type { MemberSource } from '../../contract/members.ts'
import type { Lang } from './format.ts'

/** The five sources (SRC-01); in files the same words. */
const names = exportColumns.source.words
const sides = { online: { zh: '线上', en: 'online' }, offline: { zh: '线下', en: 'offline' } } as const

export function sourceName(source: MemberSource, lang: Lang): string {
  return names[source][lang]
}

export function sideName(side: 'online' | 'offline' | null, lang: Lang): string {
  return side === null ? '' : sides[side][lang]
}
