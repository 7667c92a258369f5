/**
 * Owns what happened: the log with its positions and lanes, de-duplication, orders as documents, the consumers' positions, the copy in ClickHouse, the archive.
 * Promises: what is appended is durable with its transaction, read by every consumer once and in order per person and lane, and can be made again in ClickHouse.
 * Never does: decide who a person is, what a member is to get, or hold a name, a phone or an address.
 */
export { type Appended, type AppendHow, append } from './append.ts'
export {
  type EventColumns,
  type EventField,
  eventColumns,
  type LineColumns,
  lastEventColumns,
  lineColumns,
  type PersonSet,
  type PurchaseColumns,
  type PurchaseField,
  purchaseColumns,
} from './columns-of.ts'
export {
  type Batch,
  type ConsumerOf,
  countBehind,
  hasCaughtUp,
  isBulkComing,
  type Lag,
  moveOn,
  positionOf,
  readLag,
  registerConsumers,
  takeBatch,
} from './consumers.ts'
export {
  countDeadLetters,
  type DeadLetter,
  discardLetter,
  listDeadLetters,
  retryLetter,
} from './dead-letters.ts'
export type { EventPick, EventRow } from './event-rows.ts'
export type { Handler } from './handler.ts'
export { rejectedText } from './import/import.ts'
export { type ImportFile, type ImportResult, importFile, undoImport } from './import/import-file.ts'
export type { ImportParts, Progress as ImportProgress } from './import/work.ts'
export { openIntake } from './intake/intake.ts'
export type { IntakePeople } from './intake/ports.ts'
export { isCrowded, type QueueState } from './intake/queue.ts'
export {
  comparePositions,
  isFresh,
  type Json,
  type Lane,
  type LoggedEvent,
  lanes,
  type NewEvent,
  type Position,
  readLog,
  START,
} from './log.ts'
export { type OrderPage, pageOfOrders } from './order-pages.ts'
export type { OrderDocument, RefundDocument } from './order-state.ts'
export {
  ordersOf,
  type Recorded,
  type RecordHow,
  recordOrders,
  type StandingOrder,
} from './orders.ts'
export { presentPersons } from './profile-home.ts'
export { PROJECT, projectOnce } from './project.ts'
export { heard, silentSources } from './pulse.ts'
export { REACT } from './react.ts'
export { isRebuilding, type Rebuilt, rebuildClickHouse } from './rebuild.ts'
export { continueFromMark, markProjection, type ProjectionMark } from './restored.ts'
export {
  type LineRow,
  type OrderRow,
  type PersonRows,
  type Placement,
  placement,
  rowsOf,
  unsettledPersons,
} from './rows-of.ts'
export { changedSegments, trackedProperties } from './tracked-properties.ts'
