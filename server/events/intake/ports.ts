/** What the doors need of the members, declared here and implemented by a later rank; app.ts joins them. */
import type { BlindIndex } from '../../platform/crypto/blind-index.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { Sql } from '../../platform/postgres/sql.ts'
import type { PersonStatement } from '../import/ports.ts'
import type { ToldPerson } from './told.ts'

/** `device` is the anonymous id of a browser, an app or a mini-program. */
export type Named = {
  /** A record of a source, by its number there. */
  record?: { source: string; externalId: string }
  identifiers: (Omit<PersonStatement['identifiers'][number], 'kind'> & {
    kind: PersonStatement['identifiers'][number]['kind'] | 'device'
  })[]
}

export type Referred = { readonly profileId: number; readonly personId: number }
export type SpokenHow = { lane: 'live' | 'bulk'; source: string; at: Date }
export type Resolved = Referred & { readonly created: boolean; readonly changed: readonly string[] }

export type IntakePeople = {
  index: BlindIndex
  /** The profile and present person of each, in their order; null where nobody is named, or somebody who was erased. At most 5,000. */
  refer(tx: Tx, named: readonly Named[], how: SpokenHow): Promise<(Referred | null)[]>
  /** Writes what is said of persons; null for somebody who was erased. At most 5,000. Errors: `bad_row`. */
  resolve(tx: Tx, statements: readonly PersonStatement[], how: SpokenHow): Promise<(Resolved | null)[]>
  /** Which of these somebody bears, by their place. */
  known(tx: Tx, named: readonly Named[]): Promise<boolean[]>
  /** Begins a transaction that asks `strayed`: keeps erasures out until it ends. */
  opening: Sql
  /** Of profiles whose person is remembered those that are another's now, by profile: whose, or null for one that is gone. */
  strayed(tx: Tx, remembered: readonly Referred[]): Promise<Map<number, number | null>>
  adjust(
    tx: Tx,
    changes: readonly (Omit<ToldPerson, 'kind' | 'id' | 'who'> & { profileId: number })[],
    how: SpokenHow,
  ): Promise<unknown>
}
