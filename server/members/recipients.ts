/** How people can be reached: consents, mobile numbers, staff whom they follow. For whoever decides about sending and sends. */
import type { Keyring } from '../platform/crypto/master-key.ts'
import type { Db } from '../platform/postgres/database.ts'
import { normaliseIdentifier } from './normalise.ts'
import { openSecrets } from './secret.ts'
import { contactsOf, mobilesOf, reachablesOf } from './store-recipients.ts'

export type StandingContact = {
  staffId: string
  wecomUserId: string | null
  externalUserId: string
  owner: boolean
  addedAt: Date
}

export type Reachable = {
  personId: number
  demo: boolean
  /** By channel; what is not there is unknown. */
  consents: Record<string, 'granted' | 'withdrawn'>
  /** Has a valid mobile number that is not known to be blocked. */
  sms: boolean
  contacts: StandingContact[]
  /** Keyed hashes (hex) of the mobile numbers and of the external user ids. */
  digests: { sms: string[]; wecom: string[] }
}

/** Live persons only: those absorbed, removed or erased are left out. Three statements, whatever the number of persons. */
export async function reachables(
  db: Db,
  { index }: Keyring,
  personIds: readonly number[],
): Promise<Reachable[]> {
  if (personIds.length === 0) return []
  const persons = await reachablesOf(db, personIds)
  const contacts = Map.groupBy(await contactsOf(db, personIds), (one) => one.personId)
  const mobiles = Map.groupBy(await mobilesOf(db, personIds), (one) => one.personId)
  return persons.map(({ phone, contactResults, ownerStaffId, ...person }) => {
    const own = (contacts.get(person.personId) ?? []).map(({ personId: _, ...contact }) => ({
      ...contact,
      owner: contact.staffId === ownerStaffId,
    }))
    return {
      ...person,
      sms: phone === 'mobile' && contactResults['sms'] !== 'blocked',
      contacts: own,
      digests: {
        sms: (mobiles.get(person.personId) ?? []).map((one) => one.digest),
        wecom: own.map((one) => contactDigest(index, one.externalUserId)),
      },
    }
  })
}

/** The latest valid mobile number of each person, in clear: for handing over only, never logged, never stored. */
export async function mobileNumbers(
  db: Db,
  keys: Keyring,
  personIds: readonly number[],
): Promise<Map<number, string>> {
  const latest = new Map<number, { profileId: number; digest: string }>()
  for (const row of await mobilesOf(db, personIds))
    if (!latest.has(row.personId)) latest.set(row.personId, row)
  const secrets = await openSecrets(db, keys, [...new Set([...latest.values()].map((one) => one.profileId))])
  const numbers = new Map<number, string>()
  for (const [personId, { profileId, digest }] of latest) {
    const number = secrets.get(profileId)?.[digest]
    if (number !== undefined) numbers.set(personId, number)
  }
  return numbers
}

/** By which `Reachable.digests` knows a mobile number or an external user id. */
export function reachDigest({ index }: Keyring, channel: 'sms' | 'wecom', value: string): Buffer {
  if (channel === 'wecom') return Buffer.from(contactDigest(index, value), 'hex')
  return index.digest('phone', '', normaliseIdentifier('phone', value)?.value ?? value)
}

function contactDigest(index: Keyring['index'], externalUserId: string): string {
  return index.digest('contact', externalUserId).toString('hex')
}
