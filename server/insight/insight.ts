// Owns the pages that put several capabilities together: home, members and their identities, touches, dead letters.
// Promises: every number is read where it stands; only the figures of home and of a past day are kept for a moment.
// Never writes by itself: what a page changes goes through the capability that owns it, with a line in the trail.
export { memberRowsOf } from './member-list.ts'
