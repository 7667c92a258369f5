import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  makeStaff,
  offerAll,
  openSimulated,
} from '../../test/support/reach.ts'
import { peopleOf, TEN, testKeys } from '../../test/support/reach-ports.ts'
import type { LoggedEvent } from '../events/events.ts'
import { idOf } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import { sql } from '../platform/postgres/sql.ts'
import { arbitrateOnce } from './arbiter/arbitrate.ts'
import { reachHandler } from './react.ts'

const db = await testDatabase()
const keys = testKeys()
const [owner = '', replied = '', called = ''] = await makeStaff(db, 3)
const [person = 0] = await makeMembers(db, keys, { count: 1, staffIds: [owner] })
for (const [place, staffId] of [replied, called].entries())
  await db.run(sql`
    insert into relation (profile_id, staff_id, external_userid, added_at) values (${person}, ${staffId}, ${`wm-${place}`}, ${TEN})`)
await db.run(sql`update person set owner_staff_id = ${owner}`)
await openSimulated(db, 'wecom', 'http://127.0.0.1:1')
await holdNobodyOut(db)
const token = (await takeLease(db, 'reach', 60_000)) as LeaseToken

function event(
  type: 'member_replied' | 'task_done',
  hours: number,
  data: Record<string, unknown>,
): LoggedEvent {
  const at = new Date(TEN.getTime() + hours * 3_600_000)
  const id = idOf('talk', type, hours)
  return {
    id,
    type,
    profileId: person,
    personId: person,
    at,
    receivedAt: at,
    lane: 'live',
    data,
  } as LoggedEvent
}

async function hear(...events: LoggedEvent[]): Promise<void> {
  await db.transaction((tx) => reachHandler.handle(tx, events, TEN))
}

let offered = 0
/** Who sends a transactional mass message to the person now. */
async function sender(): Promise<string | null> {
  offered += 1
  const contentId = await makeContent(db, { channel: 'wecom', body: `${offered}` })
  await offerAll(
    db,
    [candidate({ personId: person, channel: 'wecom', class: 'transactional', contentId })],
    TEN,
  )
  await arbitrateOnce(db, peopleOf(keys), { token, now: TEN, zone: 'Asia/Shanghai' })
  const row = await db.row<{ sender: string | null }>(
    sql`select sender_id as sender from touch where content_id = ${contentId}`,
  )
  return row.sender
}

test('the owner sends until somebody talks with the member; then whoever talked last', async () => {
  expect(await sender()).toBe(owner)
  await hear(event('member_replied', -5, { channel: 'wecom', staffId: replied }))
  expect(await sender()).toBe(replied)
  await hear(event('task_done', -3, { kind: 'invite', staffId: called, outcome: 'called' }))
  expect(await sender()).toBe(called)
})

test('an older talk, a repeat, a task without an answer and people who are gone change nothing', async () => {
  await hear(
    event('member_replied', -9, { channel: 'wecom', staffId: replied }),
    event('task_done', -3, { kind: 'invite', staffId: called, outcome: 'called' }),
    event('task_done', -1, { kind: 'invite', staffId: replied, outcome: 'no_answer' }),
    event('member_replied', -1, { channel: 'wecom', staffId: null }),
    { ...event('member_replied', -1, { channel: 'wecom', staffId: idOf('nobody') }), profileId: person },
    {
      ...event('member_replied', -1, { channel: 'wecom', staffId: replied }),
      profileId: 999_999,
      personId: null,
    },
  )
  expect(await sender()).toBe(called)
  const talks = await db.rows(sql`select staff_id, at from talk order by at`)
  expect(talks).toEqual([
    { staff_id: replied, at: new Date(TEN.getTime() - 5 * 3_600_000) },
    { staff_id: called, at: new Date(TEN.getTime() - 3 * 3_600_000) },
  ])
})
