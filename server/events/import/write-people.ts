/** The members or contacts of a chunk, in its transaction. */
import type { Tx } from '../../platform/postgres/database.ts'
import { type Chunk, type PersonGroup, refuse } from './chunk.ts'
import { contactStatement, memberStatement } from './person-row.ts'
import { addUnknown, type PlaceBook, type StaffName, type StoreName } from './places.ts'
import type { PersonStatement, Resolve } from './ports.ts'
import type { WriteHow } from './write-orders.ts'

/** Writes what the rows say and counts into `chunk` what became of them. Answers the book with what was added. */
export async function writePeople(
  tx: Tx,
  resolve: Resolve,
  chunk: Chunk,
  given: PlaceBook,
  how: WriteHow & { kind: 'members' | 'contacts' },
): Promise<PlaceBook> {
  const { book, added } = await addUnknown(tx, how.actor, given, {
    ...namesOf(chunk.people, how.kind),
    before: 0,
    importId: how.importId,
  })
  chunk.counts.storesCreated += added
  const stated: { statement: PersonStatement; rows: PersonGroup['rows'] }[] = []
  for (const group of chunk.people) {
    if (group.rows.some(({ row }) => storeOf(row, book) === 'ambiguous')) {
      refuse(chunk, group.rows, 'store', 'store_ambiguous')
    } else if (how.kind === 'contacts') {
      stated.push({ statement: contactOf(group, book, chunk, how), rows: group.rows })
    } else {
      for (const [place, one] of group.rows.entries()) {
        const ids = {
          storeId: storeOf(one.row, book),
          staffId: staffOf(one.row, book, chunk),
          source: how.source,
        }
        stated.push({ statement: memberStatement(group.key, one.row, ids, place + 1), rows: [one] })
      }
    }
  }
  const answers = await resolve(
    tx,
    stated.map(({ statement }) => statement),
    how,
  )
  const { counts } = chunk
  for (const [place, { rows }] of stated.entries()) {
    const answer = answers[place]
    if (answer === undefined) throw new Error('a row without an answer')
    if (answer === null) {
      refuse(chunk, rows, 'memberNo', 'person_erased')
      continue
    }
    counts.accepted += rows.length
    counts.people += 1
    counts.peopleCreated += answer.newPerson ? 1 : 0
    counts.merged += answer.merged.length
    counts.reviews += answer.review === null ? 0 : 1
    counts.invalidPhones += rows.filter(({ row }) => row.invalidPhone).length
    if (answer.created) counts.created += 1
    else if (answer.changed.length > 0 || answer.merged.length > 0) counts.changed += 1
    else counts.unchanged += 1
  }
  return book
}

function namesOf(
  groups: readonly PersonGroup[],
  kind: 'members' | 'contacts',
): { stores: StoreName[]; staff: StaffName[] } {
  const stores: StoreName[] = []
  const staff: StaffName[] = []
  for (const { row } of groups.flatMap((group) => group.rows)) {
    const store = { code: row.storeCode, name: row.store, side: row.side }
    stores.push(store)
    staff.push({ code: row.staffCode, name: row.staff, store, wecom: kind === 'contacts' })
  }
  return { stores, staff }
}

type Row = PersonGroup['rows'][number]['row']

function storeOf(row: Row, book: PlaceBook): string | null {
  return book.store({ code: row.storeCode, name: row.store }) ?? null
}

/** Null, and counted, where two members of staff bear the name. */
function staffOf(row: Row, book: PlaceBook, chunk: Chunk): string | null {
  const found = book.staff({ code: row.staffCode, name: row.staff }) ?? null
  if (found !== 'ambiguous') return found
  chunk.counts.staffUnknown += 1
  return null
}

function contactOf(group: PersonGroup, book: PlaceBook, chunk: Chunk, how: WriteHow): PersonStatement {
  const rows = group.rows.map(({ row }) => ({ row, staffId: staffOf(row, book, chunk) }))
  return contactStatement(rows, { saidAt: how.at, source: how.source })
}
