/**
 * The channels that stand open now: those simulated on this machine, by the address in the channel's row, and those
 * connected to a real provider, by the credentials that are sealed there. A client is kept until its row changes.
 */
import { openWecom } from '../../wecom/client.ts'
import type { FieldCipher } from '../platform/crypto/field-cipher.ts'
import type { Db } from '../platform/postgres/database.ts'
import type { Clock } from '../platform/time/clock.ts'
import { type Channel, type Connection, listChannels, openConnections } from '../reach/reach.ts'
import { openAliyun } from './sms/aliyun.ts'
import { smsChannel } from './sms/channel.ts'
import { wecomChannel } from './wecom/channel.ts'

export type SandboxAccess = {
  wecom: { corpId: string; secret: string }
  sms: { accessKeyId: string; accessKeySecret: string }
}

export type Opening = { sandbox: SandboxAccess; cipher: FieldCipher; clock: Clock }

/** A simulated provider answers at once, and is asked often, so that whoever looks sees what comes of it. */
const SIMULATED_PACE = { pollSeconds: 5 }

type Wanted = Omit<Connection, 'version'> & { key: string; pace: { pollSeconds?: number } }

/** Another process may run the simulated providers, and may have changed a connection: the rows are asked each time. */
export function openChannels(opening: Opening): (db: Db) => Promise<Channel[]> {
  let kept = new Map<string, Channel>()
  return async (db) => {
    const wanted = [...(await simulated(db, opening.sandbox)), ...(await connected(db, opening.cipher))]
    kept = new Map(wanted.map((one) => [one.key, kept.get(one.key) ?? make(one, opening.clock)]))
    return [...kept.values()]
  }
}

async function simulated(db: Db, { wecom, sms }: SandboxAccess): Promise<Wanted[]> {
  const rows = (await listChannels(db)).filter(({ mode }) => mode === 'simulated')
  return rows.map(({ name, baseUrl }) => ({
    name,
    baseUrl,
    key: `${name} simulated ${baseUrl}`,
    pace: SIMULATED_PACE,
    credentials: name === 'wecom' ? { channel: name, ...wecom } : { channel: name, ...sms },
  }))
}

async function connected(db: Db, cipher: FieldCipher): Promise<Wanted[]> {
  const connections = await openConnections(db, cipher)
  return connections.map(({ version, ...rest }) => ({ ...rest, key: `${rest.name} ${version}`, pace: {} }))
}

function make({ credentials, baseUrl, pace }: Wanted, clock: Clock): Channel {
  return credentials.channel === 'wecom'
    ? wecomChannel({ ...pace, client: openWecom({ ...credentials, baseUrl }) })
    : smsChannel({ ...pace, client: openAliyun({ ...credentials, baseUrl, clock: () => clock.now() }) })
}
