/** How the log hears that somebody is out of a SOP. */
import type { NewEvent } from '../events/events.ts'
import { idOf } from '../platform/ids.ts'

/** The event that a stay has ended; its id is the stay's. */
export function leftEvent(
  stay: { id: string; person_id: number; journey_id: string; number: number },
  reason: string,
  at: Date,
): NewEvent {
  return {
    id: idOf('journey_left', stay.id),
    type: 'journey_left',
    profileId: stay.person_id,
    personId: stay.person_id,
    at,
    data: { journeyId: stay.journey_id, version: stay.number, enrolmentId: stay.id, reason },
  }
}
