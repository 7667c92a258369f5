/** What happens to a touch, as events of the log. Their ids follow from the touch, so that a repeat is the same event. */
import { append, type NewEvent } from '../events/events.ts'
import { idOf } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import type { TouchClass } from './candidate.ts'

export type TouchFacts = {
  id: string
  personId: number
  channel: string
  class: TouchClass
  journeyId: string | null
  senderId: string | null
}

type Told =
  | { type: 'touch_decided'; state: 'planned' | 'deferred' | 'held_out' | 'dropped'; reason: string }
  | { type: 'touch_sent'; costCents: number }
  | { type: 'touch_confirmed' | 'touch_delivered' | 'touch_unknown' }
  | { type: 'touch_failed' | 'touch_expired'; reason: string }

/** `occasion` tells repeated happenings of one touch apart: the slot of a decision, the hand-over of a sending. */
export function touchEvent(touch: TouchFacts, told: Told, at: Date, occasion: string): NewEvent {
  const { type, ...more } = told
  return {
    id: idOf('touch', touch.id, type, occasion),
    type,
    // A person's number is the number of its oldest profile.
    profileId: touch.personId,
    personId: touch.personId,
    at,
    data: {
      touchId: touch.id,
      channel: touch.channel,
      class: touch.class,
      journeyId: touch.journeyId,
      senderId: touch.senderId,
      ...more,
    },
  }
}

/** Appends in the transaction that made it happen. */
export async function tell(tx: Tx, events: readonly NewEvent[], now: Date): Promise<void> {
  if (events.length > 0) await append(tx, events, { lane: 'live', source: 'reach', receivedAt: now })
}
