/**
 * What the columns of a file mean, guessed: a saved mapping for the same headings first, then the names of the
 * headings, then what stands in the columns. A guess is shown and can be corrected; nothing is written on a guess alone
 * but by the command line, which prints it.
 */
import { createHash } from 'node:crypto'
import type { ColumnGuess, ImportDefaults, Mapping } from '../../../contract/import.ts'
import {
  foldHeading,
  type ImportField,
  type ImportKind,
  importField,
  importFields,
  importKinds,
} from '../../../contract/import-fields.ts'
import { Problem } from '../../platform/problem.ts'
import { dateOrderOf } from './dates.ts'
import type { Cell } from './row.ts'
import { Fault, readGender, showCell } from './values.ts'

/** The same for files with the same headings in the same order. */
export function fingerprint(headings: readonly string[]): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(headings.map(foldHeading)))
    .digest()
}

export type Sample = { headings: readonly string[]; rows: readonly (readonly Cell[])[] }

/** One guess per column, each field at most once. */
export function guessColumns(kind: ImportKind, sample: Sample, saved?: Mapping): ColumnGuess[] {
  const names = namesOf(kind)
  const taken = new Set<string>()
  const guesses = sample.headings.map((heading, column) => {
    const cells = sample.rows.map((row) => row[column] ?? null)
    return { heading, column, cells, ...unguessed(cells) }
  })
  const take = (guess: (typeof guesses)[number], field: string, because: ColumnGuess['because']): void => {
    guess.field = field
    guess.because = because
    taken.add(field)
  }
  if (saved) {
    for (const guess of guesses) {
      const known = saved.columns.find((column) => column.heading === guess.heading)
      if (!known) continue
      guess.because = 'saved'
      if (known.field !== null) take(guess, known.field, 'saved')
      if (known.dateOrder) guess.dateOrder = known.dateOrder
    }
  }
  for (const rank of [0, 1, 2]) {
    for (const guess of guesses) {
      if (guess.because !== null) continue
      const field = names
        .get(foldHeading(guess.heading))
        ?.find((one) => one.rank === rank && !taken.has(one.field.key))
      if (field && fits(field.field, guess.cells)) take(guess, field.field.key, 'heading')
    }
  }
  for (const guess of guesses) {
    if (guess.because !== null) continue
    const field = sniff(kind, guess.cells)
    if (field !== undefined && !taken.has(field)) take(guess, field, 'values')
  }
  return guesses.map(({ heading, cells, field, because, dateOrder, samples }) =>
    withDates(kind, cells, {
      heading,
      samples,
      field,
      because,
      ambiguousDates: false,
      ...(dateOrder ? { dateOrder } : {}),
    }),
  )
}

/** The kind whose fields the headings name best. */
export function guessKind(headings: readonly string[]): ImportKind {
  const telling: Record<ImportKind, readonly string[]> = {
    members: ['joinedAt', 'birthday', 'level', 'gender', 'name', 'source'],
    orders: ['orderNo', 'orderedAt', 'sku', 'quantity', 'price', 'total', 'paidAt', 'lineTotal'],
    contacts: ['staffUserid', 'externalUserid', 'addedAt', 'addWay', 'remark'],
  }
  let best: { kind: ImportKind; score: number } = { kind: 'members', score: 0 }
  for (const kind of importKinds) {
    const names = namesOf(kind)
    const found = new Set(
      headings.flatMap((heading) => names.get(foldHeading(heading))?.map((one) => one.field.key) ?? []),
    )
    const score = telling[kind].filter((key) => found.has(key)).length + found.size / 100
    if (score > best.score) best = { kind, score }
  }
  return best.kind
}

/** The mapping that a set of guesses stands for. */
export function mappingOf(guesses: readonly ColumnGuess[], defaults: ImportDefaults = {}): Mapping {
  return {
    columns: guesses.map(({ heading, field, dateOrder }) => ({
      heading,
      field,
      ...(dateOrder ? { dateOrder } : {}),
    })),
    defaults,
  }
}

/** Errors: `Problem` bad_input where a field is unknown, twice, or what the kind needs is missing. */
export function checkMapping(kind: ImportKind, mapping: Mapping): void {
  const seen = new Set<string>()
  for (const { field, heading } of mapping.columns) {
    if (field === null) continue
    const attribute = kind === 'members' && field.startsWith('attribute:')
    if (!attribute && !importField(kind, field)) refuse(`No such field: ${field}.`, heading)
    if (seen.has(field)) refuse(`Two columns are mapped to ${field}.`, heading)
    seen.add(field)
  }
  const has = (...fields: string[]): boolean => fields.some((field) => seen.has(field))
  if (kind === 'orders') {
    if (!has('orderedAt', 'paidAt'))
      refuse('An order needs a time: map the column of the order or payment time.', 'orderedAt')
    if (!has('total', 'lineTotal', 'price'))
      refuse('An order needs an amount: map a total, a line amount or a price.', 'total')
  }
  if (kind === 'members' && !has(...MEMBER_KEYS, 'name'))
    refuse('A member needs a number, a phone or a name.', 'memberNo')
  if (kind === 'contacts' && !has('externalUserid', 'unionid'))
    refuse('A contact needs its external user id.', 'externalUserid')
}

