/** Opening what is sealed of one profile. Apart from secret.ts, so that a thread that only opens values loads little. */
import type { FieldCipher } from '../platform/crypto/field-cipher.ts'

/** Personal values by the digest that stands for them elsewhere. */
export type Secret = Readonly<Record<string, string>>

export type Sealed = { id: number; dataKey: Buffer; secret: Buffer }

/** What is sealed of each. Throws `Unreadable` where the master key is another one. */
export function openSecretsOf(cipher: FieldCipher, sealed: readonly Sealed[]): Secret[] {
  const contexts = sealed.map(({ id }) => contextOf(id))
  const keys = cipher.unwrapAll(
    sealed.map(({ dataKey }) => dataKey),
    contexts,
  )
  return sealed.map(({ secret }, index) => {
    const key = keys[index]
    if (!key) throw new Error('a key of a secret is missing')
    return JSON.parse(cipher.open(key, secret, contexts[index] ?? '')) as Secret
  })
}

/** Whose value it is: authenticated with it. */
export function contextOf(profileId: number): string {
  return `profile:${profileId}`
}
