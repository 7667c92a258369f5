/** Jobs without business time (cleaning up), by graphile-worker: each runs in one process of all, at its time. */
import { Logger, parseCronItems, type Runner, run } from 'graphile-worker'
import type { Log } from '../logging/log.ts'

export type Housekeeping = {
  name: string
  /** Five fields of cron, in UTC. */
  cron: string
  run(): Promise<unknown>
}

/** Starts the jobs over the database at `url`. Gives what stops them: running ones end first. */
export async function startHousekeeping(
  url: string,
  jobs: readonly Housekeeping[],
  log: Log,
): Promise<() => Promise<void>> {
  const runner: Runner = await run({
    connectionString: url,
    concurrency: 1,
    maxPoolSize: 3,
    pollInterval: 10_000,
    noHandleSignals: true,
    logger: new Logger(() => (level, message) => {
      if (level === 'error' || level === 'warning') log.warn({ event: 'housekeeping.note', note: message })
    }),
    taskList: Object.fromEntries(
      jobs.map((job) => [
        job.name,
        async () => {
          await job.run()
          log.debug({ event: 'housekeeping.done', job: job.name })
        },
      ]),
    ),
    parsedCronItems: parseCronItems(
      jobs.map(({ name, cron }) => ({
        task: name,
        match: cron,
        options: { backfillPeriod: 0, maxAttempts: 3 },
      })),
    ),
  })
  // The runner rejects its promise when it is stopped while something fails; stopping is what was wanted.
  runner.promise.catch((error: unknown) => log.warn({ event: 'housekeeping.ended', err: error }))
  return () => runner.stop().catch(() => undefined)
}
