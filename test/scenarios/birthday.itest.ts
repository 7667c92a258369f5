/** The birthday SOP from one end to the other: solar, lunar and leap days, with the clock moved through the years. */
import { expect, test } from 'vitest'
import { createJourney, goLive } from '../../server/journeys/journeys.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { finishTask } from '../../server/tasks/tasks.ts'
import { addPersons, type PersonGiven } from '../support/audience-world.ts'
import { holdNobodyOut, makeStaff } from '../support/reach.ts'
import { sopWorld } from '../support/sop-world.ts'

/** Midday in Shanghai. */
const START = new Date('2025-07-01T04:00:00Z')

/**
 * Days from the printed calendar, not from our tables. 2025 has a second sixth month (闰六月, from 25 July); its twelfth
 * month has 29 days (除夕 on 16 February 2026). Mid-autumn, 八月十五, is 6 October 2025 and 25 September 2026.
 */
const people = [
  { personId: 1, name: '公历', birthday: '1990-03-10', lunar: false, days: ['2026-03-10'] },
  { personId: 2, name: '闰日', birthday: '1988-02-29', lunar: false, days: ['2026-02-28', '2028-02-29'] },
  { personId: 3, name: '中秋', birthday: '1992-08-15', lunar: true, days: ['2025-10-06', '2026-09-25'] },
  // In a year with two sixth months the first is celebrated, and only once.
  { personId: 4, name: '六月', birthday: '1991-06-15', lunar: true, days: ['2025-07-09', '2026-07-28'] },
  // The thirtieth is celebrated on the last day where the month is short.
  { personId: 5, name: '除夕', birthday: '1985-12-30', lunar: true, days: ['2026-02-16'] },
  { personId: 6, name: '无生日', birthday: null, lunar: false, days: [] },
] as const

/** Every day on which somebody celebrates or one could think so, and the days beside them. */
const looks = [
  '2025-07-08',
  '2025-07-09',
  '2025-07-10',
  '2025-08-08',
  '2025-10-05',
  '2025-10-06',
  '2025-10-07',
  '2026-02-15',
  '2026-02-16',
  '2026-02-17',
  '2026-02-27',
  '2026-02-28',
  '2026-03-01',
  '2026-03-09',
  '2026-03-10',
  '2026-03-11',
  '2026-07-28',
  '2026-09-25',
  '2028-02-28',
  '2028-02-29',
  '2028-03-01',
]

const world = await sopWorld(START)
const { db } = world
const [guide = ''] = await makeStaff(db, 1)
await holdNobodyOut(db)
await addPersons(
  world,
  people.map(({ name: _, days: __, ...person }): PersonGiven => ({ ...person, joinedAt: START.getTime() })),
  START,
)
for (const { personId, name } of people)
  await db.run(sql`update person set owner_staff_id = ${guide}, name = ${name} where id = ${personId}`)
await db.transaction(async (tx) => {
  const wanted = { template: 'birthday' as const, name: '生日', enterPresent: false, texts: {}, by: null }
  await goLive(tx, await createJourney(tx, wanted, START), 1, null, START)
})
await world.settle()

const shanghai = (day: string, time: string): Date => new Date(`${day}T${time}:00+08:00`)

async function tasks(): Promise<{ day: string; name: string; script: string; hour: string }[]> {
  return db.rows(sql`
    select to_char(t.created_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD') as day, p.name, t.script,
      to_char(t.created_at at time zone 'Asia/Shanghai', 'HH24:MI') as hour
    from task t join person p on p.id = t.person_id order by t.created_at, p.id`)
}

test('each is greeted by the guide on the day that is theirs, once a year, in the morning', async () => {
  for (const day of looks) {
    await world.at(shanghai(day, '00:01'))
    await world.at(shanghai(day, '09:31'))
    const open = await db.rows<{ id: string }>(sql`select id from task where state = 'open'`)
    for (const { id } of open)
      await db.transaction((tx) => finishTask(tx, id, { outcome: 'sent', by: guide, at: world.now }))
    await world.at(shanghai(day, '23:00'))
  }
  const expected = people
    .flatMap(({ name, days }) => days.map((day) => `${day} ${name}`))
    .sort((a, b) => (a < b ? -1 : 1))
  const greeted = await tasks()
  expect(greeted.map(({ day, name }) => `${day} ${name}`).sort()).toEqual(expected)
  for (const { name, script, hour } of greeted) {
    expect(hour).toBe('09:31')
    expect(script).toContain(`${name}您好，我是我们店的导购1，祝您生日快乐`)
  }
  const ended = await db.rows(sql`select distinct state, reason from enrolment`)
  expect(ended).toEqual([{ state: 'finished', reason: 'completed' }])
})

test('where the guide does nothing an SMS is tried once patience is over, and the SOP ends even where nobody can be reached', async () => {
  const before = world.sms.messages.length
  expect(before).toBe(0)
  await db.run(sql`update person set consents = '{"sms": "granted"}' where id = 1`)
  await world.at(shanghai('2029-03-10', '00:01'))
  await world.at(shanghai('2029-03-10', '09:31'))
  expect((await tasks()).at(-1)).toMatchObject({ day: '2029-03-10', name: '公历' })
  await world.at(shanghai('2029-03-10', '20:45'))
  const [late] = await db.rows(sql`select state from task order by created_at desc limit 1`)
  expect(late).toEqual({ state: 'late' })
  // The task is waited for two days beyond its time; then the person has no number, and the SOP ends all the same.
  await world.at(shanghai('2029-03-12', '20:45'))
  await world.at(shanghai('2029-03-13', '09:30'))
  const [touch] = await db.rows(sql`select channel, state, reason from touch`)
  expect(touch).toEqual({ channel: 'sms', state: 'dropped', reason: 'unreachable' })
  await world.at(shanghai('2029-03-13', '10:00'))
  const active = await db.rows(sql`select id from enrolment where state = 'active'`)
  expect(active).toEqual([])
})
