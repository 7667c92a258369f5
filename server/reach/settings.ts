/** Caps, quiet hours, holdouts and costs as the brand set them, and what is fixed. */
import type { ChannelName } from '../../contract/reach.ts'
import { type Setting, settingDefaults } from '../../contract/settings.ts'
import { setting } from '../org/org.ts'
import type { Db } from '../platform/postgres/database.ts'

export type ReachRules = {
  caps: Setting<'caps'>
  quiet: Setting<'quiet_hours'>
  holdouts: Setting<'holdouts'>
  costs: Setting<'touch_costs'>
}

/** What holds until somebody changes it (LIM-08, LIM-12). */
export const DEFAULT_RULES: ReachRules = {
  caps: settingDefaults.caps,
  quiet: settingDefaults.quiet_hours,
  holdouts: settingDefaults.holdouts,
  costs: settingDefaults.touch_costs,
}

export async function reachRules(db: Db): Promise<ReachRules> {
  return {
    caps: await setting(db, 'caps'),
    quiet: await setting(db, 'quiet_hours'),
    holdouts: await setting(db, 'holdouts'),
    costs: await setting(db, 'touch_costs'),
  }
}

/** Longer than a calendar month, for the monthly quota of WeCom, and than any window that can be set. */
export const LEDGER_DAYS = 41
/** A mass message that its sender has not confirmed by then is cancelled. */
export const CONFIRM_HOURS = 48

/**
 * Whether marketing may go to somebody whose consent is not known. Commercial SMS needs consent given before
 * (通信短信息服务管理规定 §18); whoever added a guide in WeCom asked to be in touch, and can withdraw.
 */
export const ALLOWED_WHILE_UNKNOWN: Readonly<Record<ChannelName, boolean>> = { wecom: true, sms: false }
