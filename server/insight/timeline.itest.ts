import { expect, test } from 'vitest'
import { addPersons, audienceWorld, projectAll, settleAll } from '../../test/support/audience-world.ts'
import { createSegment } from '../audience/audience.ts'
import { sql } from '../platform/postgres/sql.ts'
import { memberTimeline } from './member-card.ts'

const at = new Date('2026-06-01T04:00:00Z')

test('what somebody enters when segments are new is one entry of the log and one line with all names', async () => {
  const world = await audienceWorld()
  const { db, clickhouse } = world
  await addPersons(world, [{ personId: 1 }], at)
  await settleAll(world, at)
  const names = ['甲', '<script>', '𠮷', '丁', '戊', '己']
  await db.transaction(async (tx) => {
    for (const name of names) {
      const rule = { kind: 'sample' as const, salt: name, per10000: 10_000 }
      await createSegment(tx, { name, description: '', rule }, { by: null, at })
    }
  })
  await settleAll(world, at)
  await projectAll(world, at)

  const told = await db.rows<{ type: string; entered: number }>(sql`
    select type, jsonb_array_length(data -> 'entered') as entered from event_log where type like 'segment%'`)
  expect(told).toEqual([{ type: 'segments_changed', entered: names.length }])
  const { items } = await memberTimeline({ db, clickhouse }, 1, { limit: 20 })
  expect(items.filter(({ type }) => type === 'segments_changed').map(({ title }) => title)).toEqual([
    {
      zh: '进入人群：甲、<script>、𠮷、丁、戊等 6 个',
      en: 'Entered a segment: 甲, <script>, 𠮷, 丁, 戊 and 1 more',
    },
  ])
})
