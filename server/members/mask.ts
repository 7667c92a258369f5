/** How personal values are shown to those who may not, or need not, see them whole. Pure. */
import type { IdentifierKind } from './identifier.ts'

/** '张*', '欧**': the family's first sign and a star for each further one. */
export function maskName(name: string): string {
  const signs = [...name]
  return `${signs[0] ?? ''}${'*'.repeat(Math.min(3, Math.max(1, signs.length - 1)))}`
}

/** '138****5679', 'l***@example.com', '****A17': enough to recognise, too little to use. */
export function maskIdentifier(kind: IdentifierKind, value: string): string {
  if (kind === 'phone') {
    const national = value.replace(/^\+86/, '')
    return national.length < 8
      ? `${national.slice(0, 1)}****`
      : `${national.slice(0, 3)}****${national.slice(-4)}`
  }
  if (kind === 'email') return value.replace(/^(.).*(@.*)$/, '$1***$2')
  return value.length <= 6 ? `${value.slice(0, 1)}****` : `****${value.slice(-4)}`
}
