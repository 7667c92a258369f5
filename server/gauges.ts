/** What an operator's alarms look at: how far everything is behind, what waits, and what is running out. */
import { countDue } from './audience/audience.ts'
import { countDeadLetters, readLag, silentSources } from './events/events.ts'
import { backlogOf } from './journeys/journeys.ts'
import type { BusinessClock } from './org/org.ts'
import type { Metrics, Sample } from './platform/http/metrics.ts'
import { readHorizon } from './platform/postgres/horizon.ts'
import { depthOf } from './reach/reach.ts'
import type { Stores } from './stores.ts'

export type GaugeSources = { stores: Pick<Stores, 'db' | 'disk'>; clock: BusinessClock }

/** Each family is read for itself: where one store is away the others still tell. */
export function watchGauges(
  metrics: Metrics,
  { stores: { db, disk }, clock }: GaugeSources,
  intake: { depth(): number },
): void {
  const consumer = ['consumer', 'lane']
  metrics.watch(
    {
      liuliang_consumer_behind_events: {
        help: 'Events of the log that a consumer has not accounted for, counted up to 100,000',
        labels: consumer,
      },
      liuliang_consumer_behind_seconds: {
        help: 'Seconds since the oldest event was received that a consumer has not accounted for',
        labels: consumer,
      },
    },
    async () =>
      (await readLag(db, clock.now())).flatMap(({ name, lane, behind, seconds }): Sample[] => {
        const labels = { consumer: name, lane }
        return [
          { name: 'liuliang_consumer_behind_events', labels, value: behind },
          { name: 'liuliang_consumer_behind_seconds', labels, value: seconds },
        ]
      }),
  )
  metrics.watch(
    {
      liuliang_persons_due: {
        help: 'Persons who wait to be evaluated, by what woke them',
        labels: ['cause'],
      },
    },
    async () =>
      Object.entries(await countDue(db, clock.now())).map(([cause, value]) => ({
        name: 'liuliang_persons_due',
        labels: { cause },
        value,
      })),
  )
  metrics.watch(
    {
      liuliang_journeys_due: { help: 'Persons in live SOPs whose next step is due' },
      liuliang_journeys_due_seconds: { help: 'For how long the oldest of these steps has been due' },
    },
    async () => {
      const { due, oldestSeconds } = await backlogOf(db, clock.now())
      return [
        { name: 'liuliang_journeys_due', value: due },
        { name: 'liuliang_journeys_due_seconds', value: oldestSeconds },
      ]
    },
  )
  metrics.watch(
    { liuliang_intake_waiting: { help: 'Events that the doors have taken and that are not durable yet' } },
    async () => [{ name: 'liuliang_intake_waiting', value: intake.depth() }],
  )
  const waiting = ['stage', 'state']
  metrics.watch(
    {
      liuliang_reach_waiting: { help: 'Candidates and hand-overs that wait, by state', labels: waiting },
      liuliang_reach_waiting_seconds: { help: 'Age of the oldest of them', labels: waiting },
    },
    async () =>
      (await depthOf(db, clock.now())).flatMap(({ stage, state, count, oldestSeconds }): Sample[] => [
        { name: 'liuliang_reach_waiting', labels: { stage, state }, value: count },
        { name: 'liuliang_reach_waiting_seconds', labels: { stage, state }, value: oldestSeconds },
      ]),
  )
  metrics.watch(
    { liuliang_dead_letters: { help: 'Events that a handler could not take, by state', labels: ['state'] } },
    async () =>
      Object.entries(await countDeadLetters(db)).map(([state, value]) => ({
        name: 'liuliang_dead_letters',
        labels: { state },
        value,
      })),
  )
  metrics.watch(
    {
      liuliang_source_silent: {
        help: '1 for a source that is silent for longer than it is used to',
        labels: ['source'],
      },
    },
    async () =>
      (await silentSources(db, clock.now())).map(({ source }) => ({
        name: 'liuliang_source_silent',
        labels: { source },
        value: 1,
      })),
  )
  metrics.watch(
    {
      liuliang_log_horizon_age_seconds: {
        help: 'Age of the oldest transaction that writes and holds all consumers back',
      },
    },
    async () => [{ name: 'liuliang_log_horizon_age_seconds', value: (await readHorizon(db)).ageSeconds }],
  )
  metrics.watch(
    {
      liuliang_disk_free_bytes: { help: 'Free bytes on the fullest disk of the built-in stores' },
      liuliang_may_act: { help: '1 while SOPs step and messages go out; 0 while clock or disk forbid it' },
    },
    async () => {
      await disk.refresh()
      const free = disk.fullest()?.free
      const mayAct = clock.trouble() === undefined && disk.trouble() === undefined
      return [
        ...(free === undefined ? [] : [{ name: 'liuliang_disk_free_bytes', value: free }]),
        { name: 'liuliang_may_act', value: mayAct ? 1 : 0 },
      ]
    },
  )
}
