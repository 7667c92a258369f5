/** The loop that writes exports, and what removes files in time. */
import type { Disk } from '../../platform/disk.ts'
import type { Loop } from '../../platform/jobs/loop.ts'
import { type ExportParts, forgetExports, writeExport } from './run.ts'
import { selectWaiting } from './store.ts'

export { forgetExports }

const REST_MS = 500

/** One process of all writes exports, one after the other; none while the disk is nearly full. */
export function exportLoop(parts: ExportParts & { disk: Disk }): Loop {
  return {
    name: 'exports',
    restMs: REST_MS,
    async work(held) {
      if (parts.disk.trouble() !== undefined) return 0
      const waiting = await selectWaiting(parts.db)
      for (const id of waiting) {
        held.signal.throwIfAborted()
        await writeExport(parts, id, held)
      }
      return waiting.length
    },
  }
}
