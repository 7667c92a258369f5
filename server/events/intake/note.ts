/** What was counted of what came, on its way into the database. */
import type { PropertyType, RefusedReason } from '../../../contract/intake.ts'

export type EventNote = {
  source: string
  name: string
  firstAt: Date
  lastAt: Date
  count: number
  cut: number
  leftOut: number
  hidden: number
}
export type PropertyNote = {
  source: string
  event: string
  property: string
  type: PropertyType
  firstAt: Date
  lastAt: Date
  count: number
  sample: string
}
export type RefusedNote = {
  source: string
  day: Date
  reason: RefusedReason
  name: string
  lastAt: Date
  count: number
}
export type NotesTaken = { events: EventNote[]; properties: PropertyNote[]; refused: RefusedNote[] }
