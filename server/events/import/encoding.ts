/**
 * Which of UTF-8, GB18030 and UTF-16 a text file is written in.
 *
 * A byte order mark decides. Otherwise the first `ENOUGH` bytes that are not ASCII are tried as UTF-8: Chinese text in
 * GB18030 breaks UTF-8 at nearly every character, a UTF-8 file with a damaged spot only there.
 */
import { isAscii } from 'node:buffer'
import type { FileFormat } from '../../../contract/import.ts'
import type { ByteSource } from './source.ts'

export type Encoding = FileFormat['encoding']

const ENOUGH = 256 * 1024

/** Reads as far as it needs; a file of pure ASCII is read to its end and called UTF-8. */
export async function detectEncoding(source: ByteSource): Promise<Encoding> {
  const telling: Buffer[] = []
  let length = 0
  let first = true
  for await (const piece of source.pieces) {
    if (first) {
      const marked = byteOrderMark(piece)
      if (marked) return marked
      first = false
    }
    if (isAscii(piece)) continue
    telling.push(piece)
    length += piece.length
    if (length >= ENOUGH) break
  }
  return guess(telling)
}

function byteOrderMark(head: Buffer): Encoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return undefined
}

function guess(pieces: readonly Buffer[]): Encoding {
  let broken = 0
  let wide = 0
  for (const piece of pieces) {
    for (const character of new TextDecoder('utf-8').decode(piece)) {
      if (character === '\uFFFD') broken += 1
      else if (character > '\u007f') wide += 1
    }
  }
  return broken * 4 > wide ? 'gb18030' : 'utf-8'
}
