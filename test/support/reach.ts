/** Builds what a touch needs: staff with their WeCom ids, members who follow them, content, open channels. */

import { resolve } from '../../server/members/resolve.ts'
import type { Keyring } from '../../server/platform/crypto/master-key.ts'
import { idOf, newId } from '../../server/platform/ids.ts'
import type { Database, Tx } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import {
  type Candidate,
  type ChannelName,
  type ContentDraft,
  offer,
  saveContent,
  simulate,
} from '../../server/reach/reach.ts'
import { TEN } from './reach-ports.ts'

export async function makeStaff(db: Database, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId(TEN))
  await db.run(sql`
    insert into staff (id, login, name, wecom_user_id, created_at)
    select id, 'guide' || place, '导购' || place, 'guide' || place, ${TEN}
    from unnest(${ids}::uuid[]) with ordinality as s (id, place)`)
  return ids
}

export type MemberMaking = {
  count: number
  staffIds?: readonly string[]
  demo?: boolean
  consent?: 'granted' | 'withdrawn' | 'unknown'
  first?: number
}

/** Members with a mobile number, each following one of the staff. Their person ids in order. */
export async function makeMembers(db: Database, keys: Keyring, making: MemberMaking): Promise<number[]> {
  const { count, staffIds = [], demo = false, consent = 'granted', first = 1 } = making
  const persons: number[] = []
  for (let from = 0; from < count; from += 2000) {
    const rows = Array.from({ length: Math.min(2000, count - from) }, (_, at) => {
      const number = first + from + at
      const external = `wm${number}${demo ? 'demo' : ''}`
      const staffId = staffIds[number % Math.max(1, staffIds.length)]
      return {
        externalId: `m${number}`,
        demo,
        identifiers: [
          { kind: 'phone' as const, value: `138${String(number).padStart(8, '0')}` },
          { kind: 'external_userid' as const, value: external },
        ],
        consents: consent === 'unknown' ? [] : [{ channel: 'sms', state: consent }],
        ...(staffId === undefined
          ? {}
          : {
              relations: [
                {
                  staffId,
                  externalUserid: external,
                  remark: null,
                  addWay: null,
                  state: null,
                  addedAt: TEN,
                  lostAt: null,
                  lostBy: null,
                },
              ],
            }),
      }
    })
    const resolved = await db.transaction((tx) =>
      resolve({ keys, followers: [] }, tx, rows, { lane: 'bulk', source: 'erp', at: TEN }),
    )
    persons.push(...resolved.flatMap((one) => one?.personId ?? []))
  }
  return persons
}

export async function makeContent(db: Database, draft: Partial<ContentDraft> & { channel: ChannelName }) {
  const id = newId(TEN)
  const whole = { id, name: 'greeting', body: '您好,新品到店', ...draft }
  await db.transaction((tx) => saveContent(tx, whole, TEN))
  return whole.id
}

export async function openSimulated(db: Database, name: ChannelName, baseUrl: string): Promise<void> {
  await db.transaction((tx) => simulate(tx, name, baseUrl, TEN))
}

/** Holdouts off, so that every candidate of a test goes. */
export async function holdNobodyOut(db: Database): Promise<void> {
  await db.run(sql`
    insert into setting (name, version, value, changed_at)
    values ('holdouts', 1, '{"basePercent": 0, "journeyPercent": 0}'::jsonb, ${TEN})`)
}

export function candidate(
  given: Partial<Candidate> & { personId: number; channel: ChannelName; contentId: string },
): Candidate {
  return {
    id: idOf('test', given.personId, given.channel, given.contentId),
    class: 'marketing',
    facts: {},
    score: 1,
    notBefore: TEN,
    expiresAt: new Date(TEN.getTime() + 72 * 3_600_000),
    costCents: null,
    ...given,
  }
}

export async function offerAll(db: Database, candidates: readonly Candidate[], now: Date): Promise<void> {
  for (let from = 0; from < candidates.length; from += 1000)
    await db.transaction((tx: Tx) => offer(tx, candidates.slice(from, from + 1000), now))
}

/** How many touches stand in each state, with their reasons. */
export async function statesOf(db: Database): Promise<Record<string, number>> {
  const rows = await db.rows<{ state: string; touches: number }>(sql`
    select state || coalesce(' ' || reason, '') as state, count(*)::int as touches from touch group by 1 order by 1`)
  return Object.fromEntries(rows.map((row) => [row.state, row.touches]))
}
