/**
 * WeCom's callbacks: the check of the address, and changes of contacts as they happen. The signature and the sealed
 * receiver say that they are from WeCom and for this corp; whatever does not fit is answered as if there were nothing.
 * Always true: a repeat of a message changes nothing (relations keep their times); an answer other than 200 is repeated
 * by WeCom three times, so only what may work later is refused.
 */
import { wecomCallback, wecomCallbackCheck } from '../../../contract/reach.ts'
import { type CallbackCrypto, CallbackRefused, openCallbackCrypto } from '../../../wecom/callback/crypto.ts'
import { NotCallbackXml, parseMessage } from '../../../wecom/callback/message.ts'
import { heard } from '../../events/events.ts'
import { type MembersDeps, resolve } from '../../members/members.ts'
import type { Call } from '../../org/org.ts'
import type { FieldCipher } from '../../platform/crypto/field-cipher.ts'
import type { Streamed } from '../../platform/http/api.ts'
import type { Log } from '../../platform/logging/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { openConnections } from '../../reach/reach.ts'
import { type ContactChange, contactChangeOf } from './contact-change.ts'
import { addedAt, staffCalled } from './store.ts'

export type WecomReceiving = { db: Database; cipher: FieldCipher; members: MembersDeps; log: Log }

const SOURCE = 'wecom'

export function wecomStreams(receiving: WecomReceiving): readonly Streamed<Call>[] {
  const { db, cipher, log } = receiving
  return [
    {
      route: wecomCallbackCheck,
      async handle({ query, response }) {
        const opened = open(await cryptoOf(db, cipher), query, query.get('echostr') ?? '')
        // The bare message: quotes or a line end would fail the check.
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(opened)
      },
    },
    {
      route: wecomCallback,
      async handle({ query, response, body, call }) {
        const crypto = await cryptoOf(db, cipher)
        const outer = read(await readText(body))
        const change = contactChangeOf(read(open(crypto, query, outer['Encrypt'] ?? '')))
        if (change) {
          const told = await tell(receiving, change, call.now)
          if (!told) log.warn({ event: 'wecom.callback_of_unknown_staff', did: change.did })
        }
        response.writeHead(200).end()
      },
    },
  ]
}

/** Errors: `not_found` where the callback is not set up. */
async function cryptoOf(db: Database, cipher: FieldCipher): Promise<CallbackCrypto> {
  for (const { credentials } of await openConnections(db, cipher)) {
    if (credentials.channel !== 'wecom' || !credentials.callbackToken || !credentials.callbackKey) continue
    const { callbackToken: token, callbackKey: encodingAesKey, corpId: receiveId } = credentials
    return openCallbackCrypto({ token, encodingAesKey, receiveId })
  }
  throw nothingHere()
}

function open(crypto: CallbackCrypto, query: URLSearchParams, encrypt: string): string {
  const part = (name: string): string => query.get(name) ?? ''
  try {
    return crypto.open({
      signature: part('msg_signature'),
      timestamp: part('timestamp'),
      nonce: part('nonce'),
      encrypt,
    })
  } catch (error) {
    if (error instanceof CallbackRefused) throw nothingHere()
    throw error
  }
}

function read(xml: string): ReturnType<typeof parseMessage> {
  try {
    return parseMessage(xml)
  } catch (error) {
    if (error instanceof NotCallbackXml) throw new Problem('bad_input', 'The body is no message of WeCom.')
    throw error
  }
}

function nothingHere(): Problem {
  return new Problem('not_found', 'There is nothing here.')
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

/** Through the door of the members, as something that happens now. False where nobody of the staff has that id. */
async function tell({ db, members }: WecomReceiving, change: ContactChange, now: Date): Promise<boolean> {
  const staffId = await staffCalled(db, change.staffUserId)
  if (staffId === undefined) return false
  const { externalUserId, at } = change
  await db.transaction(async (tx) => {
    const began = change.did === 'added' ? at : ((await addedAt(tx, staffId, externalUserId)) ?? at)
    const relation = {
      staffId,
      externalUserid: externalUserId,
      addedAt: began,
      ...(change.did === 'added' ? { state: change.state } : { lostAt: at, lostBy: change.by }),
    }
    const row = {
      externalId: null,
      at,
      identifiers: [{ kind: 'external_userid' as const, value: externalUserId }],
      relations: [relation],
    }
    await resolve(members, tx, [row], { lane: 'live', source: SOURCE, at: now })
    await heard(tx, SOURCE, now)
  })
  return true
}
