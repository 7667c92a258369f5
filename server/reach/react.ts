/** What reach does when something happens: consent is withdrawn, a guide has copied a text. */
import type { EventType } from '../../contract/events.ts'
import { type ChannelName, channelNames } from '../../contract/reach.ts'
import type { LoggedEvent } from '../events/events.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { copyDone } from './copies.ts'
import { consentWithdrawn } from './outbox/close.ts'

export const handledTypes: readonly EventType[] = ['consent_changed', 'task_done']

/** Handler for the consumer `react`; a repeat changes nothing. Imported consents act too: a withdrawal is no trigger. */
export async function onEvents(tx: Tx, events: readonly LoggedEvent[], now: Date): Promise<void> {
  for (const channel of channelNames) {
    const persons = events.flatMap((event) => (isWithdrawal(event, channel) ? [event.personId] : []))
    await consentWithdrawn(tx, [...new Set(persons.filter((id) => id !== null))], channel, now)
  }
  for (const event of events) {
    if (event.type !== 'task_done') continue
    const { taskId, outcome } = event.data as { taskId: string; outcome: string }
    await copyDone(tx, taskId, { outcome: COPIED.has(outcome) ? 'sent' : 'not_sent', at: event.at, now })
  }
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
