/**
 * Where a person came from: the five sources of SRC-01, each online or offline (SRC-08). This is the one place that
 * decides what stands when nobody said it; docs/decisions/0020 gives the reasons.
 */

export const memberSources = [
  'referral_fission',
  'returning',
  'member_get_member',
  'guide_recruited',
  'organic',
] as const
export type MemberSource = (typeof memberSources)[number]
export type Side = 'online' | 'offline'
export type Registration = 'registered' | 'registered_before' | 'bought_unregistered'

export type Origin = {
  source: MemberSource | null
  side: Side | null
  registerChannel: Side | null
  registration: Registration | null
  /** First known through a guide's follow relation. */
  followed: boolean
  joined: boolean
}

/**
 * The source that holds: what was said, else the best inference.
 * Registered before, or bought without registering: the traffic that was there comes back (SRC-03).
 * Known through a guide: recruited by a guide. Everybody else came by themselves (SRC-08).
 */
export function sourceOf(origin: Origin): { source: MemberSource; side: Side | null } {
  const side = origin.side ?? origin.registerChannel
  if (origin.source !== null) return { source: origin.source, side: side ?? usualSide(origin.source) }
  if (origin.registration === 'registered_before' || origin.registration === 'bought_unregistered') {
    return { source: 'returning', side }
  }
  if (origin.followed && !origin.joined) return { source: 'guide_recruited', side: side ?? 'offline' }
  return { source: 'organic', side }
}

/** A guide recruits in the shop unless somebody says otherwise; the other sources have no usual side. */
function usualSide(source: MemberSource): Side | null {
  return source === 'guide_recruited' ? 'offline' : null
}
