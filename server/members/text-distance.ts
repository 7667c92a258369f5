/** Measures of how alike two texts are written. Pure. */

/** Small letters and digits only, of any script; null where none are left. */
export function fold(text: string | null): string | null {
  const folded =
    text
      ?.normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, '') ?? ''
  return folded === '' ? null : folded
}

/** Whether one digit or letter is wrong, missing or too much, or two neighbours are turned (Damerau 1964). */
export function oneSlip(one: string, other: string): boolean {
  const [a, b] = one.length <= other.length ? [one, other] : [other, one]
  if (b.length - a.length > 1) return false
  let at = 0
  while (at < a.length && a[at] === b[at]) at += 1
  if (a.length < b.length) return a.slice(at) === b.slice(at + 1)
  if (a.slice(at + 1) === b.slice(at + 1)) return true
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2)
}

/** Dice's coefficient of the pairs of neighbouring letters, 0…1. */
export function letterPairs(a: string, b: string): number {
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
