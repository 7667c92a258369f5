/** Guides have little time (TAG-06): nobody is asked for more tags than a day's quiet moments allow; the rest is left to rules. */
import type { Db } from '../platform/postgres/database.ts'
import { openTagTasks } from './store.ts'

/** Open tag tasks of one guide, late ones included. */
export const MOST_OPEN_TAG_TASKS = 20

/**
 * Who may still be asked: `take` answers false for a guide who has MOST_OPEN_TAG_TASKS open ones, those taken here
 * included. Ask within the transaction that makes the tasks.
 */
export async function tagTaskRoom(
  db: Db,
  staffIds: readonly string[],
): Promise<{ take(staffId: string): boolean }> {
  const open = await openTagTasks(db, [...new Set(staffIds)])
  return {
    take(staffId) {
      const tasks = open.get(staffId) ?? 0
      if (tasks >= MOST_OPEN_TAG_TASKS) return false
      open.set(staffId, tasks + 1)
      return true
    },
  }
}
