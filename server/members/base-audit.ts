/**
 * The audit of a member base (DATA-01…04): how many are valid, whom one can reach, what is missing, who stands in one
 * system only. Every count is of live persons; profiles, persons, members and contacts are never mixed.
 */
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import { COMPLETE_FROM } from './fold.ts'
import {
  type Channel,
  channels,
  isReachable,
  type ReachState,
  reachReason,
  stateOfReason,
} from './reachability.ts'
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
 * others here: a demo brand is audited on its own channels. Reads one snapshot. Everybody is looked at once and counted
 * by what they have in common; the figures are sums over those few hundred groups.
 */
export async function auditBase(db: Db, among: Sql = sql`true`): Promise<BaseAudit> {
  const reasons = channels.map(
    (channel) => sql`${reachReason(channel, { real: false })} as ${trusted(`why_${channel}`)}`,
  )
  const states = channels.map(
    (channel) => sql`${stateOfReason(trusted(`why_${channel}`))} as ${trusted(`reach_${channel}`)}`,
  )
  const counts = channels.flatMap((channel) =>
    reachStates.map((state) => personsWhere(trusted(`reach_${channel} = '${state}'`), `${channel}_${state}`)),
  )
  const all = channels.map((channel) => `reach_${channel} = 'unreachable'`).join(' and ')
  const any = channels.map((channel) => `reach_${channel} = 'reachable'`).join(' or ')
  const row = await db.row<Pick<BaseAudit, 'sources' | 'registrations'> & Record<string, never>>(sql`
    with alike as materialized (
      select ${ALIKE}, count(*) as persons from person where person.state = 'live' and ${among} group by ${ALIKE}
    ),
    reasoned as (select *, ${join(reasons, ', ')} from alike person),
    seen as (select *, ${join(states, ', ')} from reasoned)
    select coalesce(sum(persons), 0)::int as persons,
      ${join(
        [
          personsWhere(sql`kind = 'member'`, 'members'),
          personsWhere(sql`kind = 'customer'`, 'customers'),
          personsWhere(sql`kind = 'contact'`, 'contacts'),
          personsWhere(sql`kind = 'visitor'`, 'visitors'),
          ...counts,
          personsWhere(trusted(any), 'reachableAny'),
          personsWhere(trusted(all), 'lost'),
          personsWhere(sql`phone in ('mobile', 'landline')`, 'valid'),
          personsWhere(sql`phone = 'invalid'`, 'invalid'),
          personsWhere(sql`phone = 'none'`, 'missing'),
          personsWhere(sql`completeness < ${COMPLETE_FROM}`, 'incomplete'),
          personsWhere(sql`wecom <> 'none' and not in_erp`, 'onlyInWecom'),
          personsWhere(sql`wecom = 'none' and in_erp`, 'onlyInErp'),
          personsWhere(sql`wecom <> 'none' and in_erp`, 'inBoth'),
        ],
        ',\n      ',
      )},
      coalesce(round(sum(completeness * persons) / nullif(sum(persons), 0), 1), 0)::float8 as completeness,
      (select coalesce(json_agg(by_source), '[]') from (
        select source, source_side as side, sum(persons)::int as persons from alike group by 1, 2 order by 3 desc, 1, 2
      ) by_source) as sources,
      (select coalesce(json_agg(by_registration), '[]') from (
        select registration, sum(persons)::int as persons from alike group by 1 order by 2 desc, 1
      ) by_registration) as registrations
    from seen`)
  const { sources, registrations, ...figures } = row
  const number = (name: string): number => figures[name] ?? 0
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
    sources,
    registrations,
  }
}

export type BaseCounts = Pick<BaseAudit, 'persons' | 'members' | 'reachableAny'>

/** The first figures of the audit alone, for pages that are opened often. */
export async function countBase(db: Db): Promise<BaseCounts> {
  return db.row<BaseCounts>(sql`
    select count(*)::int as persons, count(*) filter (where kind = 'member')::int as members,
      count(*) filter (where ${join(
        channels.map((channel) => isReachable(channel, 'person')),
        ' or ',
      )})::int as "reachableAny"
    from person where state = 'live'`)
}

/** All that the figures look at: few differ in it, also of a million. */
const ALIKE =
  trusted(`person.kind, person.phone, person.wecom, person.in_erp, person.completeness, person.consents,
  person.contact_results, person.identifiers, person.source, person.source_side, person.registration`)

const reachStates = ['reachable', 'unreachable', 'unknown'] as const satisfies readonly ReachState[]

/** A count over groups of persons, as a column of the name. */
function personsWhere(condition: Sql, name: string): Sql {
  return sql`coalesce(sum(persons) filter (where ${condition}), 0)::int as ${trusted(`"${name}"`)}`
}

async function questions(db: Db): Promise<{ duplicatesProposed: number; conflicts: number }> {
  return db.row(sql`
    select count(*) filter (where kind = 'fuzzy')::int as "duplicatesProposed", count(*) filter (where kind = 'conflict')::int as conflicts
    from review where state = 'open'`)
}
