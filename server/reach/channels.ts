/**
 * Which channels are open. A channel is off until somebody connects it; `simulated` is held by the database to an
 * address on this machine; `test` reaches only the allow-list; `live` is an act of its own, confirmed by name.
 */
import type { ChannelName } from '../../contract/reach.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import * as store from './channel-store.ts'
import { masked } from './masked.ts'
import type { People } from './ports.ts'

export type ChannelMode = store.ChannelMode
export type ChannelShown = store.ChannelShown

export async function listChannels(db: Db): Promise<ChannelShown[]> {
  return store.readChannels(db)
}

/** Errors: `not_found`. */
export async function getChannel(db: Db, name: ChannelName): Promise<ChannelShown> {
  const channel = (await store.readChannels(db)).find((one) => one.name === name)
  if (!channel) throw new Problem('not_found', 'no such channel')
  return channel
}

/**
 * Connects a channel to a provider on this machine: nobody real is reached, demo members are.
 * Errors: `bad_input` for an address elsewhere.
 */
export async function simulate(tx: Tx, name: ChannelName, baseUrl: string, now: Date): Promise<void> {
  const { hostname, protocol, username } = new URL(baseUrl)
  const here = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  if (!here || protocol !== 'http:' || username !== '')
    throw new Problem('bad_input', 'a simulated channel speaks to this machine only', { field: 'baseUrl' })
  await store.writeMode(tx, name, { mode: 'simulated', baseUrl, now })
}

/**
 * Connects a channel to a real provider in test: only the allow-list is reached. Also the way back from live: mass
 * messages that nobody has confirmed are then taken back by the next rounds of delivery.
 */
export async function toTest(tx: Tx, name: ChannelName, now: Date, baseUrl?: string): Promise<void> {
  const present = await getChannel(tx, name)
  const address = baseUrl ?? (present.account === null ? '' : present.baseUrl)
  if (address === '')
    throw new Problem('not_ready', 'The channel is not connected to a provider: enter its credentials first.')
  await store.writeMode(tx, name, { mode: 'test', baseUrl: address, now })
}

/**
 * Nothing is handed over any more, and what the provider knows us by is forgotten. Without it nothing can be taken back:
 * a mass message that nobody has confirmed stays with its guide.
 */
export async function switchOff(tx: Tx, name: ChannelName, now: Date): Promise<void> {
  await store.writeMode(tx, name, { mode: 'off', baseUrl: '', now })
}

/**
 * Puts a channel live. It must be in test, and `confirm` must name it again.
 * Errors: `bad_input` where it does not, `not_ready` where it was not in test, `stale_version`.
 */
export async function goLive(
  tx: Tx,
  name: ChannelName,
  how: { confirm: string; version: number; by: string; now: Date },
): Promise<void> {
  if (how.confirm !== name)
    throw new Problem('bad_input', 'name the channel again to confirm', { field: 'confirm' })
  if (await store.writeLive(tx, name, how)) return
  const present = await getChannel(tx, name)
  if (present.version !== how.version) throw stale(how.version, present)
  throw new Problem('not_ready', 'a channel goes live from test mode only')
}

function stale(version: number, present: ChannelShown): Problem {
  const theirs = { version: present.version, mode: present.mode, allowList: present.allowed }
  return new Problem('stale_version', 'The channel was changed meanwhile.', {
    details: { yours: { version }, theirs },
  })
}

const MAX_ALLOWED = 200

/**
 * Sets who may be reached in test. An entry that is written as it is shown (`138****0001`) stays as it was.
 * Errors: `too_many`, `stale_version`.
 */
export async function setAllowList(
  tx: Tx,
  people: Pick<People, 'digest'>,
  name: ChannelName,
  entries: readonly string[],
  how: { version: number; now: Date },
): Promise<void> {
  if (entries.length > MAX_ALLOWED) throw new Problem('too_many', `at most ${MAX_ALLOWED} entries`)
  const given = new Set(entries.map((entry) => entry.trim()).filter((entry) => entry !== ''))
  const kept = [...given].filter((entry) => entry.includes('*'))
  const fresh = [...given]
    .filter((entry) => !entry.includes('*'))
    .map((entry) => ({ digest: people.digest(name, entry), shown: masked(entry) }))
  if (!(await store.replaceAllowed(tx, name, { kept, fresh }, how)))
    throw stale(how.version, await getChannel(tx, name))
}
