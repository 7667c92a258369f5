/** Channels over HTTP: who may be reached in test, back to test, live. */
import { implement } from '@orpc/server'
import { type ChannelName, reachContract } from '../../contract/reach.ts'
import { audit, type Call } from '../org/org.ts'
import type { FieldCipher } from '../platform/crypto/field-cipher.ts'
import type { Database } from '../platform/postgres/database.ts'
import { getChannel, goLive, listChannels, setAllowList, switchOff, toTest } from './channels.ts'
import { connectChannel } from './connection.ts'
import { approveSmsText, listSmsTexts } from './content/sms-texts.ts'
import type { People } from './ports.ts'
import { listUnknown, settleKnown } from './unknown.ts'

export type ReachRouting = {
  db: Database
  people: Pick<People, 'digest'>
  cipher: FieldCipher
  /** Where providers are reached instead of at their own addresses. */
  providers?: Partial<Record<ChannelName, string>> | undefined
  /** Where the SMS provider pushes receipts, with the key that only it is told. */
  receiptAddress: string
}

export function reachRoutes({ db, people, cipher, providers = {}, receiptAddress }: ReachRouting) {
  const api = implement(reachContract).$context<Call>()
  const one = async (name: ChannelName) => shown(await getChannel(db, name))
  return api.router({
    unknown: api.unknown.handler(async ({ context: { viewer } }) => ({
      items: await listUnknown(db, viewer),
    })),
    settleUnknown: api.settleUnknown.handler(async ({ input, context }) => {
      const { id, reached } = input
      await db.transaction(async (tx) => {
        await settleKnown(tx, id, { reached, now: context.now })
        const note = {
          action: 'hand_over.settled',
          objectKind: 'hand_over',
          objectId: id,
          after: { reached },
        }
        await audit(tx, context, note)
      })
      return { done: true as const }
    }),
    smsTexts: api.smsTexts.handler(async () => ({ items: await listSmsTexts(db) })),
    approveSmsText: api.approveSmsText.handler(({ input, context }) =>
      db.transaction(async (tx) => {
        const by = context.viewer.staffId
        const text = await approveSmsText(tx, { ...input, by, now: context.now })
        await audit(tx, context, {
          action: 'content.approval_changed',
          objectKind: 'content',
          objectId: input.id,
          after: { approval: input.approval },
        })
        return text
      }),
    ),
    channels: api.channels.handler(async () => ({ items: (await listChannels(db)).map(shown) })),
    changeChannel: api.changeChannel.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        const { name, allowList, version } = input
        await setAllowList(tx, people, name, allowList, { version, now: context.now })
        await audit(tx, context, {
          action: 'channel.allow_list_changed',
          objectKind: 'channel',
          objectId: name,
          after: { entries: allowList.length },
        })
      })
      return one(input.name)
    }),
    connectChannel: api.connectChannel.handler(async ({ input, context }) => {
      const { name, credentials, version } = input
      const given = { name, credentials, version, now: context.now, baseUrl: providers[name] }
      await db.transaction(async (tx) => {
        const account = await connectChannel(tx, cipher, given)
        const note = {
          action: 'channel.connected',
          objectKind: 'channel',
          objectId: name,
          after: { account },
        }
        await audit(tx, context, note)
      })
      return one(name)
    }),
    receiptAddress: api.receiptAddress.handler(() => ({ address: receiptAddress })),
    channelOff: api.channelOff.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await switchOff(tx, input.name, context.now)
        await audit(tx, context, { action: 'channel.off', objectKind: 'channel', objectId: input.name })
      })
      return one(input.name)
    }),
    channelToTest: api.channelToTest.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await toTest(tx, input.name, context.now)
        await audit(tx, context, { action: 'channel.to_test', objectKind: 'channel', objectId: input.name })
      })
      return one(input.name)
    }),
    channelToLive: api.channelToLive.handler(async ({ input, context }) => {
      await db.transaction(async (tx) => {
        await goLive(tx, input.name, {
          confirm: input.confirm,
          version: input.version,
          by: context.viewer.staffId,
          now: context.now,
        })
        await audit(tx, context, { action: 'channel.to_live', objectKind: 'channel', objectId: input.name })
      })
      return one(input.name)
    }),
  })
}

function shown(channel: Awaited<ReturnType<typeof getChannel>>) {
  return {
    name: channel.name,
    mode: channel.mode,
    allowList: channel.allowed,
    configured: channel.baseUrl !== '',
    account: channel.account,
    liveSince: channel.liveSince?.toISOString() ?? null,
    failing: channel.failing,
    version: channel.version,
  }
}
