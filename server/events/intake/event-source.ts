import type { EventSource as Shown } from '../../../contract/intake.ts'

/** A source as the doors know it. */
export type EventSource = Omit<Shown, 'createdAt' | 'lastAt' | 'events'> & { createdAt: Date }
