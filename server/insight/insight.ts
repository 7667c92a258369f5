// Owns the pages that put several capabilities together: home, dead letters.
// Promises: every number is read from its owner at the moment of asking.
// Never writes a thing, and is imported by nobody.
export { memberRowsOf } from './member-list.ts'
