/** The loop that brings started imports to their end, and what removes their files in time. */
import type { Loop } from '../../platform/jobs/loop.ts'
import { instant } from '../../platform/time/clock.ts'
import { filesOf, removeAll } from './folder.ts'
import { workOn } from './run.ts'
import { markForgotten, selectForgettable, selectWaiting } from './store.ts'
import { deleteOldChunks } from './store-chunks.ts'
import { type ImportParts, NoRoom } from './work.ts'

const REST_MS = 500
const KEEP_DAYS = 30
/** An upload that nobody starts is removed after this long. */
const UPLOAD_HOURS = 24
const HOUR_MS = 3_600_000

/** One process of all works on the imports that were started by a page, and on those whose process died. */
export function importLoop(parts: ImportParts): Loop {
  return {
    name: 'imports',
    restMs: REST_MS,
    async work(held) {
      // Whoever is at fault makes room; the runs wait as they are.
      if (parts.disk.trouble() !== undefined) return 0
      let done = 0
      for (const { id } of await selectWaiting(parts.db)) {
        held.signal.throwIfAborted()
        if (await worked(parts, id, held.signal)) done += 1
      }
      return done
    },
  }
}

async function worked(parts: ImportParts, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await workOn(parts, id, { signal })) !== undefined
  } catch (error) {
    if (error instanceof NoRoom) return false
    throw error
  }
}

/** Removes rejected rows after 30 days, uploads that were never started after one, and what an undo can no longer need. */
export async function forgetImports(parts: ImportParts, now: Date): Promise<number> {
  const due = await selectForgettable(parts.db, {
    finishedBefore: instant(now.getTime() - KEEP_DAYS * 24 * HOUR_MS),
    uploadedBefore: instant(now.getTime() - UPLOAD_HOURS * HOUR_MS),
  })
  for (const { id } of due) {
    await removeAll(filesOf(parts.folder, id))
    await markForgotten(parts.db, id, now)
  }
  await deleteOldChunks(parts.db, now)
  return due.length
}
