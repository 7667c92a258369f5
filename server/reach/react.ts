/** What reach does when something happens: consent is withdrawn, a guide has copied a text, somebody talked with a member. */
import { type ChannelName, channelNames } from '../../contract/reach.ts'
import type { Handler, LoggedEvent } from '../events/events.ts'
import { copyDone } from './copies.ts'
import { consentWithdrawn } from './outbox/close.ts'
import { hearTalks, talkTypes } from './talks.ts'

/**
 * For the consumer `react`; a repeat changes nothing. Imported withdrawals act too: they start nothing, they stop.
 * The task of a text to copy has the id of its touch.
 */
export const reachHandler: Handler = {
  name: 'reach',
  types: ['consent_changed', ...talkTypes],
  async handle(tx, events, now) {
    await hearTalks(tx, events)
    for (const channel of channelNames) {
      const persons = events.flatMap((event) => (isWithdrawal(event, channel) ? [event.personId] : []))
      const known = persons.filter((id) => id !== null)
      await consentWithdrawn(tx, [...new Set(known)], channel, now)
    }
    for (const event of events) {
      if (event.type !== 'task_done') continue
      const { taskId, outcome } = event.data as { taskId: string; outcome: string }
      await copyDone(tx, taskId, { outcome: COPIED.has(outcome) ? 'sent' : 'not_sent', at: event.at, now })
    }
  },
}

/** Outcomes of a task by which the member has received the text. */
const COPIED = new Set(['sent', 'confirmed', 'will_come', 'not_interested', 'called'])

function isWithdrawal(event: LoggedEvent, channel: ChannelName): boolean {
  return (
    event.type === 'consent_changed' &&
    event.data['channel'] === channel &&
    event.data['state'] === 'withdrawn'
  )
}
