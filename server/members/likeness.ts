/**
 * How alike two persons are who share no identifier. Pure.
 *
 * A score of 0…1: the weighted mean of how far the fields agree that both have. Weights by how much agreement tells:
 * birthday and address more than a name (10 % of Chinese share five surnames). A field that contradicts counts fully
 * against. Nothing is joined by it: pairs from `PROPOSE_FROM` on, with two fields that agree, are put before a person.
 */
import { pinyinOf } from './pinyin.ts'

export type Likely = {
  readonly name: string | null
  /** 'YYYY-MM-DD' */
  readonly birthday: string | null
  /** Something that stands for the last four digits of the phone. */
  readonly last4: string | null
  readonly city: string | null
  readonly address: string | null
}

export type Agreement = {
  readonly field: 'name' | 'birthday' | 'last4' | 'address' | 'city'
  readonly says: 'same' | 'sounds_same' | 'similar'
}
export type Likeness = { readonly score: number; readonly evidence: Agreement[] }

export const PROPOSE_FROM = 0.8
const WEIGHTS = { name: 0.35, birthday: 0.3, last4: 0.2, address: 0.25, city: 0.05 } as const
/** From here on a field counts as agreeing. */
const AGREES = 0.82

/** Compares two persons. */
export function likeness(one: Likely, other: Likely): Likeness {
  const evidence: Agreement[] = []
  let [sum, weights] = [0, 0]
  const count = (field: Agreement['field'], share: number | null, says: Agreement['says']): void => {
    if (share === null) return
    sum += WEIGHTS[field] * share
    weights += WEIGHTS[field]
    if (share >= AGREES) evidence.push({ field, says })
  }
  const name = nameLikeness(one.name, other.name)
  count('name', name?.share ?? null, name?.says ?? 'similar')
  const birthday = birthdayLikeness(one.birthday, other.birthday)
  count('birthday', birthday, birthday === 1 ? 'same' : 'similar')
  count('last4', equality(one.last4, other.last4), 'same')
  const address = textLikeness(one.address, other.address)
  count('address', address, address === 1 ? 'same' : 'similar')
  count('city', equality(fold(one.city), fold(other.city)), 'same')
  return { score: weights === 0 ? 0 : sum / weights, evidence }
}

/** Whether to ask somebody: sure enough, and on more than a name or a city alone. */
export function isProposal({ score, evidence }: Likeness): boolean {
  const telling = evidence.filter(({ field }) => field !== 'city')
  return score >= PROPOSE_FROM && telling.length >= 2
}

/**
 * Under which keys a person is looked for; two who share one are compared. Each key holds two different facts, so that
 * few strangers share it.
 */
export function keysOf({ name, birthday, last4, city, address }: Likely): string[] {
  const sounds = name === null ? [] : pinyinOf(name).sort()
  const whole = sounds.join(' ')
  const initials = sounds.map(([first = '']) => first).join('')
  const place = fold(address)
  const keys: string[] = []
  if (whole !== '' && birthday !== null)
    keys.push(`nb|${whole}|${birthday.slice(5)}`, `ib|${initials[0]}|${birthday}`)
  if (whole !== '' && last4 !== null) keys.push(`nl|${whole}|${last4}`)
  if (birthday !== null && city !== null) keys.push(`bc|${birthday}|${fold(city)}`)
  if (initials !== '' && city !== null) keys.push(`ic|${initials}|${fold(city)}`)
  if (birthday !== null && last4 !== null) keys.push(`bl|${birthday}|${last4}`)
  if (whole !== '' && city !== null) keys.push(`nc|${whole}|${fold(city)}`)
  if (place !== null && whole !== '')
    keys.push(`ai|${place}|${initials}`, `ab|${place}|${birthday?.slice(5) ?? ''}`)
  return keys
}

