/** Channels that speak to a simulated provider on this machine, by the address that stands in the channel's row. */
import { openWecom } from '../../wecom/client.ts'
import type { Db } from '../platform/postgres/database.ts'
import type { Clock } from '../platform/time/clock.ts'
import { type Channel, listChannels } from '../reach/reach.ts'
import { openAliyun } from './sms/aliyun.ts'
import { smsChannel } from './sms/channel.ts'
import { wecomChannel } from './wecom/channel.ts'

export type SandboxAccess = {
  wecom: { corpId: string; secret: string }
  sms: { accessKeyId: string; accessKeySecret: string }
}

/** A simulated provider answers at once, and is asked often, so that whoever looks sees what comes of it. */
const PACE = { pollSeconds: 5 }

/**
 * Answers the channels that are simulated now. The simulated providers change their address with each start of their
 * process, and another process may run them.
 */
export function openSimulated(access: SandboxAccess, clock: Clock): (db: Db) => Promise<Channel[]> {
  const open = new Map<string, Channel>()
  return async (db) => {
    const simulated = (await listChannels(db)).filter(({ mode }) => mode === 'simulated')
    const present = simulated.map(({ name, baseUrl }) => {
      const key = `${name} ${baseUrl}`
      const channel = open.get(key) ?? make(name, baseUrl, access, clock)
      open.set(key, channel)
      return { key, channel }
    })
    for (const key of open.keys()) if (!present.some((one) => one.key === key)) open.delete(key)
    return present.map(({ channel }) => channel)
  }
}

function make(name: Channel['name'], baseUrl: string, access: SandboxAccess, clock: Clock): Channel {
  return name === 'wecom'
    ? wecomChannel({ ...PACE, client: openWecom({ ...access.wecom, baseUrl }) })
    : smsChannel({ ...PACE, client: openAliyun({ ...access.sms, baseUrl, clock: () => clock.now() }) })
}
