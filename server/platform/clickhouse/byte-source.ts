/** Pieces of bytes as they come, read as one sequence: numbers, texts, and blocks that are copied where they belong. */

/** Texts of at most so many bytes are remembered: columns repeat a few names. */
const SHORT = 48
const REMEMBERED = 1 << 12

export class ByteSource {
  readonly #pieces: AsyncIterator<Buffer>
  #piece: Buffer = Buffer.alloc(0)
  #at = 0
  /** One text for each hash of its bytes; the last one stays. */
  readonly #known: ({ bytes: Buffer; text: string } | undefined)[] = new Array(REMEMBERED)

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** Whether nothing is left. */
  async ended(): Promise<boolean> {
    return this.#at >= this.#piece.length && !(await this.#more())
  }

  async varint(): Promise<number> {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = await this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  async text(): Promise<string> {
    return (await this.#apart(await this.varint())).toString('utf8')
  }

  /** The next bytes, as many as `target` holds. */
  async into(target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      if (this.#at >= this.#piece.length) await this.#next()
      const end = Math.min(this.#piece.length, this.#at + target.length - filled)
      target.set(this.#piece.subarray(this.#at, end), filled)
      filled += end - this.#at
      this.#at = end
    }
  }

  /** So many texts, each after its length. */
  async texts(count: number): Promise<string[]> {
    const found: string[] = new Array(count)
    for (let place = 0; place < count; ) {
      place = this.#whole(found, place, count)
      if (place < count) {
        found[place] = await this.text()
        place += 1
      }
    }
    return found
  }

  /** Those that lie wholly in the present piece; answers the place of the first that does not. */
  #whole(found: string[], from: number, count: number): number {
    const piece = this.#piece
    for (let place = from; place < count; place += 1) {
      let at = this.#at
      let length = 0
      for (let factor = 1; ; factor *= 128) {
        const byte = piece[at]
        if (byte === undefined) return place
        at += 1
        length += (byte & 127) * factor
        if (byte < 128) break
      }
      if (at + length > piece.length) return place
      found[place] = length <= SHORT ? this.#short(at, length) : piece.toString('utf8', at, at + length)
      this.#at = at + length
    }
    return count
  }

  #short(at: number, length: number): string {
    if (length === 0) return ''
    const piece = this.#piece
    let hash = length
    for (let place = at; place < at + length; place += 1)
      hash = (Math.imul(hash, 31) + (piece[place] ?? 0)) | 0
    const slot = (hash ^ (hash >>> 12)) & (REMEMBERED - 1)
    const known = this.#known[slot]
    if (known !== undefined && isAt(piece, at, length, known.bytes)) return known.text
    const text = piece.toString('utf8', at, at + length)
    this.#known[slot] = { bytes: Buffer.from(piece.subarray(at, at + length)), text }
    return text
  }

  async #apart(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length)
    await this.into(bytes)
    return bytes
  }

  async #byte(): Promise<number> {
    if (this.#at >= this.#piece.length) await this.#next()
    const byte = this.#piece[this.#at] ?? 0
    this.#at += 1
    return byte
  }

  async #next(): Promise<void> {
    if (!(await this.#more())) throw new Error('the answer broke off')
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return false
      if (value.length === 0) continue
      this.#piece = value
      this.#at = 0
      return true
    }
  }
}

function isAt(piece: Buffer, at: number, length: number, bytes: Buffer): boolean {
  if (bytes.length !== length) return false
  for (let place = 0; place < length; place += 1) if (piece[at + place] !== bytes[place]) return false
  return true
}
