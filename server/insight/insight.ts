// Owns the pages that put several capabilities together: home, members and their identities, touches, dead letters; and members as files.
// Promises: every number is read where it stands; only the figures of home and of a past day are kept for a moment.
// Never writes by itself: what a page changes goes through the capability that owns it, with a line in the trail.
export { exported, plainColumns } from './export/columns.ts'
export { type ExportParts, exportFollower, whereOf } from './export/run.ts'
export { memberRowsOf } from './member-list.ts'
