/** The doors, put together: sources, queue, writer and counts over one database. */
import type { Disk } from '../../platform/disk.ts'
import type { Doors } from '../../platform/http/doors.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { openDoors } from './door.ts'
import { openNotes } from './notes.ts'
import type { IntakePeople } from './ports.ts'
import { openQueue, type QueueLimits, type QueueState } from './queue.ts'
import { sourcesByKey } from './sources.ts'
import { rememberSpeakers } from './speakers.ts'
import { writeParcels } from './write.ts'

export type IntakeParts = {
  db: Database
  people: IntakePeople
  disk: Disk
  onError: (error: unknown) => void
  limits?: QueueLimits
}

export type Intake = Doors & {
  /** Events that were taken and are not durable yet. */
  depth(): number
  /** For `isCrowded`, also in other threads. */
  state: QueueState
}

export function openIntake({ db, people, disk, onError, limits }: IntakeParts): Intake {
  const speakers = rememberSpeakers()
  const queue = openQueue((parcels) => writeParcels({ db, people, speakers }, parcels), limits)
  const doors = openDoors({ queue, notes: openNotes(db, onError), sourceOf: sourcesByKey(db), people, disk })
  return { ...doors, depth: queue.depth, state: queue.state }
}
