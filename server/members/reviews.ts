/** Identity questions and merges as pages show them, side by side. */
import { z } from 'zod'
import type { Viewer } from '../org/org.ts'
import { decodeCursor, encodeCursor } from '../platform/cursor.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type ShownIdentifier, shownIdentifiers } from './card.ts'
import { maskName } from './mask.ts'
import { sidesOf } from './merges.ts'
import { type Found, membersByIds } from './search.ts'
import type { MembersDeps } from './settle-world.ts'
import { type MergeRow, mergePage, type ReviewRow, reviewPage } from './store-merges.ts'
import { namesOf } from './store-reads.ts'

/** `evidence` names fields and how they agree, never values. One side where they have become one meanwhile. */
export type ReviewShown = Omit<ReviewRow, 'profiles' | 'key'> & {
  sides: (Found & { identifiers: ShownIdentifier[] })[]
}
type Page<Item> = { items: Item[]; next: string | null }

const ReviewCursor = z.tuple([z.number(), z.uuid()])
const MergeCursor = z.tuple([z.string(), z.uuid()])

/** Questions, the surest first; conflicts before likely duplicates. Errors: `bad_input` for a foreign cursor. */
export async function reviewsPage(
  deps: MembersDeps,
  db: Db,
  asked: {
    state: 'open' | 'joined' | 'apart'
    kind?: 'conflict' | 'fuzzy' | undefined
    cursor?: string | undefined
    limit: number
  },
  viewer: Viewer,
): Promise<Page<ReviewShown>> {
  const after = decodeCursor(asked.cursor, ReviewCursor)
  const rows = await reviewPage(db, {
    state: asked.state,
    kind: asked.kind ?? null,
    after: after ? { score: after[0], id: after[1] } : null,
    limit: asked.limit + 1,
  })
  const shown = rows.slice(0, asked.limit)
  const last = shown.at(-1)
  const items: ReviewShown[] = []
  for (const { profiles, key: _, ...review } of shown) {
    const sides: ReviewShown['sides'] = []
    for (const side of await membersByIds(deps, db, await sidesOf(db, { profiles }), viewer)) {
      sides.push({ ...side, identifiers: await shownIdentifiers(deps, db, side.id, viewer) })
    }
    items.push({ ...review, sides })
  }
  return { items, next: rows.length > asked.limit && last ? encodeCursor([last.score ?? 2, last.id]) : null }
}

/** A merge with the public id and the names of both sides; who was absorbed keeps the name it had. */
export type MergeShown = Omit<MergeRow, 'via'> & {
  keptPublicId: string
  keptName: string | null
  absorbedName: string | null
}

/** Merges, the latest first. Errors: `bad_input` for a foreign cursor. */
export async function mergesPage(
  db: Db,
  asked: { cursor?: string | undefined; limit: number },
  viewer: Viewer,
): Promise<Page<MergeShown>> {
  const after = decodeCursor(asked.cursor, MergeCursor)
  const rows = await mergePage(db, {
    after: after ? { at: after[0], id: after[1] } : null,
    limit: asked.limit + 1,
    person: null,
  })
  const shown = rows.slice(0, asked.limit)
  const last = shown.at(-1)
  const names = await namesOf(db, [...new Set(shown.flatMap(({ kept, absorbed }) => [kept, absorbed]))])
  const nameOf = (id: number): string | null => {
    const name = names.get(id)?.name ?? null
    return name === null || viewer.maySeePersonal ? name : maskName(name)
  }
  return {
    items: shown.map(({ via: _, ...merge }) => ({
      ...merge,
      keptPublicId: names.get(merge.kept)?.publicId ?? '',
      keptName: nameOf(merge.kept),
      absorbedName: nameOf(merge.absorbed),
    })),
    next: rows.length > asked.limit && last ? encodeCursor([last.at.toISOString(), last.id]) : null,
  }
}
