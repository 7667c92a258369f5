import { type Config, readConfig } from '../config.ts'
import { isClickHouseAway } from '../platform/clickhouse/clickhouse.ts'
import { EngineRefused } from '../platform/clickhouse/engine.ts'
import { ClickHouseMigrationRefused } from '../platform/clickhouse/migrate.ts'
import { KeyRefused } from '../platform/crypto/master-key.ts'
import { isDiskFull } from '../platform/data-directory.ts'
import { type Log, openLog } from '../platform/logging/log.ts'
import { isPostgresAway } from '../platform/postgres/database.ts'
import { MigrationRefused } from '../platform/postgres/migrate.ts'
import { Problem } from '../platform/problem.ts'
import { StartRefused } from '../platform/start-refused.ts'
import { prepareStores } from '../prepare.ts'
import { openStores, type StoreMode, type Stores } from '../stores.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What every command is given. */
export type Command = { config: Config; log: Log; terminal: Terminal }

/** Runs a command and sets the exit code: 0 done, 1 refused or failed, with one sentence on stderr. */
export async function runCommand(
  options: { json?: boolean | undefined },
  work: (command: Command) => Promise<number | undefined>,
): Promise<void> {
  let config: Config | undefined
  try {
    config = readConfig()
    const log = openLog({ level: config.logLevel === 'info' ? 'warn' : config.logLevel })
    const code = await work({ config, log, terminal: openTerminal({ json: options.json ?? false }) })
    process.exitCode = code ?? 0
  } catch (error) {
    process.stderr.write(`liuliang: ${sentenceOf(error)}\n`)
    if (config?.logLevel === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  }
}

/** What an operator reads of an error. */
export function sentenceOf(error: unknown): string {
  if (isDiskFull(error)) return 'The disk is full. Free some space and try again.'
  if (isForOperators(error)) return error.message
  if (isPostgresAway(error) || isClickHouseAway(error))
    return 'PostgreSQL or ClickHouse was stopped or started again meanwhile. Run the command again.'
  const message = error instanceof Error ? error.message : String(error)
  return `${message} (unexpected; LIULIANG_LOG=debug shows where)`
}

function isForOperators(error: unknown): error is Error {
  return (
    error instanceof StartRefused ||
    error instanceof EngineRefused ||
    error instanceof KeyRefused ||
    error instanceof MigrationRefused ||
    error instanceof ClickHouseMigrationRefused ||
    error instanceof Problem
  )
}

/** Long work that Ctrl-C or SIGTERM ends in order; `told` is what the operator then reads. Errors: `conflict` then. */
export async function stoppable<T>(told: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = () => stop.abort(new Problem('conflict', told))
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    return await work(stop.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** Opens prepared stores for the time of `work`. */
export async function withStores<T>(
  { config, log }: Command,
  mode: StoreMode,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const stores = await openStores(config, log, mode)
  try {
    await prepareStores(stores)
    return await work(stores)
  } finally {
    await stores.close()
  }
}
