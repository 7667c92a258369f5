/**
 * Which keys were met, in two numbers a key: 63 bits of its digest, so that of a million keys two fall together in one
 * of 18 million runs. Grows by doubling; nothing is ever taken out.
 */
import { hash } from 'node:crypto'

const SMALLEST = 1 << 10
const FULL = 0.6

export class KeySet {
  #words = new Int32Array(SMALLEST * 2)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(key: string): boolean {
    const [high, low] = digestOf(key)
    const at = this.#place(this.#words, high, low)
    return this.#words[at] === high && this.#words[at + 1] === low
  }

  /** True when it was not there. */
  add(key: string): boolean {
    const [high, low] = digestOf(key)
    const at = this.#place(this.#words, high, low)
    if (this.#words[at] === high && this.#words[at + 1] === low) return false
    this.#words[at] = high
    this.#words[at + 1] = low
    this.#size += 1
    if (this.#size > (this.#words.length / 2) * FULL) this.#grow()
    return true
  }

  /** Where the digest stands, or the first free place after where it should. */
  #place(words: Int32Array, high: number, low: number): number {
    const last = words.length - 2
    let at = (low * 2) & last
    while ((words[at] !== 0 || words[at + 1] !== 0) && (words[at] !== high || words[at + 1] !== low))
      at = (at + 2) & last
    return at
  }

  #grow(): void {
    const larger = new Int32Array(this.#words.length * 2)
    for (let from = 0; from < this.#words.length; from += 2) {
      const [high = 0, low = 0] = [this.#words[from], this.#words[from + 1]]
      if (high === 0 && low === 0) continue
      const at = this.#place(larger, high, low)
      larger[at] = high
      larger[at + 1] = low
    }
    this.#words = larger
  }
}

/** Never twice nought: that is a free place. */
function digestOf(key: string): [high: number, low: number] {
  const bytes = hash('sha256', key, 'buffer')
  return [bytes.readInt32LE(0) | 1, bytes.readInt32LE(4)]
}
