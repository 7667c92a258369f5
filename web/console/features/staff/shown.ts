import type { ApiKey } from '../../../../contract/access.ts'
import type { Staff } from '../../../../contract/staff.ts'

export type VersionedStaff = Staff & { version: number }
export type VersionedKey = ApiKey & { version: number }
