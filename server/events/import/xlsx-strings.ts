/**
 * The shared strings of a workbook, kept in a file beside it and read through a small cache of blocks: a million rows
 * can have three million strings, which as JavaScript strings would take 300 MB of heap.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { MAX_CELL } from './row.ts'

const BLOCK = 64 * 1024
const MAX_BLOCKS = 128
const PAGE = 65_536
const WRITE = 1024 * 1024
const RECENT = 8192

export class SharedStrings {
  readonly #path: string
  readonly #file: number
  /** Where string n begins: pages of 65,536 offsets from the beginning of the page's first string. */
  readonly #offsets: Uint32Array[] = [new Uint32Array(PAGE)]
  readonly #bases: number[] = [0]
  readonly #blocks = new Map<number, Buffer>()
  readonly #recent: (string | undefined)[] = new Array(RECENT)
  readonly #recentIndex = new Int32Array(RECENT).fill(-1)
  #count = 0
  #size = 0
  #draft = Buffer.allocUnsafe(WRITE)
  #drafted = 0

  /** Creates the file, readable by its owner only; `close()` removes it. */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'w+', 0o600)
  }

  add(text: string): void {
    // Three bytes a character at most; no cell may be longer than MAX_CELL anyway.
    const kept = text.length > MAX_CELL ? text.slice(0, MAX_CELL) : text
    if (this.#drafted + kept.length * 3 > WRITE) this.#flush()
    const bytes = this.#draft.write(kept, this.#drafted)
    this.#drafted += bytes
    this.#size += bytes
    this.#count += 1
    const page = Math.floor(this.#count / PAGE)
    if (page === this.#offsets.length) {
      this.#offsets.push(new Uint32Array(PAGE))
      this.#bases.push(this.#size)
    }
    const offsets = this.#offsets[page]
    if (offsets) offsets[this.#count % PAGE] = this.#size - (this.#bases[page] ?? 0)
  }

  /** After the last `add`. */
  seal(): void {
    this.#flush()
    this.#draft = Buffer.alloc(0)
  }

  get count(): number {
    return this.#count
  }

  /** String n from 0; undefined where the workbook has fewer. */
  get(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined
    const slot = index % RECENT
    if (this.#recentIndex[slot] === index) return this.#recent[slot]
    const from = this.#offset(index)
    const end = this.#offset(index + 1)
    const text = this.#read(from, end)
    this.#recentIndex[slot] = index
    this.#recent[slot] = text
    return text
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#path, { force: true })
  }

  #offset(index: number): number {
    const page = Math.floor(index / PAGE)
    return (this.#bases[page] ?? 0) + (this.#offsets[page]?.[index % PAGE] ?? 0)
  }

  #read(from: number, end: number): string {
    const first = Math.floor(from / BLOCK)
    const last = Math.floor(Math.max(from, end - 1) / BLOCK)
    if (first === last) return this.#block(first).toString('utf8', from - first * BLOCK, end - first * BLOCK)
    const parts: Buffer[] = []
    for (let block = first; block <= last; block += 1) {
      const start = block * BLOCK
      parts.push(this.#block(block).subarray(Math.max(0, from - start), Math.min(BLOCK, end - start)))
    }
    return Buffer.concat(parts).toString('utf8')
  }

  #block(number: number): Buffer {
    const known = this.#blocks.get(number)
    if (known) return known
    const block = Buffer.allocUnsafeSlow(BLOCK)
    const length = readSync(this.#file, block, 0, BLOCK, number * BLOCK)
    const oldest = this.#blocks.size >= MAX_BLOCKS ? this.#blocks.keys().next().value : undefined
    if (oldest !== undefined) this.#blocks.delete(oldest)
    const read = block.subarray(0, length)
    this.#blocks.set(number, read)
    return read
  }

  #flush(): void {
    if (this.#drafted > 0) writeSync(this.#file, this.#draft, 0, this.#drafted)
    this.#drafted = 0
  }
}
