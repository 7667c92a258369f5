/** The ports of reach over a test database. Apart from reach.ts, so that a worker process starts fast. */
import { mobileNumbers, reachables, reachDigest } from '../../server/members/recipients.ts'
import { type Keyring, openKeyring } from '../../server/platform/crypto/master-key.ts'
import type { AskAPerson, People, Request } from '../../server/reach/reach.ts'

/** 10:00 in China, outside the quiet hours. */
export const TEN = new Date('2026-03-02T02:00:00Z')

export function testKeys(): Keyring {
  return openKeyring(Buffer.alloc(32, 9))
}

export function peopleOf(keys: Keyring): People {
  return {
    recipients: (db, ids) => reachables(db, keys, ids),
    phones: (db, ids) => mobileNumbers(db, keys, ids),
    digest: (channel, value) => reachDigest(keys, channel, value),
  }
}

/** A guide's list of requests, as tasks would keep it. */
export function noteRequests(): AskAPerson & { asked: Request[]; settled: string[] } {
  const asked: Request[] = []
  const settled: string[] = []
  return {
    asked,
    settled,
    ask: async (_tx, requests) => void asked.push(...requests),
    settle: async (_tx, ids, how) => void settled.push(...ids.map((id) => `${how} ${id}`)),
  }
}
