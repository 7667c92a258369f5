/** Writes XLSX files of any size with flat memory: a ZIP writer over zlib and the few parts a workbook needs. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { constants, crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib'

export type XlsxCell =
  | { text: string }
  | { shared: number }
  | { number: number; style?: number }
  | { error: string }
  | null

export type XlsxOptions = {
  rows: Iterable<readonly XlsxCell[]>
  /** Shared strings in order; asked for after the rows. */
  strings?: () => Iterable<string>
  from1904?: boolean
  /** numFmt codes of styles 1, 2, … ; numbers are built-in ids. */
  formats?: readonly (string | number)[]
  /** 1 (fast, the default) … 9. */
  level?: number
}

type Part = { name: string; crc: number; packed: number; size: number; offset: number }

export async function writeXlsx(path: string, options: XlsxOptions): Promise<void> {
  const zip = new ZipWriter(path, options.level ?? constants.Z_BEST_SPEED)
  await zip.add('[Content_Types].xml', [
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
  ])
  await zip.add('xl/workbook.xml', [
    `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="${options.from1904 ? 1 : 0}"/><sheets><sheet name="数据" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  ])
  await zip.add('xl/_rels/workbook.xml.rels', [
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
  ])
  await zip.add('xl/styles.xml', [stylesXml(options.formats ?? [])])
  await zip.add('xl/worksheets/sheet1.xml', sheetXml(options.rows))
  await zip.add('xl/sharedStrings.xml', stringsXml(options.strings?.() ?? []))
  zip.close()
}

/** A shared-strings table while rows are made. */
export class StringTable {
  readonly #places = new Map<string, number>()

  cell(text: string): XlsxCell {
    const place = this.#places.get(text) ?? this.#places.size
    this.#places.set(text, place)
    return { shared: place }
  }

  values(): Iterable<string> {
    return this.#places.keys()
  }
}

function stylesXml(formats: readonly (string | number)[]): string {
  const custom = formats.flatMap((format, index) =>
    typeof format === 'string'
      ? [`<numFmt numFmtId="${164 + index}" formatCode="${escapeXml(format)}"/>`]
      : [],
  )
  const styles = formats.map(
    (format, index) => `<xf numFmtId="${typeof format === 'string' ? 164 + index : format}"/>`,
  )
  return `<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>${custom.join('')}</numFmts><cellXfs><xf numFmtId="0"/>${styles.join('')}</cellXfs></styleSheet>`
}

function* sheetXml(rows: Iterable<readonly XlsxCell[]>): Generator<string> {
  yield '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
  let number = 0
  for (const cells of rows) {
    number += 1
    let row = `<row r="${number}">`
    cells.forEach((cell, column) => {
      row += cellXml(cell, `${String.fromCharCode(65 + column)}${number}`)
    })
    yield `${row}</row>`
  }
  yield '</sheetData></worksheet>'
}

function cellXml(cell: XlsxCell, reference: string): string {
  if (cell === null) return ''
  if ('shared' in cell) return `<c r="${reference}" t="s"><v>${cell.shared}</v></c>`
  if ('text' in cell) return `<c r="${reference}" t="inlineStr"><is><t>${escapeXml(cell.text)}</t></is></c>`
  if ('error' in cell) return `<c r="${reference}" t="e"><v>${cell.error}</v></c>`
  return `<c r="${reference}"${cell.style ? ` s="${cell.style}"` : ''}><v>${cell.number}</v></c>`
}

function* stringsXml(strings: Iterable<string>): Generator<string> {
  yield '<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
  for (const text of strings) yield `<si><t xml:space="preserve">${escapeXml(text)}</t></si>`
  yield '</sst>'
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

class ZipWriter {
  readonly #file: number
  readonly #level: number
  readonly #parts: Part[] = []
  #offset = 0

  constructor(path: string, level: number) {
    this.#level = level
    this.#file = openSync(path, 'w')
  }

  async add(name: string, texts: Iterable<string>): Promise<void> {
    const part: Part = { name, crc: 0, packed: 0, size: 0, offset: this.#offset }
    this.#write(header(0x04034b50, part, 0x0808))
    const deflate = createDeflateRaw({ level: this.#level, chunkSize: 256 * 1024 })
    const written = (async () => {
      for await (const piece of deflate) {
        this.#write(piece as Buffer)
        part.packed += (piece as Buffer).length
      }
    })()
    await feed(deflate, texts, part)
    await written
    const end = Buffer.alloc(16)
    end.writeUInt32LE(0x08074b50, 0)
    end.writeUInt32LE(part.crc, 4)
    end.writeUInt32LE(part.packed, 8)
    end.writeUInt32LE(part.size, 12)
    this.#write(end)
    this.#parts.push(part)
  }

  close(): void {
    const start = this.#offset
    for (const part of this.#parts) {
      const entry = header(0x02014b50, part, 0x0808)
      this.#write(entry)
    }
    const end = Buffer.alloc(22)
    end.writeUInt32LE(0x06054b50, 0)
    end.writeUInt16LE(this.#parts.length, 8)
    end.writeUInt16LE(this.#parts.length, 10)
    end.writeUInt32LE(this.#offset - start, 12)
    end.writeUInt32LE(start, 16)
    this.#write(end)
    closeSync(this.#file)
  }

  #write(bytes: Buffer): void {
    writeSync(this.#file, bytes)
    this.#offset += bytes.length
  }
}

async function feed(deflate: DeflateRaw, texts: Iterable<string>, part: Part): Promise<void> {
  let batch = ''
  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(batch)
    batch = ''
    part.crc = crc32(bytes, part.crc)
    part.size += bytes.length
    if (!deflate.write(bytes)) await new Promise((resolve) => deflate.once('drain', resolve))
  }
  for (const text of texts) {
    batch += text
    if (batch.length > 512 * 1024) await flush()
  }
  await flush()
  deflate.end()
}

/** A local header (sizes follow the data) or an entry of the central directory. */
function header(signature: number, part: Part, flags: number): Buffer {
  const name = Buffer.from(part.name)
  const central = signature === 0x02014b50
  const bytes = Buffer.alloc((central ? 46 : 30) + name.length)
  let at = bytes.writeUInt32LE(signature, 0)
  if (central) at = bytes.writeUInt16LE(20, at)
  at = bytes.writeUInt16LE(20, at)
  at = bytes.writeUInt16LE(flags, at)
  at = bytes.writeUInt16LE(8, at)
  at = bytes.writeUInt32LE(0x5a210000, at)
  at = bytes.writeUInt32LE(central ? part.crc : 0, at)
  at = bytes.writeUInt32LE(central ? part.packed : 0, at)
  at = bytes.writeUInt32LE(central ? part.size : 0, at)
  at = bytes.writeUInt16LE(name.length, at)
  if (central) bytes.writeUInt32LE(part.offset, 42)
  name.copy(bytes, central ? 46 : 30)
  return bytes
}
