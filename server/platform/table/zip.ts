/**
 * A ZIP archive written from front to back (APPNOTE.TXT 6.3.10): each part is deflated as it comes and its sizes follow
 * it (general purpose bit 3), so that nothing is held but the list of the parts.
 *
 * Bounds: no ZIP64, so the archive and each part stay below 4 GiB; beyond that `ArchiveTooLarge`.
 */
import { once } from 'node:events'
import { constants, crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib'

/** Takes bytes in order; the promise says when more may come. */
export type Sink = (bytes: Buffer) => Promise<void> | void

/** 4 GiB are full. */
export class ArchiveTooLarge extends Error {
  override name = 'ArchiveTooLarge'
}

const MOST_BYTES = 0xffff_ffff
const LOCAL_HEADER = 0x0403_4b50
const DESCRIPTOR = 0x0807_4b50
const CENTRAL_HEADER = 0x0201_4b50
const END = 0x0605_4b50
const VERSION = 20
/** Sizes follow the data; names are UTF-8. */
const FLAGS = 0x0808
const DEFLATED = 8
/** 1980-01-01, the first day that the format knows: equal rows give equal bytes. */
const FIRST_DAY = 0x21

type Part = { name: Buffer; crc: number; packed: number; size: number; offset: number }

export class ZipWriter {
  readonly #sink: Sink
  readonly #parts: Part[] = []
  #offset = 0
  #open: { part: Part; deflate: DeflateRaw; packing: Promise<void> } | undefined

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Begins a part; the one before must have ended. */
  async begin(name: string): Promise<void> {
    const part = { name: Buffer.from(name), crc: 0, packed: 0, size: 0, offset: this.#offset }
    const head = Buffer.alloc(30)
    head.writeUInt32LE(LOCAL_HEADER, 0)
    head.writeUInt16LE(VERSION, 4)
    head.writeUInt16LE(FLAGS, 6)
    head.writeUInt16LE(DEFLATED, 8)
    head.writeUInt16LE(FIRST_DAY, 12)
    head.writeUInt16LE(part.name.length, 26)
    await this.#put(Buffer.concat([head, part.name]))
    const deflate = createDeflateRaw({ level: constants.Z_BEST_SPEED, chunkSize: 1 << 16 })
    this.#open = { part, deflate, packing: this.#pack(deflate, part) }
    this.#open.packing.catch(() => undefined)
  }

  /** Adds to the open part. Errors: `ArchiveTooLarge`. */
  async write(text: string): Promise<void> {
    if (!this.#open) throw new Error('no part of the archive is open')
    const { part, deflate, packing } = this.#open
    const bytes = Buffer.from(text)
    part.crc = crc32(bytes, part.crc)
    part.size += bytes.length
    if (part.size > MOST_BYTES) throw new ArchiveTooLarge('a part of the archive is larger than 4 GiB')
    if (!deflate.write(bytes)) await Promise.race([once(deflate, 'drain'), packing])
  }

  /** Ends the open part. */
  async end(): Promise<void> {
    if (!this.#open) return
    const { part, deflate, packing } = this.#open
    this.#open = undefined
    deflate.end()
    await packing
    const after = Buffer.alloc(16)
    after.writeUInt32LE(DESCRIPTOR, 0)
    after.writeUInt32LE(part.crc, 4)
    after.writeUInt32LE(part.packed, 8)
    after.writeUInt32LE(part.size, 12)
    await this.#put(after)
    this.#parts.push(part)
  }

  async #pack(deflate: DeflateRaw, part: Part): Promise<void> {
    for await (const bytes of deflate as AsyncIterable<Buffer>) {
      part.packed += bytes.length
      await this.#put(bytes)
    }
  }

  /** Writes the list of the parts; the archive is whole then. */
  async close(): Promise<void> {
    await this.end()
    const from = this.#offset
    for (const part of this.#parts) await this.#put(centralHeader(part))
    const last = Buffer.alloc(22)
    last.writeUInt32LE(END, 0)
    last.writeUInt16LE(this.#parts.length, 8)
    last.writeUInt16LE(this.#parts.length, 10)
    last.writeUInt32LE(this.#offset - from, 12)
    last.writeUInt32LE(from, 16)
    await this.#put(last)
  }

  async #put(bytes: Buffer): Promise<void> {
    this.#offset += bytes.length
    if (this.#offset > MOST_BYTES) throw new ArchiveTooLarge('the archive is larger than 4 GiB')
    await this.#sink(bytes)
  }
}

function centralHeader({ name, crc, packed, size, offset }: Part): Buffer {
  const head = Buffer.alloc(46)
  head.writeUInt32LE(CENTRAL_HEADER, 0)
  head.writeUInt16LE(VERSION, 4)
  head.writeUInt16LE(VERSION, 6)
  head.writeUInt16LE(FLAGS, 8)
  head.writeUInt16LE(DEFLATED, 10)
  head.writeUInt16LE(FIRST_DAY, 14)
  head.writeUInt32LE(crc, 16)
  head.writeUInt32LE(packed, 20)
  head.writeUInt32LE(size, 24)
  head.writeUInt16LE(name.length, 28)
  head.writeUInt32LE(offset, 42)
  return Buffer.concat([head, name])
}
