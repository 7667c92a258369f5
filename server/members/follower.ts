/** The port through which later capabilities move their rows along with a merge, in its transaction. */
import type { Tx } from '../platform/postgres/database.ts'

/** `absorbed` ceases to be a person of its own; its profiles are `kept`'s from now on. */
export type MergedPersons = {
  mergeId: string
  kept: number
  absorbed: number
  profileIds: readonly number[]
  at: Date
}
/** `restored` is a person of its own again, with these profiles. `mergeId` is the merge that is undone. */
export type SplitPersons = {
  mergeId: string
  kept: number
  restored: number
  profileIds: readonly number[]
  at: Date
}
/** An import was undone: these profiles are gone, and these persons with them. */
export type RemovedPersons = {
  importId: string
  persons: readonly number[]
  profileIds: readonly number[]
  at: Date
}

/** Somebody was erased: whatever tells of them goes, counts and sums stay. `persons`: every number they ever had. */
export type ErasedPersons = { persons: readonly number[]; at: Date }

/**
 * What a later capability does when persons change. Each call gets everything of one transaction at once, splits before
 * merges. The contract: after a split both sides have exactly what they would have had without the merge, what came
 * after it included; so keep rows by profile, or remember what was moved.
 */
export type Follower = {
  readonly name: string
  merged(tx: Tx, merges: readonly MergedPersons[]): Promise<void>
  split(tx: Tx, splits: readonly SplitPersons[]): Promise<void>
  removed?(tx: Tx, removed: RemovedPersons): Promise<void>
  erased?(tx: Tx, erased: ErasedPersons): Promise<void>
}
