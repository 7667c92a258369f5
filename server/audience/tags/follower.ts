/**
 * Merges of persons: tags belong to profiles, so they move with them and come back exactly, whatever happened between.
 * Membership and states follow by evaluation: a merge and its undo touch all persons concerned, with the cause `merge`.
 */
import { append, type NewEvent } from '../../events/events.ts'
import type { Follower } from '../../members/members.ts'
import { idOf } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { settle } from './auto-tags.ts'
import { movePersonTags } from './store.ts'

export const audienceFollower: Follower = {
  name: 'audience',
  async merged(tx, merges) {
    for (const { mergeId, kept, absorbed, profileIds, at } of merges) {
      await follow(tx, { step: `merged ${mergeId}`, persons: [kept, absorbed], at, tell: [kept] }, () =>
        movePersonTags(tx, profileIds, kept),
      )
    }
  },
  async split(tx, splits) {
    for (const { mergeId, kept, restored, profileIds, at } of splits) {
      await follow(
        tx,
        { step: `split ${mergeId}`, persons: [kept, restored], at, tell: [kept, restored] },
        () => movePersonTags(tx, profileIds, restored),
      )
    }
  },
  async removed(tx, { persons }) {
    await tx.run(sql`delete from s_tag where person_id = any(${persons}::int[])`)
  },
  /** Counts of segments go down by one; an answer that is being computed meanwhile goes with the event (due.ts). */
  async erased(tx, { persons }) {
    for (const table of [sql`s_tag`, sql`person_segment`, sql`person_state`, sql`evaluation_due`]) {
      await tx.run(sql`delete from ${table} where person_id = any(${persons}::int[])`)
    }
  },
}

type Step = { step: string; persons: readonly number[]; tell: readonly number[]; at: Date }

async function follow(tx: Tx, { step, persons, tell, at }: Step, change: () => Promise<void>): Promise<void> {
  const events: NewEvent[] = await settle(tx, persons, { reading: step, now: at }, change)
  const told = events.filter((event) => event.personId !== null && tell.includes(event.personId))
  await append(
    tx,
    told.map((event) => ({ ...event, id: idOf(event.id, step) })),
    { lane: 'bulk', source: 'tags', receivedAt: at },
  )
}
