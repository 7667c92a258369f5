/** The loops of the program, at work as they are when it is served. */
import { afterAll } from 'vitest'
import { runLoops } from '../../server/loop.ts'
import type { TestApp } from '../support/app.ts'

/** Starts every loop; they stop, and give their leases back, when the file is done. */
export function letItWork({ app, parts }: TestApp): void {
  const stop = new AbortController()
  const { clock, log, stores } = parts
  const working = runLoops(
    { db: stores.db, disk: stores.disk, clock, log, metrics: app.metrics },
    app.loops,
    stop.signal,
  )
  afterAll(async () => {
    stop.abort()
    await working
  })
}
