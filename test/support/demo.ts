/** The demo brand in a test: the loops of the program, one after the other, with a clock that is moved by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCaughtUp } from '../../server/events/events.ts'
import { withLease } from '../../server/platform/jobs/lease.ts'
import type { TestApp } from './app.ts'

/** Loops that wait for hours, or for files, and have no part in the demo. */
const ASIDE = new Set(['log-house', 'imports', 'import', 'cut-points'])
const MOST_PASSES = 200

/** Lets every loop work until none finds anything to do at this moment of the clock. */
export async function untilQuiet(
  { app, db }: Pick<TestApp, 'app' | 'db'>,
  only?: readonly string[],
): Promise<void> {
  const loops = app.loops.filter(
    ({ name }) => !ASIDE.has(name) && (only === undefined || only.includes(name)),
  )
  for (let pass = 0; ; ) {
    if (pass > MOST_PASSES) throw new Error('the loops find no rest')
    let done = 0
    for (const loop of loops) {
      await withLease(db, loop.name, async (held) => {
        for (let round = 0; round < 500; round += 1) {
          const some = await loop.work(held)
          done += some
          if (some === 0) return
        }
      })
    }
    if (done > 0) pass += 1
    // Other test files share the server and may hold the log's horizon back.
    else if (only !== undefined || (await hasCaughtUp(db, 'project'))) return
    else await sleep(20)
  }
}

/** Ends what loops keep open. */
export async function endLoops({ app }: Pick<TestApp, 'app'>): Promise<void> {
  for (const loop of app.loops) await loop.end?.()
}
