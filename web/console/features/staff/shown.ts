import type { ApiKey, Staff } from '../../../../contract/org.ts'

export type VersionedStaff = Staff & { version: number }
export type VersionedKey = ApiKey & { version: number }
