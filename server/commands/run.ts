/**
 * start, serve and work: the long-running forms of the program.
 *
 * Stopping goes in order: no new requests, open ones end; loops finish their round and give their leases back;
 * housekeeping; connections; engines; the data directory. A second signal ends at once: whatever was not finished
 * is repeated or rolled back at the next start.
 */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type App, type AppParts, buildApp, serveApp } from '../app.ts'
import type { Config } from '../config.ts'
import { type LoopParts, runLoops } from '../loop.ts'
import { createFirstOwner, type OneTime, openBusinessClock } from '../org/org.ts'
import { startHousekeeping } from '../platform/jobs/housekeeping.ts'
import { openLog } from '../platform/logging/log.ts'
import { sharedHeaps, spareMemory } from '../platform/spare-memory.ts'
import { StartRefused } from '../platform/start-refused.ts'
import { systemClock } from '../platform/time/clock.ts'
import { thisMachine } from '../platform/time/machine.ts'
import { prepareStores } from '../prepare.ts'
import { openStores, type Stores } from '../stores.ts'
import { VERSION } from '../version.ts'
import { placeOf, type WorkPlace } from '../work-place.ts'
import { startWorkThread, type WorkThread } from '../work-thread.ts'
import type { Command } from './command.ts'
import { seedWhenEmpty, tellDemo } from './demo.ts'
import type { Terminal } from './terminal.ts'

export type RunOptions = {
  serve: boolean
  work: boolean
  /** Logs go to a file in the data directory; people read sentences. */
  forPeople: boolean
}

/** Runs until it is told to stop. Gives the exit code. */
export async function runProgram({ config, terminal }: Command, options: RunOptions): Promise<number> {
  if (options.serve) await refuseTakenPort(config)
  const logging = {
    level: config.logLevel,
    ...(options.forPeople ? { file: join(config.dataDirectory, 'logs', 'liuliang.ndjson') } : {}),
  }
  const log = openLog(logging)
  const asked = stopSignal()
  const closers: (() => Promise<void>)[] = []
  let failure: string | undefined
  try {
    const stores = await openStores(config, log, options.forPeople ? 'own' : 'either')
    closers.push(() => stores.close())
    await prepareStores(stores)
    const clock = await openBusinessClock(stores.db, systemClock, thisMachine())
    closers.push(async () => clock.stop())
    const parts: AppParts = { stores, clock, log, publicUrl: config.publicUrl }
    const app = buildApp(parts)
    greet(terminal, { stores, owner: await createFirstOwner(stores.db, clock.now()) })
    if (options.forPeople && config.demo === 'auto') {
      const seeded = await seedWhenEmpty(stores, terminal)
      if (seeded) tellDemo(terminal, seeded)
    }
    const heaps = sharedHeaps(2)
    const spare = spareMemory({ heaps })
    closers.push(async () => spare.stop())
    if (options.work) {
      const place = placeOf(stores, config, { log: logging, doors: app.doors.state, heaps })
      closers.push(await startWork(app, parts, options.serve ? place : undefined))
    }
    if (options.serve && !asked.signal.aborted) {
      const server = await serveApp(app, parts, {
        host: config.host,
        port: config.port,
        trustProxy: config.trustProxy,
      })
      closers.push(() => server.stop())
      const address = config.publicUrl ?? server.address
      await stores.announce(address)
      tellAddress(terminal, address, clock.trouble())
    } else if (!options.serve) {
      terminal.say('Working. Press Ctrl-C to stop.')
      terminal.result({ working: true })
    }
    log.info({
      event: 'program.started',
      version: VERSION,
      mode: stores.mode,
      serve: options.serve,
      work: options.work,
    })
    failure = await Promise.race([asked.asked, stores.lost])
  } finally {
    if (closers.length > 0) terminal.say('Stopping …')
    // What asked for the stop: without it nobody can say later why a program ended.
    log.info({
      event: 'program.stopping',
      by: asked.by() ?? (failure === undefined ? 'error' : 'store lost'),
    })
    for (const close of closers.reverse()) await close()
    log.info({ event: 'program.stopped' })
    asked.forget()
  }
  if (failure === undefined) return 0
  process.stderr.write(`liuliang: ${failure}\n`)
  return 1
}

/** The loops run beside pages and doors in a thread of their own, alone in this one. */
async function startWork(
  app: App,
  { stores, clock, log }: AppParts,
  beside: WorkPlace | undefined,
): Promise<() => Promise<void>> {
  const { metrics } = app
  const work = beside
    ? startWorkThread(beside, { metrics, log })
    : workHere({ db: stores.db, clock, disk: stores.disk, log, metrics }, app.loops)
  const stopHousekeeping = await startHousekeeping(stores.db.url, app.housekeeping, log)
  return async () => {
    await work.stop()
    await stopHousekeeping()
  }
}

function workHere(parts: LoopParts, loops: App['loops']): WorkThread {
  const stop = new AbortController()
  const ended = runLoops(parts, loops, stop.signal)
  return {
    stop() {
      stop.abort()
      return ended
    },
  }
}

function greet(terminal: Terminal, { stores, owner }: { stores: Stores; owner: OneTime | undefined }): void {
  terminal.say(`Liuliang ${VERSION}`)
  for (const notice of stores.notices) terminal.say(notice)
  if (stores.newMasterKey !== undefined) {
    terminal.say('')
    terminal.say(`Master key, shown once: ${stores.newMasterKey}`)
    terminal.say('Keep it in a safe place: without it a backup cannot be read.')
  }
  if (owner) {
    terminal.say('')
    terminal.say(`First sign-in, shown once: ${owner.login} / ${owner.oneTimePassword}`)
    terminal.result({ firstSignIn: owner })
  }
}

function tellAddress(terminal: Terminal, address: string, trouble: string | undefined): void {
  if (trouble !== undefined) terminal.say(trouble)
  terminal.say('')
  terminal.say(`Open ${address}   (Ctrl-C stops)`)
  terminal.result({ address })
}

/** Asked before anything is started, so that the answer comes at once. */
async function refuseTakenPort({ host, port }: Config): Promise<void> {
  if (port === 0) return
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE'
        ? reject(
            new StartRefused(
              `Port ${port} is taken by another program. Set PORT to a free one, or stop that program.`,
            ),
          )
        : resolve(),
    )
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

type Asked = {
  asked: Promise<undefined>
  signal: AbortSignal
  /** The name of the signal, or 'disconnect'. */
  by(): string | undefined
  forget(): void
}

/** Settles at the first signal, or when the process that started this one is gone. */
function stopSignal(): Asked {
  const stop = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let times = 0
  let by: string | undefined
  function onSignal(signal?: string): void {
    times += 1
    by ??= signal ?? 'disconnect'
    if (times > 1) process.exit(130)
    stop.abort()
    resolve(undefined)
  }
  for (const signal of signals) process.on(signal, onSignal)
  const onDisconnect = () => onSignal()
  process.once('disconnect', onDisconnect)
  return {
    asked: promise,
    by: () => by,
    signal: stop.signal,
    forget() {
      for (const signal of signals) process.off(signal, onSignal)
      process.off('disconnect', onDisconnect)
      // The channel to whoever started this program would keep it alive.
      if (process.connected) process.disconnect()
    },
  }
}
