/**
 * How alike two values of one kind are, in bits of evidence. Pure.
 *
 * The model is that of Fellegi and Sunter (1969) with Winkler's adjustment for how common a value is (1989): a value
 * that agrees tells log2(1/share) bits, where share is how many of the base have it (rarity.ts); one that contradicts
 * tells a fixed number against, by kind. What is written differently counts in between: names and addresses by their
 * words, as soft TF-IDF does (Cohen, Ravikumar and Fienberg 2003).
 */
import { confusable, isSyllable, pinyinOf } from './pinyin.ts'
import { fold, jaroWinkler, letterPairs, oneSlip } from './text-distance.ts'

/** What kind of thing a field holds; it says how values are compared and what a contradiction tells. */
export type Kind = 'name' | 'address' | 'city' | 'date' | 'number' | 'text'

/** Bits that `part` of a value of a field tells by agreeing: log2(1/share). */
export type Rare = (part: string) => number

/**
 * `alike` 0…1; `bits` above 0 speak for one person, below 0 against. `own`: each of two names has a word that the other
 * lacks, as those of a family do.
 */
export type Alike = {
  readonly bits: number
  readonly alike: number
  readonly says: Says
  readonly own?: boolean
}
export type Says = 'same' | 'sounds_same' | 'similar' | 'differs'

/**
 * A measure of 0…1 becomes bits: all of `full` at 1, none at `even`, `against` at 0. `against` is log2 of how seldom
 * two records of one person contradict there: birthdays hardly ever, phones and cities often.
 */
type Scale = { readonly even: number; readonly against: number }
const SCALES: Readonly<Record<Kind, Scale>> = {
  name: { even: 0.62, against: 6 },
  address: { even: 0.45, against: 3 },
  city: { even: 0.8, against: 1.5 },
  date: { even: 0.6, against: 6 },
  number: { even: 0.6, against: 1 },
  text: { even: 0.75, against: 1 },
}
/** A word counts as written differently, not as another one, from here on. */
const SAME_WORD = 0.86
/** What a word more on the longer side takes away, against one that the shorter side has alone. */
const LEFT_OUT: Readonly<Record<'name' | 'address', number>> = { name: 0.5, address: 0.35 }
/** Digits of a phone that people know it by. */
const TAIL = 4
const WHOLE_NUMBER = 7

