/**
 * Under which keys a person is looked for: only two who share one are compared. Pure.
 *
 * Each key holds two facts of different kinds, or one that nearly nobody shares, and each kind in the form that its
 * usual mistakes leave as it is: a name by how it sounds or by the first letters of that, a date by its year, by month
 * and day, or whole. So strangers seldom share one, and a pair that is worth a question shares several.
 */
import { partsOf } from './alike.ts'
import type { Likely, LikelyFields } from './likeness.ts'

/** Of somebody with many names, addresses or numbers, so many of each give keys. */
const MOST_OF_A_KIND = 3

/** The keys, each once. Two values of kind 'text' or 'city' give none: they are shared by too many. */
export function keysOf(fields: LikelyFields, person: Likely): string[] {
  const names: NameForms[] = []
  const dates: DateForms[] = []
  const numbers: string[][] = []
  const places: PlaceForms[] = []
  for (const field in fields) {
    const kind = fields[field]
    if (kind === undefined || kind === 'text' || kind === 'city') continue
    for (const value of (person[field] ?? []).slice(0, MOST_OF_A_KIND)) {
      const words = partsOf(kind, value)
      if (words.length === 0) continue
      if (kind === 'name') names.push(nameForms(words))
      else if (kind === 'date') dates.push(dateForms(value))
      else if (kind === 'number') numbers.push(words)
      else places.push(placeForms(words))
    }
  }
  const keys = new Set<string>()
  for (const [whole = '', tail] of numbers) if (tail !== undefined) keys.add(`w|${whole}`)
  for (const name of names) {
    for (const date of dates) {
      keys.add(`nd|${name.sound}|${date.day}`).add(`ny|${name.sound}|${date.year}`)
      keys.add(`id|${name.initials}|${date.whole}`)
    }
    for (const [whole = '', tail] of numbers) keys.add(`in|${name.initials}|${tail ?? whole}`)
    for (const place of places) {
      if (place.street !== undefined) keys.add(`np|${name.longest}|${place.street}`)
      keys.add(`ip|${name.initials}|${place.house}`)
      if (place.house !== '') keys.add(`nh|${name.longest}|${place.house}`)
    }
  }
  for (const date of dates) {
    for (const [whole = '', tail] of numbers) keys.add(`dn|${date.whole}|${tail ?? whole}`)
    for (const place of places) {
      keys.add(`dp|${date.whole}|${place.house}`)
      if (place.street !== undefined) keys.add(`dl|${date.day}|${place.street}`)
    }
  }
  for (const place of places) {
    if (place.house !== '') keys.add(`p|${place.house}|${place.longest}`)
    if (place.street === undefined) continue
    for (const [whole = '', tail] of numbers) keys.add(`pn|${place.street}|${tail ?? whole}`)
  }
  return [...keys]
}

type NameForms = { sound: string; initials: string; longest: string }

function nameForms(words: readonly string[]): NameForms {
  const sorted = [...words].sort()
  return {
    sound: sorted.join(' '),
    initials: sorted.map(([first = '']) => first).join(''),
    longest: longestOf(sorted),
  }
}

type DateForms = { whole: string; day: string; year: string }

function dateForms(value: string): DateForms {
  return { whole: value, day: value.slice(-5), year: value.slice(0, -6) }
}

/**
 * `house`: its numbers. `longest`: its longest word. `street`: that too, where it is a word of letters; a pair of Chinese
 * characters stands in the streets of every city.
 */
type PlaceForms = { house: string; longest: string; street: string | undefined }

function placeForms(words: readonly string[]): PlaceForms {
  const numbers = words.filter((word) => /^\d/.test(word)).sort()
  const longest = longestOf(words.filter((word) => !/^\d/.test(word)))
  return { house: numbers.join('-'), longest, street: longest.length > 2 ? longest : undefined }
}

function longestOf(words: readonly string[]): string {
  return words.reduce((best, word) => (word.length > best.length ? word : best), '')
}
