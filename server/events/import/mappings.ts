/** Saved mappings: how the columns of a kind of file were understood once. */
import type { SavedMapping } from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { lostWrite } from '../../platform/versioned.ts'
import {
  deleteMapping,
  type MappingRow,
  renameMappingRow,
  selectMappingById,
  selectMappings,
} from './store-mappings.ts'

/** The last used first. */
export async function listMappings(db: Db, kind: ImportKind | undefined): Promise<SavedMapping[]> {
  return (await selectMappings(db, kind)).map(shown)
}

/** Errors: `stale_version` with both, `not_found`. */
export async function renameMapping(
  db: Db,
  given: { id: string; name: string; version: number },
): Promise<SavedMapping> {
  const row = await renameMappingRow(db, given)
  if (row) return shown(row)
  const theirs = await selectMappingById(db, given.id)
  throw lostWrite('mapping', given, theirs && shown(theirs))
}

/** Removes it; files with its headings are guessed again. */
export async function removeMapping(db: Db, id: string): Promise<void> {
  await deleteMapping(db, id)
}

function shown({ usedAt, ...row }: MappingRow): SavedMapping {
  return { ...row, usedAt: usedAt.toISOString() }
}
