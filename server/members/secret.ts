/** The sealed part of a profile: personal values by the digest that stands for them elsewhere. */
import type { KeyObject } from 'node:crypto'
import type { Keyring } from '../platform/crypto/master-key.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { contextOf, openSecretsOf, type Secret } from './secret-value.ts'
import { putSecrets, secretsOf } from './store.ts'

/** A new profile's data key (wrapped) and sealed values, as hex. */
export function sealNew(
  { cipher }: Keyring,
  profileId: number,
  secret: Secret,
): { dataKey: string; secret: string } {
  const context = contextOf(profileId)
  const { key, wrapped } = cipher.newKey(context)
  return {
    dataKey: wrapped.toString('hex'),
    secret: cipher.seal(key, JSON.stringify(secret), context).toString('hex'),
  }
}

/** The values of these profiles; an erased one has none. Throws `Unreadable` where the master key is another one. */
export async function openSecrets(
  db: Db,
  keys: Keyring,
  profiles: readonly number[],
): Promise<Map<number, Secret>> {
  const rows = profiles.length === 0 ? [] : await secretsOf(db, profiles)
  const secrets = openSecretsOf(keys.cipher, rows)
  return new Map(rows.map(({ id }, index) => [id, secrets[index] ?? {}]))
}

/** The sealed values with more of them, as hex by profile. Erased profiles are left out: nothing is written for them. */
export async function sealMore(
  db: Db,
  keys: Keyring,
  more: ReadonlyMap<number, Secret>,
): Promise<Map<number, string>> {
  const rows = more.size === 0 ? [] : await secretsOf(db, [...more.keys()])
  const sealed = new Map<number, string>()
  for (const { id, dataKey, secret } of rows) {
    const context = contextOf(id)
    const key = keys.cipher.unwrap(dataKey, context)
    const known = JSON.parse(keys.cipher.open(key, secret, context)) as Secret
    const news = Object.entries(more.get(id) ?? {}).filter(([digest]) => known[digest] === undefined)
    if (news.length === 0) continue
    const values = { ...known, ...Object.fromEntries(news) }
    sealed.set(id, cipherText(keys, key, values, context))
  }
  return sealed
}

/** Takes values, by the digests that stand for them, out of what is sealed of these profiles. */
export async function unsealSome(
  tx: Tx,
  keys: Keyring,
  gone: readonly { profileId: number; digest: string }[],
): Promise<void> {
  const byProfile = Map.groupBy(gone, ({ profileId }) => profileId)
  const rows = byProfile.size === 0 ? [] : await secretsOf(tx, [...byProfile.keys()])
  const left = rows.map(({ id, dataKey, secret }) => {
    const context = contextOf(id)
    const key = keys.cipher.unwrap(dataKey, context)
    const values: Record<string, string> = JSON.parse(keys.cipher.open(key, secret, context))
    for (const { digest } of byProfile.get(id) ?? []) delete values[digest]
    return { id, secret: cipherText(keys, key, values, context) }
  })
  await putSecrets(tx, left)
}

function cipherText({ cipher }: Keyring, key: KeyObject, values: Secret, context: string): string {
  return cipher.seal(key, JSON.stringify(values), context).toString('hex')
}
