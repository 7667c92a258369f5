/**
 * Owns who people are: profiles, persons, identifiers, consents, relations to staff, merges, and the audit of the member base.
 * Promises: the same facts in any order give the same persons, every merge can be undone exactly, and personal data is sealed, masked and shown only with a trace.
 * Never does: join people who contradict each other without being told to, or put a name or a number into an event.
 */
export type { Follower, MergedPersons, RemovedPersons, SplitPersons } from './follower.ts'
export type { IncomingIdentifier, IncomingPerson, IncomingRelation, ResolveHow } from './incoming.ts'
export { apartReview, joinReview, keepApart, mergePersons, undoMerge } from './merges.ts'
export { mobileNumbers, type Reachable, reachables, reachDigest } from './recipients.ts'
export { MOST_ROWS, type Resolved, resolve } from './resolve.ts'
export type { MembersDeps } from './settle.ts'
export { type UndoneStep, undoImport } from './undo-import.ts'
export {
  identifiersOf,
  maskName,
  maskPhone,
  phonesOf,
  revealIdentifier,
  type ShownIdentifier,
  visibleTo,
  whoHas,
} from './showing.ts'
