/** What settling works on, and who or what makes it: shared by its steps. */
import type { Keyring } from '../platform/crypto/master-key.ts'
import type { StoredClaim } from './claims.ts'
import type { Follower } from './follower.ts'
import type { StoredProfile, StoredRelation } from './store.ts'
import type { PersonRow } from './store-persons.ts'

/** What members needs from the rest of the program. */
export type MembersDeps = { readonly keys: Keyring; readonly followers: readonly Follower[] }

/** Who or what makes persons come together or part. */
export type Act = {
  readonly cause: 'identifier' | 'hand'
  readonly actor: string | null
  /** The merge that is made by hand: its id, and who comes under whom. */
  readonly merge?: { readonly id: string; readonly absorbed: number }
  /** The merge that is undone, or that an import is. */
  readonly undoes?: { readonly cause: 'hand' | 'import'; readonly mergeId?: string }
}

export const BY_IDENTIFIER: Act = { cause: 'identifier', actor: null }

export type World = {
  profiles: StoredProfile[]
  claims: Map<number, StoredClaim[]>
  relations: Map<number, StoredRelation[]>
  persons: Map<number, PersonRow & { state: string }>
  /** When somebody preferred a profile's words over those of whom it was joined to, in ms. */
  preferredAt: Map<number, number>
}
