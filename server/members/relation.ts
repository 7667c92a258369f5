/** Follow relations in WeCom as told: pure. Later adding and later loss count, whatever comes first. */
import type { IncomingRelation } from './incoming.ts'

/** Times in ms since 1970. */
export type RelationWord = {
  readonly externalUserid: string
  readonly remark: string | null
  readonly addWay: string | null
  readonly state: string | null
  readonly addedAt: number
  readonly lostAt: number | null
  readonly lostBy: string | null
}

export type RelationsByStaff = Readonly<Record<string, RelationWord>>

/** What rows tell, by staff. */
export function wordsOf(relations: readonly IncomingRelation[]): RelationsByStaff {
  return foldRelations(
    relations.map((one) => ({
      [one.staffId]: {
        externalUserid: one.externalUserid,
        remark: one.remark ?? null,
        addWay: one.addWay ?? null,
        state: one.state ?? null,
        addedAt: one.addedAt.getTime(),
        lostAt: one.lostAt?.getTime() ?? null,
        lostBy: one.lostAt ? (one.lostBy ?? null) : null,
      },
    })),
  )
}

/** The relations of several origins together; the order does not matter. */
export function foldRelations(all: readonly RelationsByStaff[]): RelationsByStaff {
  const result: Record<string, RelationWord> = {}
  for (const words of all) {
    for (const [staffId, word] of Object.entries(words)) {
      const known = result[staffId]
      result[staffId] = known ? mergeWords(known, word) : word
    }
  }
  return result
}

/** Whether the relation stands: it was added after it was last lost. */
export function stands({ addedAt, lostAt }: Pick<RelationWord, 'addedAt' | 'lostAt'>): boolean {
  return lostAt === null || addedAt > lostAt
}

function mergeWords(one: RelationWord, other: RelationWord): RelationWord {
  const [later, earlier] = isLater(one, other) ? [one, other] : [other, one]
  const loss = (one.lostAt ?? -1) >= (other.lostAt ?? -1) ? one : other
  return {
    externalUserid: later.externalUserid,
    remark: later.remark ?? earlier.remark,
    addWay: later.addWay ?? earlier.addWay,
    state: later.state ?? earlier.state,
    addedAt: later.addedAt,
    lostAt: loss.lostAt,
    lostBy: loss.lostBy,
  }
}

function isLater(one: RelationWord, other: RelationWord): boolean {
  return one.addedAt === other.addedAt
    ? JSON.stringify(one) >= JSON.stringify(other)
    : one.addedAt > other.addedAt
}
