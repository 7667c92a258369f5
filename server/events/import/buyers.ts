/**
 * Buyers whom this run has looked up already: a shop's buyers come back in every chunk, and what a row says of them is
 * nothing new the second time. Whether the profile is still there, and to which person it belongs now, is asked again.
 *
 * Always true: memory is bounded. A place stands for four buyers; where a fifth falls into it, one is forgotten, and is
 * looked up again when it comes back.
 */
import { hash } from 'node:crypto'
import type { Tx } from '../../platform/postgres/database.ts'
import { homesOf } from '../profile-home.ts'
import type { ProfilesThere } from './ports.ts'

export type Buyer = { profileId: number; personId: number }

const PLACES = 2 ** 17
const ROOM = 4
/** Three numbers stand for what a row says of its buyer (96 bits of SHA-256), then its profile and its person. */
const WIDTH = 5

export class BuyerBook {
  readonly #known = new Int32Array(PLACES * ROOM * WIDTH)
  readonly #there: ProfilesThere
  #turn = 0

  constructor(there: ProfilesThere) {
    this.#there = there
  }

  /** Those of `keys` that are known, with the persons of now; not those who were erased meanwhile. */
  async find(tx: Tx, keys: Iterable<string>): Promise<Map<string, Buyer>> {
    const found = new Map<string, Buyer>()
    for (const key of keys) {
      const buyer = this.#get(key)
      if (buyer) found.set(key, buyer)
    }
    if (found.size === 0) return found
    const profiles = [...new Set([...found.values()].map((buyer) => buyer.profileId))]
    const [there, homes] = [await this.#there(tx, profiles), await homesOf(tx, profiles)]
    for (const [key, { profileId }] of found) {
      const home = homes.get(profileId)
      if (!there.has(profileId)) found.delete(key)
      else if (home) found.set(key, { profileId, personId: home.personId })
    }
    return found
  }

  /** After the transaction that looked them up has committed. */
  learn(buyers: ReadonlyMap<string, Buyer>): void {
    for (const [key, { profileId, personId }] of buyers) {
      const digest = digestOf(key)
      const at = this.#place(digest) ?? this.#free(digest)
      this.#known.set([digest.a, digest.b, digest.c, profileId, personId], at)
    }
  }

  #get(key: string): Buyer | undefined {
    const at = this.#place(digestOf(key))
    if (at === undefined) return undefined
    return { profileId: this.#known[at + 3] ?? 0, personId: this.#known[at + 4] ?? 0 }
  }

  #place({ a, b, c, first }: Digest): number | undefined {
    const known = this.#known
    for (let at = first; at < first + ROOM * WIDTH; at += WIDTH) {
      // A profile is never 0: then nobody stands here.
      if (known[at] === a && known[at + 1] === b && known[at + 2] === c && known[at + 3] !== 0) return at
    }
    return undefined
  }

  #free({ first }: Digest): number {
    for (let at = first; at < first + ROOM * WIDTH; at += WIDTH) if (this.#known[at + 3] === 0) return at
    this.#turn = (this.#turn + 1) % ROOM
    return first + this.#turn * WIDTH
  }
}

type Digest = { a: number; b: number; c: number; first: number }

function digestOf(key: string): Digest {
  const bytes = hash('sha256', key, 'buffer')
  return {
    a: bytes.readInt32LE(0),
    b: bytes.readInt32LE(4),
    c: bytes.readInt32LE(8),
    first: (bytes.readUInt32LE(12) % PLACES) * ROOM * WIDTH,
  }
}
