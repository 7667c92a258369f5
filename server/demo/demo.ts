// Owns the demo brand: a synthetic brand that is written into an empty directory, lives, and goes as a whole.
// Promises: the same seed gives the same brand, everything it does passes the doors that real data passes, nobody of it reaches a real channel, and after removal nothing of it is left.
// Never does: decide anything for real members, or run where no demo brand is.
export { DEMO_LEASE, demoLife, type LifeParts } from './demo-life.ts'
export { type RemovalParts, removeDemo, sweepRemoved } from './removal.ts'
export { type DemoParts, type Seeded, type SeedOptions, seedDemo, wantsDemo } from './seed.ts'
export { countDemo } from './store.ts'
