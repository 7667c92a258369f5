/** Receipts of the SMS provider over HTTP. Its pushes are not signed: the address holds a key that only the provider is told. */
import { timingSafeEqual } from 'node:crypto'
import { smsReceipts } from '../../../contract/reach.ts'
import type { Call } from '../../org/org.ts'
import type { Keyring } from '../../platform/crypto/master-key.ts'
import type { Streamed } from '../../platform/http/api.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { type AskAPerson, type Channel, takeReceipts } from '../../reach/reach.ts'
import { parseReceipts, RECEIPT_TAKEN } from './receipts.ts'

export type SmsReceiving = {
  db: Database
  /** The channels that stand open now. */
  channels: () => Promise<readonly Channel[]>
  askAPerson: AskAPerson
  index: Keyring['index']
}

/** The address that is entered at the provider; without a host where nobody said by which one this is reached. */
export function receiptAddress(index: Keyring['index'], publicUrl: string | undefined): string {
  const path = `/api/callbacks/sms/${receiptKey(index)}`
  return publicUrl === undefined ? path : new URL(path, publicUrl).href
}

/** The last part of that address. */
export function receiptKey(index: Keyring['index']): string {
  return index.digest('callback', 'sms').toString('hex')
}

export function smsStreams({ db, channels, askAPerson, index }: SmsReceiving): readonly Streamed<Call>[] {
  const key = Buffer.from(receiptKey(index))
  return [
    {
      route: smsReceipts,
      async handle({ params, body, call }) {
        const given = Buffer.from(params['key'] ?? '')
        if (given.length !== key.length || !timingSafeEqual(given, key))
          throw new Problem('not_found', 'There is nothing here.')
        const receipts = parseReceipts(await readArray(body), call.now)
        await takeReceipts(db, await channels(), askAPerson, receipts, call.now)
        return RECEIPT_TAKEN
      },
    },
  ]
}

async function readArray(body: AsyncIterable<Buffer>): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(part)
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new Problem('bad_input', 'The body is not well-formed JSON.')
  }
}
