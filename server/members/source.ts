/**
 * Where a person came from: the five sources of SRC-01, each online or offline (SRC-08). This is the one place that
 * decides what stands when nobody said it; docs/decisions/0020 gives the reasons.
 */

import { type SourceChannel, sideOfChannel } from '../../contract/import-fields.ts'

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

/**
 * What WeCom's `add_way` tells of the channel: a video channel (10) and an acquisition link (16) are online, a device in
 * a shop (14) and service on site (15) are offline. A scanned code (1) hangs in a shop or lies in a parcel: nothing.
 */
export function channelOfAddWay(addWay: string): SourceChannel | null {
  if (addWay === '10' || addWay === '16') return 'online'
  return addWay === '14' || addWay === '15' ? 'offline' : null
}

export type Origin = {
  source: MemberSource | null
  side: Side | null
  registerChannel: Side | null
  sourceChannel: SourceChannel | null
  registration: Registration | null
  /** First known through a guide's follow relation. */
  followed: boolean
  joined: boolean
}

/**
 * The source that holds: what was said, else the best inference.
 * Registered before, or bought without registering: the traffic that was there comes back (SRC-03).
 * Known through a guide: recruited by a guide. Everybody else came by themselves (SRC-08).
 * The channel is what was said, else no more than the side.
 */
export function sourceOf(origin: Origin): {
  source: MemberSource
  side: Side | null
  channel: SourceChannel | null
} {
  const { source, side } = sourceAndSide(origin)
  return { source, side, channel: origin.sourceChannel ?? side }
}

function sourceAndSide(origin: Origin): { source: MemberSource; side: Side | null } {
  const told = origin.sourceChannel === null ? null : sideOfChannel(origin.sourceChannel)
  const side = origin.side ?? origin.registerChannel ?? told
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
