import { prepareStores } from '../prepare.ts'
import { openStores } from '../stores.ts'
import type { Command } from './command.ts'

export async function migrate({ config, log, terminal }: Command): Promise<undefined> {
  const stores = await openStores(config, log, 'either')
  try {
    const { postgres, clickhouse } = await prepareStores(stores)
    const applied = [...postgres.applied, ...clickhouse.applied.map((name) => `clickhouse/${name}`)]
    for (const name of applied) terminal.say(`applied ${name}`)
    terminal.say(applied.length === 0 ? 'Both stores are up to date.' : `${applied.length} files applied.`)
    terminal.result({ postgres: postgres.applied, clickhouse: clickhouse.applied })
  } finally {
    await stores.close()
  }
}