/** The words of a value by which it is counted in the base and compared. A value without any says nothing. */
export function partsOf(kind: Kind, value: string): string[] {
  switch (kind) {
    case 'name':
      return pinyinOf(value.replace(/['’`]/g, ''))
    case 'address':
      return addressWords(value)
    case 'city':
      return present(fold(value)?.replace(/(?<=.{2})(?:市|地区|盟)$/, ''))
    case 'number': {
      const digits = digitsOf(value)
      return digits.length >= WHOLE_NUMBER ? [digits, `*${digits.slice(-TAIL)}`] : present(digits)
    }
    case 'date':
      return present(value)
    case 'text':
      return present(fold(value))
  }
}

/** Compares two values; undefined where one of them says nothing. */
export function compare(kind: Kind, one: string, other: string, rare: Rare): Alike | undefined {
  const [a, b] = [partsOf(kind, one), partsOf(kind, other)]
  if (a.length === 0 || b.length === 0) return undefined
  switch (kind) {
    case 'name':
    case 'address':
      return words(kind, [one, other], [a, b], rare)
    case 'number':
      return numbers(a, b, rare)
    default: {
      const alike = single(kind, a[0] ?? '', b[0] ?? '')
      return alike === undefined
        ? undefined
        : scaled(kind, alike, Math.min(rare(a[0] ?? ''), rare(b[0] ?? '')))
    }
  }
}

function scaled(kind: Kind, alike: number, full: number, says?: Says): Alike {
  const { even, against } = SCALES[kind]
  const bits = alike >= even ? (full * (alike - even)) / (1 - even) : (against * (alike - even)) / even
  return { bits, alike, says: says ?? saysOf(alike, bits) }
}

function saysOf(alike: number, bits: number): Says {
  if (alike === 1) return 'same'
  return bits > 0 ? 'similar' : 'differs'
}

function words(
  kind: 'name' | 'address',
  [one, other]: readonly [string, string],
  [a, b]: readonly [readonly string[], readonly string[]],
  rare: Rare,
): Alike {
  const { share, bits, own } = shared(kind, a, b, rare)
  if (share < 1) return { ...scaled(kind, share, bits), own }
  return scaled(kind, 1, bits, kind === 'name' && fold(one) !== fold(other) ? 'sounds_same' : 'same')
}

/** How much of the words two sides share, weighted by how rare each is, and the bits that the shared ones tell. */
function shared(
  kind: 'name' | 'address',
  one: readonly string[],
  other: readonly string[],
  rare: Rare,
): { share: number; bits: number; own: boolean } {
  const [short, long] = order(one, other)
  const left = [...long]
  let [met, bits, alone] = [0, 0, 0]
  for (const word of short) {
    const { at, alike } = bestOf(word, left)
    if (alike < SAME_WORD) {
      alone += rare(word)
      continue
    }
    const weight = Math.min(rare(word), rare(left[at] ?? ''))
    left.splice(at, 1)
    met += weight
    bits += weight * (1 - 3 * (1 - alike))
  }
  const more = left.reduce((sum, word) => sum + rare(word), 0)
  const whole = met + alone + more * LEFT_OUT[kind]
  const share = whole === 0 ? 0 : bits / whole
  return { share: otherHouse(kind, one, other) ? share * 0.6 : share, bits, own: alone > 0 && more > 0 }
}

/** The side with fewer words first, whichever was asked first. */
function order(one: readonly string[], other: readonly string[]): [readonly string[], readonly string[]] {
  const first = one.length === other.length ? one.join(' ') <= other.join(' ') : one.length < other.length
  return first ? [one, other] : [other, one]
}

function bestOf(word: string, among: readonly string[]): { at: number; alike: number } {
  let best = { at: -1, alike: 0 }
  for (const [at, other] of among.entries()) {
    const alike = wordAlike(word, other)
    if (alike > best.alike) best = { at, alike }
  }
  return best
}

/** Syllables of Chinese are the same, confused by many speakers, or others; longer words may be mistyped. */
function wordAlike(one: string, other: string): number {
  if (one === other) return 1
  if (/\d/.test(one) || /\d/.test(other)) return 0
  if (isSyllable(one) && isSyllable(other)) return confusable(one) === confusable(other) ? 0.9 : 0
  if (one.length === 1 || other.length === 1) return one[0] === other[0] ? 0.88 : 0
  return jaroWinkler(one, other)
}

/** Both name a number, and none that the other names: the neighbours. */
function otherHouse(kind: Kind, one: readonly string[], other: readonly string[]): boolean {
  if (kind !== 'address') return false
  const [a, b] = [one, other].map((words) => words.filter((word) => /^\d/.test(word))) as [string[], string[]]
  return a.length > 0 && b.length > 0 && !a.some((number) => b.includes(number))
}

/** Whole numbers that agree, are one slip of the hand apart, or agree in the end that people know. */
function numbers(one: readonly string[], other: readonly string[], rare: Rare): Alike {
  const [a = '', b = ''] = [one[0], other[0]]
  const full = Math.min(rare(a), rare(b))
  if (a === b) return scaled('number', 1, full)
  const [tail, otherTail] = [one[1], other[1]]
  if (tail === undefined || otherTail === undefined) return scaled('number', 0, full)
  if (tail === otherTail) {
    const bits = Math.min(full, rare(tail)) - 1
    return { bits, alike: TAIL / Math.max(a.length, b.length), says: 'similar' }
  }
  return scaled('number', oneSlip(a, b) ? 0.9 : 0, full)
}

/** 0…1, or undefined where the two cannot be compared. */
function single(kind: 'city' | 'date' | 'text', one: string, other: string): number | undefined {
  if (one === other) return 1
  if (kind === 'date') return dates(one, other)
  if (one.replace(/\D/g, '') !== other.replace(/\D/g, '')) return 0
  return Math.max(jaroWinkler(one, other) * 0.97, letterPairs(one, other))
}

/** Lunar dates ('L1990-05-06') are compared with lunar ones only; the year 0000 is unknown. */
function dates(one: string, other: string): number | undefined {
  if (one.startsWith('L') !== other.startsWith('L')) return undefined
  const [a, b] = [digitsOf(one), digitsOf(other)]
  if (a.startsWith('0000') || b.startsWith('0000')) return a.slice(4) === b.slice(4) ? 0.85 : 0
  if (a.slice(0, 4) === b.slice(0, 4) && a.slice(4) === `${b.slice(6)}${b.slice(4, 6)}`) return 0.9
  return oneSlip(a, b) ? 0.85 : 0
}

/** Numbers and words of Latin letters whole; of Chinese, which has no blanks, the pairs of neighbours. */
function addressWords(text: string): string[] {
  const runs =
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/['’`.]/g, '')
      .match(/\d+|[\u3400-\u9fff]+|\p{L}+/gu) ?? []
  return [...new Set(runs.flatMap((run) => (/^[\u3400-\u9fff]/.test(run) ? neighbours(run) : [run])))]
}

function neighbours(run: string): string[] {
  const bare = run.replace(/[省市区县]/g, '')
  if (bare.length < 2) return bare === '' ? [] : [bare]
  return Array.from({ length: bare.length - 1 }, (_, at) => bare.slice(at, at + 2))
}

function digitsOf(text: string): string {
  return text.normalize('NFKC').replace(/\D/g, '')
}

function present(text: string | null | undefined): string[] {
  return text === null || text === undefined || text === '' ? [] : [text]
}
