/**
 * Merges of persons: tags belong to profiles, so they move with them and come back exactly, whatever happened between.
 * Membership and states follow by evaluation: a merge and its undo touch all persons concerned, with the cause `merge`.
 */
import { append, type NewEvent } from '../../events/events.ts'
import type { Follower } from '../../members/members.ts'
import { idOf } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { eraseMembership } from '../segments/store.ts'
import { settle } from './auto-tags.ts'
import { movePersonTags } from './store.ts'

export const audienceFollower: Follower = {
  name: 'audience',
  async merged(tx, merges) {
    const gone = new Set(merges.map(({ absorbed }) => absorbed))
    await follow(
      tx,
      'merged',
      merges.map(({ kept, absorbed, ...merge }) => ({
        ...merge,
        to: kept,
        persons: [kept, absorbed],
        tell: gone.has(kept) ? [] : [kept],
      })),
    )
  },
  async split(tx, splits) {
    await follow(
      tx,
      'split',
      splits.map(({ kept, restored, ...split }) => ({
        ...split,
        to: restored,
        persons: [kept, restored],
        tell: [kept, restored],
      })),
    )
  },
  async removed(tx, { persons }) {
    await tx.run(sql`delete from s_tag where person_id = any(${persons}::int[])`)
  },
  /** Counts of segments go down by one; an answer that is being computed meanwhile goes with the event (due.ts). */
  async erased(tx, { persons, at }) {
    for (const table of [sql`s_tag`, sql`person_state`, sql`evaluation_due`]) {
      await tx.run(sql`delete from ${table} where person_id = any(${persons}::int[])`)
    }
    await eraseMembership(tx, persons, at)
  },
}

type Step = {
  mergeId: string
  profileIds: readonly number[]
  to: number
  persons: readonly number[]
  /** Whose values are told where they change by it. */
  tell: readonly number[]
  at: Date
}

/** All at once: an import may join thousands in one transaction. */
async function follow(tx: Tx, what: 'merged' | 'split', steps: readonly Step[]): Promise<void> {
  const [first] = steps
  if (!first) return
  const persons = [...new Set(steps.flatMap((step) => step.persons))]
  const to = new Map(
    steps.flatMap((step) => step.profileIds.map((profileId) => [profileId, step.to] as const)),
  )
  const events = await settle(tx, persons, { reading: what, now: first.at }, () => movePersonTags(tx, to))
  const told = new Map(steps.flatMap((step) => step.tell.map((person) => [person, step.mergeId] as const)))
  await append(
    tx,
    events.flatMap((event): NewEvent[] => {
      const mergeId = told.get(event.personId ?? 0)
      return mergeId === undefined ? [] : [{ ...event, id: idOf(event.id, `${what} ${mergeId}`) }]
    }),
    { lane: 'bulk', source: 'tags', receivedAt: first.at },
  )
}
