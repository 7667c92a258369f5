import { sweepDemoBrand } from '../demo-brand.ts'
import { PROJECT, rebuildClickHouse } from '../events/events.ts'
import { withLease } from '../platform/jobs/lease.ts'
import { StartRefused } from '../platform/start-refused.ts'
import { systemClock } from '../platform/time/clock.ts'
import { type Command, withStores } from './command.ts'

/** Makes ClickHouse again from log and archive. Evaluation waits meanwhile; intake and pages go on. */
export async function rebuild(command: Command): Promise<undefined> {
  const { terminal } = command
  const progress = terminal.progress('events')
  const rebuilt = await withStores(command, 'either', ({ db, clickhouse, folders }) =>
    withLease(db, PROJECT, (token) =>
      rebuildClickHouse(db, clickhouse, {
        folder: folders.archive,
        token,
        now: systemClock.now(),
        sweep: () => sweepDemoBrand({ db, clickhouse }),
        onProgress: ({ events }) => progress.tick(events),
      }),
    ),
  )
  if (!rebuilt) {
    throw new StartRefused(
      'Another process projects at this moment. Stop "start" or "work", then run this again.',
    )
  }
  progress.done()
  terminal.say(
    `${rebuilt.events.toLocaleString('en-US')} events, ${rebuilt.days} days of them from the archive.`,
  )
  terminal.result(rebuilt)
}