function nameLikeness(
  one: string | null,
  other: string | null,
): { share: number; says: Agreement['says'] } | null {
  if (one === null || other === null) return null
  const [a, b] = [fold(one) ?? '', fold(other) ?? '']
  if (a === b) return { share: 1, says: 'same' }
  const [x, y] = [pinyinOf(one).sort(), pinyinOf(other).sort()]
  if (x.join(' ') === y.join(' ')) return { share: 0.95, says: 'sounds_same' }
  // Chinese names are two or three syllables; one other syllable is another name.
  const chinese = /[\u3400-\u9fff]/.test(a + b)
  const share = Math.max(tokens(x, y), jaroWinkler(x.join(' '), y.join(' ')))
  return { share: chinese ? share * 0.8 : share, says: 'similar' }
}

/** Mean likeness of each part of the shorter name with its best partner. */
function tokens(one: readonly string[], other: readonly string[]): number {
  const shorter = one.length === other.length ? one.join() <= other.join() : one.length < other.length
  const [short, long] = shorter ? [one, other] : [other, one]
  if (short.length === 0) return 0
  const best = short.map((part) => Math.max(...long.map((candidate) => jaroWinkler(part, candidate))))
  const mean = best.reduce((sum, share) => sum + share, 0) / short.length
  return mean * (short.length === long.length ? 1 : 0.93)
}

function birthdayLikeness(one: string | null, other: string | null): number | null {
  if (one === null || other === null) return null
  if (one === other) return 1
  const [a, b] = [one.replaceAll('-', ''), other.replaceAll('-', '')]
  if (a.slice(4) === b.slice(4) && (a.startsWith('0000') || b.startsWith('0000'))) return 0.9
  if (a.slice(0, 4) === b.slice(0, 4) && a.slice(4, 6) === b.slice(6) && a.slice(6) === b.slice(4, 6))
    return 0.85
  const wrong = [...a].filter((digit, index) => digit !== b[index]).length
  return [1, 0.85, 0.4][wrong] ?? 0
}

function textLikeness(one: string | null, other: string | null): number | null {
  const [a, b] = [fold(one), fold(other)]
  if (a === null || b === null) return null
  return a === b ? 1 : Math.max(jaroWinkler(a, b), dice(a, b))
}

function equality(one: string | null, other: string | null): number | null {
  if (one === null || other === null) return null
  return one === other ? 1 : 0
}

function fold(text: string | null): string | null {
  const folded =
    text
      ?.normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, '') ?? ''
  return folded === '' ? null : folded
}

/** Dice's coefficient of letter pairs. */
function dice(a: string, b: string): number {
  const pairs = (text: string): Map<string, number> => {
    const found = new Map<string, number>()
    for (let at = 0; at < text.length - 1; at += 1) {
      const pair = text.slice(at, at + 2)
      found.set(pair, (found.get(pair) ?? 0) + 1)
    }
    return found
  }
  const [x, y] = [pairs(a), pairs(b)]
  let both = 0
  for (const [pair, times] of x) both += Math.min(times, y.get(pair) ?? 0)
  const all = a.length + b.length - 2
  return all <= 0 ? 0 : (2 * both) / all
}

/** Jaro–Winkler similarity (Winkler 1990): 1 for equal texts, prefixes of up to four letters count more. */
export function jaroWinkler(one: string, other: string): number {
  if (one === other) return 1
  const [a, b] = one < other ? [one, other] : [other, one]
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1)
  const taken = new Array<boolean>(b.length).fill(false)
  const matched: string[] = []
  for (const [at, letter] of [...a].entries()) {
    for (let place = Math.max(0, at - reach); place <= Math.min(b.length - 1, at + reach); place += 1) {
      if (taken[place] === true || b[place] !== letter) continue
      taken[place] = true
      matched.push(letter)
      break
    }
  }
  if (matched.length === 0) return 0
  const partners = [...b].filter((_, place) => taken[place])
  const turned = matched.filter((letter, at) => letter !== partners[at]).length / 2
  const jaro =
    (matched.length / a.length + matched.length / b.length + (matched.length - turned) / matched.length) / 3
  let prefix = 0
  while (prefix < 4 && prefix < a.length && a[prefix] === b[prefix]) prefix += 1
  return jaro + prefix * 0.1 * (1 - jaro)
}
