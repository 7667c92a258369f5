/**
 * Owns who people are: profiles, persons, identifiers, consents, relations to staff, merges, and the audit of the member base.
 * Promises: the same facts in any order give the same persons, every merge can be undone exactly, and personal data is sealed, masked and shown only with a trace.
 * Never does: join people who contradict each other without being told to, or put a name or a number into an event.
 */
export { type Adjustment, adjust } from './adjust.ts'
export { auditBase, type BaseAudit, countBase } from './base-audit.ts'
export { type MemberCard, memberCard, personOf, reveal, type ShownIdentifier } from './card.ts'
export { findDuplicates } from './duplicates.ts'
export { erasePerson, liftErasure } from './erase.ts'
export {
  type ExportedColumn,
  type MembersFile,
  type WrittenFile,
  writeMembersFile,
} from './export/export-file.ts'
export { cleared } from './export/store-export.ts'
export type { ErasedPersons, Follower, MergedPersons, RemovedPersons, SplitPersons } from './follower.ts'
export type { IncomingIdentifier, IncomingPerson, IncomingRelation, ResolveHow } from './incoming.ts'
export { apartReview, type ByHand, joinReview, mergePersons, undoMerge } from './merges.ts'
export { placesInUse } from './places-in-use.ts'
export { profilesThere } from './profiles-there.ts'
export { reachableForMarketing } from './reachability.ts'
export { mobileNumbers, type Reachable, reachables, reachDigest } from './recipients.ts'
export { areKnown, RESOLVING, type Reference, type Referred, refer, strayed } from './refer.ts'
export { type Resolved, resolve } from './resolve.ts'
export { type MergeShown, mergesPage, type ReviewShown, reviewsPage } from './reviews.ts'
export { type Found, type MemberQuery, membersByIds, searchMembers } from './search.ts'
export type { MembersDeps } from './settle-world.ts'
export { presentPersonsOf } from './store-persons.ts'
export type { Order } from './store-reads.ts'
export { tell, type Word } from './tell.ts'
export { type UndoneStep, undoImport } from './undo-import.ts'
export { visibleTo } from './visible.ts'
