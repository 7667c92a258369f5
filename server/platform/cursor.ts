import type { z } from 'zod'
import { Problem } from './problem.ts'

/** What a page gives as `next`: the sort values of its last row, opaque to the outside. */
export function encodeCursor(values: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url')
}

/** The values of a cursor, checked against their schema: `decodeCursor(text, z.tuple([z.string(), z.uuid()]))`. Errors: `bad_input`. */
export function decodeCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined
  let values: unknown
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    values = undefined
  }
  const read = schema.safeParse(values)
  if (!read.success)
    throw new Problem('bad_input', 'The cursor is not one that a page gave.', { field: 'cursor' })
  return read.data
}

/** One page of `limit` items out of `limit + 1` rows that were read: the extra row tells whether there is a next page. */
export function pageFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  how: { item: (row: Row) => Item; cursor: (row: Row) => readonly (string | number | null)[] },
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(how.item),
    next: rows.length > limit && last !== undefined ? encodeCursor(how.cursor(last)) : null,
  }
}
