/** Opening what is sealed of one profile. Apart from secret.ts, so that a thread that only opens values loads little. */
import type { FieldCipher } from '../platform/crypto/field-cipher.ts'

/** Personal values by the digest that stands for them elsewhere. */
export type Secret = Readonly<Record<string, string>>

export type Sealed = { id: number; dataKey: Buffer; secret: Buffer }

/** What is sealed of each. Throws `Unreadable` where the master key is another one. */
export function openSecretsOf(cipher: FieldCipher, sealed: readonly Sealed[]): Secret[] {
  return sealed.map(({ id, dataKey, secret }) => {
    const context = contextOf(id)
    return JSON.parse(cipher.open(cipher.unwrap(dataKey, context), secret, context)) as Secret
  })
}

/** Whose value it is: authenticated with it. */
export function contextOf(profileId: number): string {
  return `profile:${profileId}`
}
