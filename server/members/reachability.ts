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
 * The reason as an SQL expression over a row of `person`. `real`: on a channel that reaches real people, where demo
 * persons are never reachable.
 */
export function reachReason(channel: Channel, { real }: { real: boolean }): Sql {
  const name = trusted(`'${channel}'`)
  const demo = real ? sql`when person.demo then 'demo'` : sql``
  return sql`case ${demo}
    when person.consents->>${name} = 'withdrawn' then 'withdrawn'
    ${addressed[channel]}
    when person.contact_results->>${name} in ('failed', 'blocked') then person.contact_results->>${name}
    ${channel === 'wecom' ? sql`when person.wecom = 'followed' then 'followed' else 'no_relation_known' end` : confirmed(name)}`
}

/** 'reachable', 'unreachable' or 'unknown' as an SQL expression, of the reason, another one: `reachReasons`. */
export function stateOfReason(reason: Sql): Sql {
  const of = (state: ReachState): Sql =>
    trusted(
      Object.entries(reachReasons)
        .filter(([, one]) => one === state)
        .map(([name]) => `'${name}'`)
        .join(', '),
    )
  return sql`case when ${reason} in (${of('unreachable')}) then 'unreachable'
    when ${reason} in (${of('reachable')}) then 'reachable' else 'unknown' end`
}

/** Whether there is an address at all. */
const addressed: Readonly<Record<Channel, Sql>> = {
  sms: sql`when person.phone = 'none' then 'no_phone' when person.phone = 'invalid' then 'invalid_phone'
    when person.phone = 'landline' then 'not_a_mobile'`,
  wecom: sql`when person.wecom = 'none' then 'not_in_wecom' when person.wecom = 'lost' then 'contact_lost'`,
  email: sql`when not 'email' = any(person.identifiers) then 'no_email'`,
  official_account: sql`when not 'oa_openid' = any(person.identifiers) then 'no_openid'`,
}

function confirmed(channel: Sql): Sql {
  return sql`when person.contact_results->>${channel} = 'delivered' then 'delivered'
    when person.consents->>${channel} = 'granted' then 'consented' else 'never_tried' end`
}