const MEMBER_KEYS = [
  'memberNo',
  'cardNumber',
  'phone',
  'unionid',
  'officialOpenid',
  'miniOpenid',
  'externalUserid',
  'email',
]

function refuse(message: string, field: string): never {
  throw new Problem('bad_input', message, { field })
}

function unguessed(cells: readonly Cell[]): Pick<ColumnGuess, 'samples' | 'field' | 'because' | 'dateOrder'> {
  const texts = cells.map((cell) => showCell(cell).slice(0, 60)).filter((text) => text !== '')
  return { samples: [...new Set(texts)].slice(0, 5), field: null, because: null }
}

type Named = { field: ImportField; rank: number }
const nameTables = new Map<ImportKind, Map<string, Named[]>>()

/** Folded heading → fields, best first: the field's own names before synonyms, earlier synonyms before later ones. */
function namesOf(kind: ImportKind): Map<string, Named[]> {
  const known = nameTables.get(kind)
  if (known) return known
  const table = new Map<string, Named[]>()
  for (const field of importFields[kind]) {
    const names = [field.zh, field.en, field.key, ...field.synonyms]
    names.forEach((name, place) => {
      const folded = foldHeading(name)
      const list = table.get(folded) ?? []
      if (list.some((one) => one.field === field)) return
      list.push({ field, rank: place < 3 ? 0 : 1 + Number(place > 12) })
      table.set(folded, list)
    })
  }
  nameTables.set(kind, table)
  return table
}

/** A heading that promises a phone or a date must not stand over something else entirely. */
function fits(field: ImportField, cells: readonly Cell[]): boolean {
  const filled = cells.filter((cell) => cell !== null && cell !== '')
  if (filled.length < 5) return true
  const share = (test: (cell: Cell) => boolean): number => filled.filter(test).length / filled.length
  if (field.value === 'phone') return share(looksLikePhone) > 0.2
  if (field.value === 'instant' || field.value === 'day') return share(looksLikeTime) > 0.2
  if (field.value === 'money' || field.value === 'number')
    return share((cell) => /\d/u.test(String(cell))) > 0.2
  return true
}

/** A number that somebody wrote as a phone, wrong and masked ones too. */
function looksLikePhone(cell: Cell): boolean {
  return /^[+'(]?\d[\d\s\-().*·]{3,24}$/u.test(showCell(cell).trim().normalize('NFKC'))
}

function looksLikeTime(cell: Cell): boolean {
  return cell instanceof Date || /\d{4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}/u.test(String(cell))
}

/** Only what cannot be mistaken: a mobile number, a WeCom id, an e-mail address, a gender. */
function sniff(kind: ImportKind, cells: readonly Cell[]): string | undefined {
  const filled = cells.filter((cell): cell is Exclude<Cell, null> => cell !== null && cell !== '')
  if (filled.length < 3) return undefined
  const most = (test: (text: string) => boolean): boolean =>
    filled.filter((cell) => test(showCell(cell).trim())).length >= filled.length * 0.8
  const phone = kind === 'contacts' ? 'remarkPhone' : 'phone'
  if (most((text) => /^(\+?86)?1[3-9]\d{9}$/u.test(text))) return phone
  if (most((text) => /^w[mo][\w-]{28,34}$/u.test(text))) return 'externalUserid'
  if (most((text) => /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/iu.test(text))) return 'email'
  if (
    kind !== 'orders' &&
    most((text) => ['男', '女'].includes(text) && !(readGender(text) instanceof Fault))
  )
    return 'gender'
  return undefined
}

function withDates(kind: ImportKind, cells: readonly Cell[], guess: ColumnGuess): ColumnGuess {
  const field = guess.field === null ? undefined : importField(kind, guess.field)
  if (field?.value !== 'instant' && field?.value !== 'day') return guess
  if (guess.dateOrder) return guess
  const seen = new Set(cells.map(dateOrderOf))
  if (seen.has('dmy') && !seen.has('mdy')) return { ...guess, dateOrder: 'dmy' }
  if (seen.has('mdy')) return { ...guess, dateOrder: 'mdy' }
  return seen.has('either') ? { ...guess, dateOrder: 'mdy', ambiguousDates: true } : guess
}
