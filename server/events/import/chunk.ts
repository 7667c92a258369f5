/** Consecutive lines of a bucket, cut where an order or a record ends, and what they come to before anything is written. */
import type { ImportCounts } from '../../../contract/import.ts'
import { countRejected, noCounts } from './counts.ts'
import { isRejected, type OrderPlan, planOrders } from './order-group.ts'
import { unpackOrder } from './order-row.ts'
import { type PersonRow, unpackPerson } from './person-row.ts'
import { CHUNK_ROWS } from './ports.ts'
import { rejectLine } from './rejects.ts'

export type PersonGroup = { key: string; rows: { row: PersonRow; number: number }[] }

export type Chunk = {
  /** The line behind the last one. */
  end: number
  orders: OrderPlan[]
  people: PersonGroup[]
  /** Rows that the plans already refuse. */
  rejects: string
  counts: ImportCounts
}

/** The chunk that begins at line `from`: whole groups, together at most 5,000 rows (one group may be longer). */
export function takeOrders(lines: readonly string[], from: number): Chunk {
  const chunk: Chunk = { end: from, orders: [], people: [], rejects: '', counts: noCounts() }
  for (const { key, rows, end } of groups(lines, from, unpackOrder)) {
    if (chunk.end > from && end - from > CHUNK_ROWS) break
    chunk.end = end
    for (const plan of planOrders(key, rows)) {
      if (isRejected(plan)) refuse(chunk, rows, plan.field, plan.reason)
      else chunk.orders.push(plan)
    }
  }
  return chunk
}

export function takePeople(lines: readonly string[], from: number): Chunk {
  const chunk: Chunk = { end: from, orders: [], people: [], rejects: '', counts: noCounts() }
  const unpack = (line: string) => {
    const { key, row, number } = unpackPerson(line)
    return { key, row: { row, number } }
  }
  for (const { key, rows, end } of groups(lines, from, unpack)) {
    if (chunk.end > from && end - from > CHUNK_ROWS) break
    chunk.end = end
    if (rows.length > CHUNK_ROWS) refuse(chunk, rows, 'memberNo', 'too_many_lines')
    else chunk.people.push({ key, rows })
  }
  return chunk
}

/** Notes that rows cannot go in, once each. */
export function refuse(
  chunk: Pick<Chunk, 'rejects' | 'counts'>,
  rows: readonly { number: number }[],
  column: string,
  reason: Parameters<typeof countRejected>[1],
): void {
  for (const { number } of rows) {
    countRejected(chunk.counts, reason)
    chunk.rejects += rejectLine(number, { column, value: '', reason })
  }
}

type Group<R> = { key: string; rows: R[]; end: number }

/** Groups from line `from` on, until enough lines are taken. */
function* groups<R>(
  lines: readonly string[],
  from: number,
  unpack: (line: string) => { key: string; row: R },
): Generator<Group<R>> {
  let group: Group<R> | undefined
  for (let at = from; at < lines.length; at += 1) {
    const { key, row } = unpack(lines[at] ?? '')
    if (group && group.key !== key) {
      yield group
      group = undefined
    }
    group ??= { key, rows: [], end: at }
    group.rows.push(row)
    group.end = at + 1
  }
  if (group) yield group
}
