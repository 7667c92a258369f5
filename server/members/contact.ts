/** What a channel needs to reach people: whether it may, and the address itself, only for as long as it is sent to. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { type Channel, type ReachReason, type ReachState, reachReasons } from './reachability.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle.ts'
import { reasonsOf, shownPhones } from './store-reads.ts'

export type Reach = { state: ReachState; reason: ReachReason }

/**
 * Whether each of these persons can be reached. `real`: on a channel that reaches real people; demo persons are never
 * reachable there. Persons who are gone are left out.
 */
export async function reachability(
  db: Db,
  persons: readonly number[],
  channel: Channel,
  how: { real: boolean },
): Promise<Map<number, Reach>> {
  const rows = await reasonsOf(db, persons, channel, how)
  return new Map(
    rows.map(({ id, reason }) => [
      id,
      { state: reachReasons[reason as ReachReason], reason: reason as ReachReason },
    ]),
  )
}

/** An address to send to. For WeCom the contact's id and the staff who follow, the owner first, then the latest. */
export type Address =
  | { channel: 'sms'; phone: string }
  | { channel: 'wecom'; contacts: { externalUserid: string; staffId: string }[] }

/**
 * The addresses of persons for one channel; who has none is left out. With `real`, demo persons are left out by the
 * query itself, whatever the caller thinks. Phones are in E.164.
 */
export async function addressesOf(
  deps: MembersDeps,
  db: Db,
  persons: readonly number[],
  channel: 'sms' | 'wecom',
  { real }: { real: boolean },
): Promise<Map<number, Address>> {
  const allowed = await db.rows<{ id: number }>(sql`
    select id from person where id = any(${persons}::int[]) and state = 'live' and not (demo and ${real}::bool)`)
  const ids = allowed.map(({ id }) => id)
  return channel === 'sms' ? phonesOf(deps, db, ids) : contactsOf(db, ids)
}

async function phonesOf(
  deps: MembersDeps,
  db: Db,
  persons: readonly number[],
): Promise<Map<number, Address>> {
  const mobile = await db.rows<{ id: number }>(
    sql`select id from person where id = any(${persons}::int[]) and phone = 'mobile'`,
  )
  const phones = await shownPhones(
    db,
    mobile.map(({ id }) => id),
  )
  const secrets = await openSecrets(
    db,
    deps.keys,
    phones.map(({ profileId }) => profileId),
  )
  return new Map(
    phones.flatMap(({ personId, profileId, digest }) => {
      const phone = secrets.get(profileId)?.[digest]
      return phone === undefined ? [] : [[personId, { channel: 'sms', phone }] as const]
    }),
  )
}

async function contactsOf(db: Db, persons: readonly number[]): Promise<Map<number, Address>> {
  const rows = await db.rows<{ personId: number; externalUserid: string; staffId: string }>(sql`
    select p.person_id as "personId", r.external_userid as "externalUserid", r.staff_id as "staffId"
    from profile p join relation r on r.profile_id = p.id and r.standing join person e on e.id = p.person_id
    where p.person_id = any(${persons}::int[])
    order by p.person_id, (r.staff_id = e.owner_staff_id) desc nulls last, r.added_at desc`)
  return new Map(
    [...Map.groupBy(rows, ({ personId }) => personId)].map(([id, contacts]) => [
      id,
      {
        channel: 'wecom',
        contacts: contacts.map(({ externalUserid, staffId }) => ({ externalUserid, staffId })),
      },
    ]),
  )
}
