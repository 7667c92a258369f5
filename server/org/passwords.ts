import { randomInt } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { MIN_PASSWORD } from '../../contract/session.ts'
import { Problem } from '../platform/problem.ts'

/** OWASP's first choice for argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane; about 30 ms. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** Without what is mistaken for something else when read aloud or from paper. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const ONE_TIME_LENGTH = 16
const COMMON = [
  'password',
  'passw0rd',
  'qwertyuiop',
  '1234567890',
  'liuliang',
  'iloveyou',
  'woaini',
  '0123456789',
  'admin',
]

export function hashPassword(password: string): Promise<string> {
  return hash(password, COST)
}

let decoy: Promise<string> | undefined

/** False without a hash too, after the same work: whether an account exists cannot be told from the time. */
export async function matchesPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword('nobody has this password')
  const matches = await verify(stored ?? (await decoy), password)
  return matches && typeof stored === 'string'
}

/** 16 signs of 56: 92 bits. */
export function oneTimePassword(): string {
  return Array.from({ length: ONE_TIME_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}

/** Errors: `bad_input` for a password that guessing tries first. */
export function refuseWeak(password: string, login: string): void {
  const plain = password.toLowerCase()
  const weak =
    password.length < MIN_PASSWORD ||
    new Set(plain).size < 5 ||
    plain.includes(login.toLowerCase()) ||
    COMMON.some((word) => plain.replace(word, '').length < 4)
  if (weak) {
    throw new Problem('bad_input', `Choose at least ${MIN_PASSWORD} characters that nobody guesses.`, {
      field: 'newPassword',
    })
  }
}
