/**
 * Buyers whom this run has looked up already: a shop's buyers come back in every chunk, and what a row says of them is
 * nothing new the second time. A profile is for ever; the person it belongs to now is asked for again (profile-home.ts).
 */
import { hash } from 'node:crypto'
import type { Tx } from '../../platform/postgres/database.ts'
import { homesOf } from '../profile-home.ts'

export type Buyer = { profileId: number; personId: number }

const MOST = 300_000

export class BuyerBook {
  readonly #known = new Map<string, Buyer>()

  /** Those of `keys` that are known, with the persons of now. */
  async find(tx: Tx, keys: Iterable<string>): Promise<Map<string, Buyer>> {
    const found = new Map<string, Buyer>()
    for (const key of keys) {
      const buyer = this.#known.get(short(key))
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
    for (const [key, buyer] of buyers) {
      if (this.#known.size >= MOST) {
        const oldest = this.#known.keys().next()
        if (!oldest.done) this.#known.delete(oldest.value)
      }
      this.#known.set(short(key), buyer)
    }
  }
}

/** Sixteen bytes stand for what a row says of its buyer. */
function short(key: string): string {
  return hash('sha256', key, 'binary').slice(0, 16)
}
