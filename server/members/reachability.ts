/**
 * Whether a person can be reached on a channel, and why: reachable, unreachable, or honestly unknown (DATA-01, 02).
 * Decided in SQL over a person's row, by the first reason that holds; this table is the whole of it.
 */
import { type Sql, sql, trusted } from '../platform/postgres/sql.ts'

export const channels = ['wecom', 'sms', 'email', 'official_account'] as const
export type Channel = (typeof channels)[number]
export type ReachState = 'reachable' | 'unreachable' | 'unknown'

export const reachReasons = {
  /** A demo person, asked for on a real channel. */
  demo: 'unreachable',
  withdrawn: 'unreachable',
  no_phone: 'unreachable',
  invalid_phone: 'unreachable',
  not_a_mobile: 'unreachable',
  no_email: 'unreachable',
  no_openid: 'unreachable',
  not_in_wecom: 'unreachable',
  /** Deleted, or the last member of staff was. */
  contact_lost: 'unreachable',
  /** The channel said so when it was last tried. */
  failed: 'unreachable',
  blocked: 'unreachable',
  followed: 'reachable',
  delivered: 'reachable',
  consented: 'reachable',
  /** In WeCom, but nobody knows whose contact. */
  no_relation_known: 'unknown',
  /** An address that could be right; nothing was ever sent to it and nobody agreed to it. */
  never_tried: 'unknown',
} as const satisfies Record<string, ReachState>
export type ReachReason = keyof typeof reachReasons

/**
 * The reason as an SQL expression over a row of `person`, which the query calls `person` unless told (`as`). `real`: on
 * a channel that reaches real people, where demo persons are never reachable.
 */
export function reachReason(
  channel: Channel,
  { real, as = 'person' }: { real: boolean; as?: 'person' | 'p' },
): Sql {
  const name = trusted(`'${channel}'`)
  const of = trusted(as)
  const demo = real ? sql`when ${of}.demo then 'demo'` : sql``
  return sql`case ${demo}
    when ${of}.consents->>${name} = 'withdrawn' then 'withdrawn'
    ${addressed[channel](of)}
    when ${of}.contact_results->>${name} in ('failed', 'blocked') then ${of}.contact_results->>${name}
    ${channel === 'wecom' ? sql`when ${of}.wecom = 'followed' then 'followed' else 'no_relation_known' end` : confirmed(of, name)}`
}

/** Whether the channel reaches a person, as an SQL condition; demo persons count like others, as in the audit. */
export function isReachable(channel: Channel, as: 'person' | 'p'): Sql {
  return sql`(${reachReason(channel, { real: false, as })}) in (${reasonsOf('reachable')})`
}

/**
 * Whether marketing can reach a person on the channel, as an SQL condition: reachable, and consent given where the
 * channel asks for it beforehand (whoever follows a member of staff in WeCom asked to be in touch).
 */
export function reachableForMarketing(channel: 'wecom' | 'sms', as: 'person' | 'p'): Sql {
  const reachable = isReachable(channel, as)
  if (channel === 'wecom') return reachable
  return sql`(${trusted(as)}.consents->>'sms' is not distinct from 'granted' and ${reachable})`
}

/** 'reachable', 'unreachable' or 'unknown' as an SQL expression, of the reason, another one: `reachReasons`. */
export function stateOfReason(reason: Sql): Sql {
  return sql`case when ${reason} in (${reasonsOf('unreachable')}) then 'unreachable'
    when ${reason} in (${reasonsOf('reachable')}) then 'reachable' else 'unknown' end`
}

function reasonsOf(state: ReachState): Sql {
  return trusted(
    Object.entries(reachReasons)
      .filter(([, one]) => one === state)
      .map(([name]) => `'${name}'`)
      .join(', '),
  )
}

/** Whether there is an address at all. */
const addressed: Readonly<Record<Channel, (of: Sql) => Sql>> = {
  sms: (of) => sql`when ${of}.phone = 'none' then 'no_phone' when ${of}.phone = 'invalid' then 'invalid_phone'
    when ${of}.phone = 'landline' then 'not_a_mobile'`,
  wecom: (of) =>
    sql`when ${of}.wecom = 'none' then 'not_in_wecom' when ${of}.wecom = 'lost' then 'contact_lost'`,
  email: (of) => sql`when not 'email' = any(${of}.identifiers) then 'no_email'`,
  official_account: (of) => sql`when not 'oa_openid' = any(${of}.identifiers) then 'no_openid'`,
}

function confirmed(of: Sql, channel: Sql): Sql {
  return sql`when ${of}.contact_results->>${channel} = 'delivered' then 'delivered'
    when ${of}.consents->>${channel} = 'granted' then 'consented' else 'never_tried' end`
}
