/** Touches as pages list them: with the names of member, sender and SOP, and the reason in words by the page. */
import { z } from 'zod'
import type { Touch } from '../../contract/insight.ts'
import { visibleTo } from '../members/members.ts'
import { brand, type Viewer } from '../org/org.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Database } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { listTouches, type TouchFilter } from '../reach/reach.ts'
import { touchNames } from './store.ts'

const NOBODY = 0
const After = z.tuple([z.iso.datetime(), z.uuid()])

export type TouchQuery = Omit<TouchFilter, 'personId' | 'among'> & {
  memberId?: string | undefined
  cursor?: string | undefined
  limit: number
}

export async function touchPage(
  db: Database,
  viewer: Viewer,
  { memberId, cursor, limit, ...filter }: TouchQuery,
): Promise<{ items: Touch[]; next: string | null }> {
  const after = decodeCursor(cursor, After)
  const { zone } = await brand(db)
  const names = touchNames(db)
  const personId = memberId === undefined ? undefined : await names.personId(memberId)
  const rows = await listTouches(
    db,
    {
      ...filter,
      ...(memberId === undefined ? {} : { personId: personId ?? NOBODY }),
      ...(viewer.all ? {} : { among: ofVisible(viewer) }),
    },
    { zone, limit: limit + 1, after: after ? { at: instant(after[0]), id: after[1] } : undefined },
  )
  const known = await names.of(rows)
  return pageFrom(rows, limit, {
    item: (row) => {
      const member = known.members.get(row.personId)
      return {
        id: row.id,
        memberId: member?.id ?? '00000000-0000-0000-0000-000000000000',
        member: viewer.maySeePersonal ? (member?.name ?? null) : masked(member?.name ?? null),
        channel: row.channel,
        class: row.class,
        state: row.state,
        reason: row.reason ?? '',
        journey: row.journeyId === null ? null : (known.journeys.get(row.journeyId) ?? null),
        sender: row.senderId === null ? null : (known.staff.get(row.senderId) ?? null),
        content: row.content,
        costCents: row.costCents,
        plannedAt: row.offeredAt.toISOString(),
        at: row.at.toISOString(),
      }
    },
    cursor: (row) => [row.offeredAt.toISOString(), row.id],
  })
}

/** Of persons whom the viewer sees elsewhere, too. */
function ofVisible(viewer: Viewer): Sql {
  return sql`t.person_id in (select person.id from person where ${visibleTo(viewer)})`
}

function masked(name: string | null): string | null {
  return name === null ? null : `${[...name][0] ?? ''}**`
}
