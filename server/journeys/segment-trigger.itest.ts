/** Entering a segment lets into a SOP, from the entries of today and from those of older logs. */
import { expect, test } from 'vitest'
import { addPersons, happened, tell } from '../../test/support/audience-world.ts'
import { holdNobodyOut } from '../../test/support/reach.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import { sql } from '../platform/postgres/sql.ts'
import { journeyById } from './journey-store.ts'
import { createJourney, goLive } from './journeys.ts'

const now = new Date('2026-03-02T02:00:00Z')
const world = await sopWorld(now)
const OTHER = 900

async function liveSop(name: string, template: 'wake_sleeping' | 'birthday'): Promise<[string, number]> {
  const wanted = { template, name, enterPresent: false, texts: {}, by: null }
  const id = await world.db.transaction((tx) => createJourney(tx, wanted, now))
  await world.settle()
  await world.db.transaction((tx) => goLive(tx, id, 1, null, now))
  const start = (await journeyById(world.db, id))?.definition.nodes.find(({ kind }) => kind === 'trigger')
  const trigger = start?.kind === 'trigger' ? start.on[0] : undefined
  if (trigger?.on !== 'segment' || trigger.segmentId === null) throw new Error('no segment lets into it')
  return [id, trigger.segmentId]
}

async function enrolled(journeyId: string): Promise<number[]> {
  const rows = await world.db.rows<{ id: number }>(
    sql`select person_id as id from enrolment where journey_id = ${journeyId} order by 1`,
  )
  return rows.map(({ id }) => id)
}

test('one entry that tells of several segments starts the SOP of each, once; what left, what came in bulk or by another cause starts none', async () => {
  await holdNobodyOut(world.db)
  const persons = [1, 2, 3, 4, 5]
  await addPersons(
    world,
    persons.map((personId) => ({ personId })),
    now,
    'bulk',
  )
  await world.settle()
  const [waking, asleep] = await liveSop('唤醒', 'wake_sleeping')
  const [greeting, birthday] = await liveSop('生日', 'birthday')
  const changed = (personId: number, entered: number[], left: number[], cause: string) =>
    happened('segments_changed', personId, now, { entered, left, cause })
  await world.db.transaction(async (tx) => {
    await tell(tx, [changed(1, [OTHER, asleep, birthday], [], 'time')], now)
    await tell(tx, [happened('segment_entered', 2, now, { segmentId: asleep, cause: 'event' })], now)
    await tell(tx, [changed(3, [asleep], [], 'bulk'), changed(4, [OTHER], [asleep], 'event')], now)
    await tell(tx, [changed(5, [asleep], [], 'time')], now, 'bulk')
  })
  await world.react()
  expect(await enrolled(waking)).toEqual([1, 2])
  expect(await enrolled(greeting)).toEqual([1])
  await world.react()
  expect(await enrolled(waking)).toEqual([1, 2])
})
