/**
 * Buyers whom this run has looked up already: a shop's buyers come back in every chunk, and what a row says of them is
 * nothing new the second time. A profile is for ever; the person it belongs to now is asked for again (profile-home.ts).
 *
 * Always true: memory is bounded. A place stands for four buyers; where a fifth falls into it, one is forgotten, and is
 * looked up again when it comes back.
 */
import { hash } from 'node:crypto'
import type { Tx } from '../../platform/postgres/database.ts'
import { homesOf } from '../profile-home.ts'

export type Buyer = { profileId: number; personId: number }

const PLACES = 2 ** 17
const ROOM = 4
/** Three numbers stand for what a row says of its buyer (96 bits of SHA-256), then its profile and its person. */
const WIDTH = 5

export class BuyerBook {
  readonly #known = new Int32Array(PLACES * ROOM * WIDTH)
  #turn = 0

  /** Those of `keys` that are known, with the persons of now. */
  async find(tx: Tx, keys: Iterable<string>): Promise<Map<string, Buyer>> {
    const found = new Map<string, Buyer>()
    for (const key of keys) {
      const buyer = this.#get(key)
      if (buyer) found.set(key, buyer)
    }
    if (found.size === 0) return found
    const homes = await homesOf(tx, [...new Set([...found.values()].map((buyer) => buyer.profileId))])
    for (const [key, buyer] of homes.size === 0 ? [] : found) {
      const home = homes.get(buyer.profileId)
      if (home) found.set(key, { profileId: buyer.profileId, personId: home.personId })
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
