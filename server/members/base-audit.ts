/**
 * The audit of a member base (DATA-01…04): how many are valid, whom one can reach, what is missing, who stands in one
 * system only. Every count is of live persons; profiles, persons, members and contacts are never mixed.
 */
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import { COMPLETE_FROM } from './fold.ts'
import { type Channel, channels, reachState } from './reachability.ts'
import type { MemberSource, Side } from './source.ts'

export type BaseAudit = {
  persons: number
  members: number
  customers: number
  contacts: number
  visitors: number
  channels: { channel: Channel; reachable: number; unreachable: number; unknown: number }[]
  /** On at least one channel. */
  reachableAny: number
  /** Unreachable on every channel (失联). */
  lost: number
  phones: { valid: number; invalid: number; missing: number }
  /** Completeness below 60 of 100 (fold.ts says what counts). */
  incomplete: number
  /** Mean completeness, 0…100. */
  completeness: number
  onlyInWecom: number
  onlyInErp: number
  inBoth: number
  duplicatesProposed: number
  conflicts: number
  sources: { source: MemberSource; side: Side | null; persons: number }[]
  registrations: { registration: string | null; persons: number }[]
}

/**
 * The numbers as the tables stand. `among` narrows to some persons: a condition on `person`. Demo persons count like
 * others here: a demo brand is audited on its own channels. Reads one snapshot; about a second for a million persons.
 */
export async function auditBase(db: Db, among: Sql = sql`true`): Promise<BaseAudit> {
  const states = join(
    channels.map((channel) => sql`${reachState(channel, { real: false })} as ${trusted(`reach_${channel}`)}`),
    ', ',
  )
  const counts = join(
    channels.flatMap((channel) =>
      (['reachable', 'unreachable', 'unknown'] as const).map(
        (state) =>
          sql`count(*) filter (where ${trusted(`reach_${channel}`)} = ${trusted(`'${state}'`)})::int as ${trusted(`${channel}_${state}`)}`,
      ),
    ),
    ', ',
  )
  const all = (state: string): string =>
    channels.map((channel) => `reach_${channel} = '${state}'`).join(' and ')
  const any = (state: string): string =>
    channels.map((channel) => `reach_${channel} = '${state}'`).join(' or ')
  const row = await db.row<Record<string, number>>(sql`
    with seen as (
      select person.kind, person.phone, person.completeness, person.wecom, person.in_erp, ${states}
      from person where person.state = 'live' and ${among}
    )
    select count(*)::int as persons,
      count(*) filter (where kind = 'member')::int as members, count(*) filter (where kind = 'customer')::int as customers,
      count(*) filter (where kind = 'contact')::int as contacts, count(*) filter (where kind = 'visitor')::int as visitors,
      ${counts},
      count(*) filter (where ${trusted(any('reachable'))})::int as "reachableAny",
      count(*) filter (where ${trusted(all('unreachable'))})::int as lost,
      count(*) filter (where phone in ('mobile', 'landline'))::int as valid, count(*) filter (where phone = 'invalid')::int as invalid,
      count(*) filter (where phone = 'none')::int as missing,
      count(*) filter (where completeness < ${COMPLETE_FROM})::int as incomplete,
      coalesce(round(avg(completeness), 1), 0)::float8 as completeness,
      count(*) filter (where wecom <> 'none' and not in_erp)::int as "onlyInWecom",
      count(*) filter (where wecom = 'none' and in_erp)::int as "onlyInErp",
      count(*) filter (where wecom <> 'none' and in_erp)::int as "inBoth"
    from seen`)
  const number = (name: string): number => row[name] ?? 0
  return {
    persons: number('persons'),
    members: number('members'),
    customers: number('customers'),
    contacts: number('contacts'),
    visitors: number('visitors'),
    channels: channels.map((channel) => ({
      channel,
      reachable: number(`${channel}_reachable`),
      unreachable: number(`${channel}_unreachable`),
      unknown: number(`${channel}_unknown`),
    })),
    reachableAny: number('reachableAny'),
    lost: number('lost'),
    phones: { valid: number('valid'), invalid: number('invalid'), missing: number('missing') },
    incomplete: number('incomplete'),
    completeness: number('completeness'),
    onlyInWecom: number('onlyInWecom'),
    onlyInErp: number('onlyInErp'),
    inBoth: number('inBoth'),
    ...(await questions(db)),
    sources: await db.rows(sql`
      select source, source_side as side, count(*)::int as persons from person
      where person.state = 'live' and ${among} group by 1, 2 order by 3 desc, 1, 2`),
    registrations: await db.rows(sql`
      select registration, count(*)::int as persons from person
      where person.state = 'live' and ${among} group by 1 order by 2 desc, 1`),
  }
}

async function questions(db: Db): Promise<{ duplicatesProposed: number; conflicts: number }> {
  return db.row(sql`
    select count(*) filter (where kind = 'fuzzy')::int as "duplicatesProposed", count(*) filter (where kind = 'conflict')::int as conflicts
    from review where state = 'open'`)
}
