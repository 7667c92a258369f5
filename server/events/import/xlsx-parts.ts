/** The parts of a workbook: its ZIP entries, held to their declared sizes, and two ways of going through their XML. */
import { SaxesParser } from 'saxes'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { Problem } from '../../platform/problem.ts'
import { MAX_RATIO } from './source.ts'
import { type ScanHandler, XmlScanner } from './xml-scan.ts'

const MAX_ENTRIES = 10_000
const RATIO_FREE_BYTES = 64 * 1024 * 1024
const MAX_UNPACKED = 32 * 1024 ** 3

export type Attributes = Record<string, string>

export function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(damaged())
      else resolve(zip)
    })
  })
}

export function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) return Promise.reject(damaged())
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>()
    let unpacked = 0
    zip.on('entry', (entry: Entry) => {
      unpacked += entry.uncompressedSize
      const free = Math.max(RATIO_FREE_BYTES, entry.compressedSize * MAX_RATIO)
      if (entry.uncompressedSize > free || unpacked > MAX_UNPACKED) {
        reject(
          new Problem('unsupported_file', `The workbook unpacks to more than ${MAX_RATIO} times its size.`),
        )
        return
      }
      entries.set(entry.fileName.replaceAll('\\', '/'), entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve(entries))
    zip.on('error', () => reject(damaged()))
    zip.readEntry()
  })
}

export type XmlHandler = {
  open(name: string, attributes: Attributes): void
  close?(name: string): void
}

/** A small part of the workbook. */
export async function parse(zip: ZipFile, entry: Entry | undefined, handler: XmlHandler): Promise<void> {
  if (!entry) return
  const parser = new SaxesParser({ xmlns: false, position: false })
  const decoder = new TextDecoder('utf-8')
  parser.on('opentag', (tag) => handler.open(local(tag.name), tag.attributes))
  parser.on('closetag', (tag) => handler.close?.(local(tag.name)))
  for await (const piece of entryPieces(zip, entry)) {
    orDamaged(() => parser.write(decoder.decode(piece, { stream: true })))
  }
  orDamaged(() => parser.write(decoder.decode()).close())
}

function local(name: string): string {
  const colon = name.indexOf(':')
  return colon === -1 ? name : name.slice(colon + 1)
}

/** A large part of the workbook; `enough` ends it early. */
export async function scan(
  zip: ZipFile,
  entry: Entry | undefined,
  handler: ScanHandler,
  progress: { bytes: number },
  enough: () => boolean = () => false,
): Promise<void> {
  if (!entry) return
  for await (const _ of scanning(zip, entry, handler, progress)) if (enough()) return
}

/** Yields after each piece that was scanned. */
export async function* scanning(
  zip: ZipFile,
  entry: Entry,
  handler: ScanHandler,
  progress: { bytes: number },
): AsyncGenerator<void> {
  const scanner = new XmlScanner(handler)
  const decoder = new TextDecoder('utf-8')
  for await (const piece of entryPieces(zip, entry)) {
    progress.bytes += piece.length
    orDamaged(() => scanner.write(decoder.decode(piece, { stream: true })))
    yield
  }
  orDamaged(() => scanner.end())
}

function orDamaged(step: () => void): void {
  try {
    step()
  } catch (error) {
    throw error instanceof Problem ? error : damaged()
  }
}

async function* entryPieces(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  if ((entry.generalPurposeBitFlag & 1) === 1) {
    throw new Problem('unsupported_file', 'The workbook is protected by a password: save it without one.')
  }
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(damaged()) : resolve(opened)))
  })
  try {
    for await (const piece of stream) yield piece as Buffer
  } catch (error) {
    throw error instanceof Problem ? error : damaged()
  }
}

function damaged(): Problem {
  return new Problem(
    'unsupported_file',
    'The workbook is damaged or not complete: save it again and upload that.',
  )
}
