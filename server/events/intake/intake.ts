/** The doors, put together: sources, queue, writer and counts over one database. */
import type { Disk } from '../../platform/disk.ts'
import type { Doors } from '../../platform/http/doors.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { openDoors } from './door.ts'
import { openNotes } from './notes.ts'
import type { IntakePeople } from './ports.ts'
import { openQueue, type QueueLimits } from './queue.ts'
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
  /** The same in its first place, in memory that other threads may look at. */
  waiting: Int32Array
}

export function openIntake({ db, people, disk, onError, limits }: IntakeParts): Intake {
  const speakers = rememberSpeakers()
  const queue = openQueue((parcels) => writeParcels({ db, people, speakers }, parcels), limits)
  const doors = openDoors({ queue, notes: openNotes(db, onError), sourceOf: sourcesByKey(db), people, disk })
  return { ...doors, depth: queue.depth, waiting: queue.waiting }
}
