/**
 * How a real provider knows the brand: sealed under a key of the channel's own, opened only to speak to the provider.
 * Always true: what was entered is in no answer, no log and no audit row; a channel that is off or simulated has none.
 */
import { ChannelCredentials, type ChannelName } from '../../contract/reach.ts'
import type { FieldCipher } from '../platform/crypto/field-cipher.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { sealedConnections, writeConnection } from './channel-store.ts'
import { getChannel } from './channels.ts'
import { masked } from './masked.ts'

/** Where the real providers are reached. */
export const PROVIDERS: Readonly<Record<ChannelName, string>> = {
  wecom: 'https://qyapi.weixin.qq.com',
  sms: 'https://dysmsapi.aliyuncs.com',
}

export type Connecting = {
  name: ChannelName
  credentials: ChannelCredentials
  version: number
  now: Date
  /** The provider's address; the real one if none is given. */
  baseUrl?: string | undefined
}

/**
 * Keeps the credentials and puts the channel in test, whatever it was before: going live is asked for anew.
 * Answers the account as it may be shown. Errors: `bad_input` for credentials of another channel, `stale_version`.
 */
export async function connectChannel(tx: Tx, cipher: FieldCipher, given: Connecting): Promise<string> {
  const { name, credentials, version, now, baseUrl = PROVIDERS[name] } = given
  if (credentials.channel !== name)
    throw new Problem('bad_input', `These are credentials of ${credentials.channel}, not of ${name}.`, {
      field: 'credentials',
    })
  const { key, wrapped } = cipher.newKey(context(name))
  const secret = cipher.seal(key, JSON.stringify(credentials), context(name))
  const account = masked(credentials.channel === 'wecom' ? credentials.corpId : credentials.accessKeyId)
  if (!(await writeConnection(tx, name, { key: wrapped, secret, account, baseUrl, version, now }))) {
    const theirs = await getChannel(tx, name)
    throw new Problem('stale_version', 'The channel was changed meanwhile.', {
      details: { yours: { version }, theirs: { version: theirs.version, mode: theirs.mode } },
    })
  }
  return account
}

/** `version` grows with every change of the channel: whoever keeps a client opens it anew then. */
export type Connection = {
  name: ChannelName
  baseUrl: string
  version: number
  credentials: ChannelCredentials
}

/** The channels that may speak to a real provider now, in test or live. */
export async function openConnections(db: Db, cipher: FieldCipher): Promise<Connection[]> {
  return (await sealedConnections(db)).map(({ name, baseUrl, version, key, secret }) => {
    const text = cipher.open(cipher.unwrap(key, context(name)), secret, context(name))
    return { name, baseUrl, version, credentials: ChannelCredentials.parse(JSON.parse(text)) }
  })
}

function context(name: ChannelName): string {
  return `channel:${name}`
}
