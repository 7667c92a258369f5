/**
 * What WeCom calls back about contacts: a guide added a customer, one of the two deleted the other. Pure.
 * Other changes (remark, tags, transfers, groups) are acknowledged and left to the next synchronisation.
 */
import type { CallbackMessage } from '../../../wecom/callback/message.ts'

export type ContactChange = {
  staffUserId: string
  externalUserId: string
  at: Date
} & ({ did: 'added'; state: string | null } | { did: 'lost'; by: 'member' | 'staff' })

/** Undefined for messages that are about something else, or that name nobody. */
export function contactChangeOf(message: CallbackMessage): ContactChange | undefined {
  const { Event: event, ChangeType: change, UserID: staffUserId, ExternalUserID: externalUserId } = message
  if (event !== 'change_external_contact' || !staffUserId || !externalUserId) return undefined
  const seconds = Number(message['CreateTime'])
  if (!Number.isSafeInteger(seconds) || seconds <= 0) return undefined
  const about = { staffUserId, externalUserId, at: new Date(seconds * 1000) }
  switch (change) {
    case 'add_external_contact':
    // The customer follows already; the guide has only not confirmed it yet.
    case 'add_half_external_contact':
      return { ...about, did: 'added', state: message['State'] || null }
    case 'del_external_contact':
      return { ...about, did: 'lost', by: 'staff' }
    case 'del_follow_user':
      return { ...about, did: 'lost', by: 'member' }
    default:
      return undefined
  }
}
