/**
 * Public data sets of known duplicates as persons of the search for duplicates, and how well that search does on them.
 * Each field goes to the field of its kind; what a brand does not know of its members is left out (Febrl's
 * soc_sec_id and postcode, the cuisine of a restaurant).
 */
import { readFileSync } from 'node:fs'
import { generatedRow } from '../../bench/identity-people.ts'
import { blocks } from '../../server/members/blocking.ts'
import { type Likely, likeness, memberFields, wordsOf } from '../../server/members/likeness.ts'
import { keysOf } from '../../server/members/likeness-keys.ts'
import { countRarity } from '../../server/members/rarity.ts'
import { sharedData } from './shared-data.ts'

/** Persons by number; `truth` holds the pairs that are one, 'low-high'. */
export type KnownSet = { persons: Map<number, Likely>; truth: Set<string> }
/** `blocked`: the share of the true pairs that were compared at all. `compared`: pairs. */
export type Score = { precision: number; recall: number; blocked: number; compared: number }

/** Febrl's first set: 1,000 persons, of whom 500 are there twice. */
export function febrlPersons(): KnownSet {
  const persons = new Map<number, Likely>()
  const byTruth = new Map<string, number[]>()
  for (const [index, row] of table(`${sharedData('er_febrl')}/dataset1.csv`).entries()) {
    const born = /^(\d{4})(\d\d)(\d\d)$/.exec(row['date_of_birth'] ?? '')
    persons.set(index + 1, {
      name: given(`${row['given_name']} ${row['surname']}`),
      birthday: born ? [born.slice(1).join('-')] : [],
      city: given(row['suburb']),
      address: given(`${row['street_number']} ${row['address_1']} ${row['address_2']}`),
    })
    const truth = /rec-(\d+)-/.exec(row['rec_id'] ?? '')?.[1] ?? ''
    byTruth.set(truth, [...(byTruth.get(truth) ?? []), index + 1])
  }
  const pairs = [...byTruth.values()].flatMap((same) =>
    same.flatMap((low, at) => same.slice(at + 1).map((high) => `${low}-${high}`)),
  )
  return { persons, truth: new Set(pairs) }
}

/** 864 restaurants of two guides, of which 112 stand in both. */
export function restaurants(): KnownSet {
  const folder = sharedData('er_restaurant')
  const persons = new Map(
    table(`${folder}/restaurant.csv`).map((row): [number, Likely] => [
      Number(row['id']),
      {
        name: given(row['name']),
        phone: given(row['phone']),
        city: given(row['city']),
        address: given(row['addr']),
      },
    ]),
  )
  const truth = table(`${folder}/restaurant_gold.csv`).map(({ id_1, id_2 }) =>
    [Number(id_1), Number(id_2)].sort((a, b) => a - b).join('-'),
  )
  return { persons, truth: new Set(truth) }
}

/** Members of a Chinese brand as several systems write them, of whom one in ten was typed anew. */
export function generatedMembers(count: number): KnownSet {
  const persons = new Map<number, Likely>()
  const truth = new Set<string>()
  for (let n = 0; n < count; n += 1) {
    const { row, is, other } = generatedRow(n)
    if (is === 'joins') continue
    const { name, birthday, city, address, gender } = row.attributes ?? {}
    persons.set(n + 1, {
      name: given(name),
      birthday: given(birthday),
      city: given(city),
      address: given(address),
      gender: given(gender),
      phone: row.identifiers.flatMap(({ kind, value }) => (kind === 'phone' ? [value] : [])),
      card: row.identifiers.flatMap(({ kind, value }) => (kind === 'card' ? [value] : [])),
    })
    if (is === 'typed_anew') truth.add(`${other + 1}-${n + 1}`)
  }
  return { persons, truth }
}

/** Takes the set through the steps of the search: words counted, keys shared, pairs judged. */
export async function scoreOf({ persons, truth }: KnownSet): Promise<Score> {
  const rarity = countRarity()
  const keys = blocks()
  for (const [id, person] of persons) {
    rarity.note(wordsOf(memberFields, person))
    for (const key of keysOf(memberFields, person)) keys.add(key, id)
  }
  const found = { right: 0, wrong: 0, blocked: 0, compared: 0 }
  for await (const pairs of keys.pairs()) {
    for (const [low, high] of pairs) {
      const isTrue = truth.has(`${low}-${high}`)
      found.compared += 1
      if (isTrue) found.blocked += 1
      const { proposed } = likeness(memberFields, persons.get(low) ?? {}, persons.get(high) ?? {}, rarity)
      if (proposed) found[isTrue ? 'right' : 'wrong'] += 1
    }
  }
  return {
    precision: found.right / (found.right + found.wrong),
    recall: found.right / truth.size,
    blocked: found.blocked / truth.size,
    compared: found.compared,
  }
}

function given(text: string | null | undefined): string[] {
  return text === null || text === undefined || text.trim() === '' ? [] : [text.trim()]
}

/** A small CSV with quotes and a heading. */
function table(path: string): Record<string, string>[] {
  const [heading = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  const cells = (line: string): string[] =>
    (line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? []).map((cell) =>
      cell.replace(/,$/, '').trim().replace(/^"|"$/g, ''),
    )
  const names = cells(heading)
  return lines.map((line) => Object.fromEntries(cells(line).map((cell, index) => [names[index] ?? '', cell])))
}
