/** What an import needs of the members, declared here and implemented by a later rank; app.ts joins them. */
import type { MemberSource, SourceChannel } from '../../../contract/import-fields.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'

export type IdentifierKind =
  | 'phone'
  | 'unionid'
  | 'oa_openid'
  | 'mp_openid'
  | 'external_userid'
  | 'card'
  | 'email'

/** What a file says about one person. Values are as they were written: the members bring them into one form. */
export type PersonStatement = {
  /** The file's own number of the record; null where it has none: then the strongest identifier names it. */
  externalId: string | null
  /** When it was so; without it, the time of the import. */
  at?: Date
  identifiers: { kind: IdentifierKind; value: string; scope?: string; hint?: boolean }[]
  attributes?: {
    name?: string | null
    nickname?: string | null
    gender?: 'female' | 'male' | null
    birthday?: string | null
    birthdayLunar?: boolean | null
    province?: string | null
    city?: string | null
    joinedAt?: Date | null
    registerChannel?: 'online' | 'offline' | null
    registration?: 'registered' | 'registered_before' | 'bought_unregistered' | null
    source?: MemberSource | null
    side?: 'online' | 'offline' | null
    sourceChannel?: SourceChannel | null
    homeStoreId?: string | null
    ownerStaffId?: string | null
    custom?: Record<string, string | number | boolean>
  }
  consents?: { channel: string; state: 'granted' | 'withdrawn' | 'unknown' }[]
  relations?: {
    staffId: string
    externalUserid: string
    remark?: string | null
    addWay?: string | null
    state?: string | null
    addedAt: Date
    lostAt?: Date | null
    lostBy?: 'member' | 'staff' | 'import' | null
  }[]
}

export type ResolveHow = { lane: 'bulk'; source: string; at: Date; importId: string }

/** One answer for each statement, in their order. */
export type Resolved = {
  readonly profileId: number
  readonly personId: number
  readonly created: boolean
  readonly newPerson: boolean
  readonly changed: readonly string[]
  readonly merged: readonly string[]
  readonly review: string | null
}

/** At most 5,000 statements, in the transaction of the chunk. Null: it names somebody who asked to be forgotten. */
export type Resolve = (tx: Tx, statements: PersonStatement[], how: ResolveHow) => Promise<(Resolved | null)[]>

/**
 * Takes back a part of what an import said about persons, those after profile `after`; asked again, in further
 * transactions, until `next` is null. `inUse` answers which profiles must stay because orders hang on them.
 */
export type UndoPeople = (
  tx: Tx,
  importId: string,
  at: Date,
  how: { after: number; inUse: (tx: Tx, profileIds: readonly number[]) => Promise<readonly number[]> },
) => Promise<{ readonly next: number | null; readonly restored: number }>

/** Which of these profiles are still there: somebody may have been erased since. */
export type ProfilesThere = (db: Db, profileIds: readonly number[]) => Promise<ReadonlySet<number>>

/** Which of these stores and staff somebody's records name, whoever said so. */
export type PlacesInUse = (db: Db, ids: readonly string[]) => Promise<readonly string[]>

/** Rows, and so statements and orders, in one transaction. */
export const CHUNK_ROWS = 5000
