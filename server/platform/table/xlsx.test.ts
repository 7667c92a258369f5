import { SaxesParser } from 'saxes'
import { expect, test } from 'vitest'
import yauzl from 'yauzl'
import { fc } from '../../../test/support/fast-check.ts'
import type { Cell } from './csv.ts'
import { type SheetColumn, serialOf, XlsxWriter } from './xlsx.ts'

const columns: SheetColumn[] = [
  { heading: '姓名', shows: 'text' },
  { heading: '金额', shows: 'money' },
  { heading: '入会', shows: 'minute' },
]

type Opened = { parts: Map<string, string>; names: string[] }

async function written(rows: readonly (readonly Cell[])[], maxRows?: number): Promise<Opened> {
  const pieces: Buffer[] = []
  const book = new XlsxWriter((bytes) => void pieces.push(Buffer.from(bytes)), columns, {
    name: '沉睡会员 [a/b]',
    ...(maxRows === undefined ? {} : { maxRows }),
  })
  for (const row of rows) await book.row(row)
  await book.close()
  return unzipped(Buffer.concat(pieces))
}

/** By another library than the one that wrote it; it checks sizes and checksums. */
function unzipped(bytes: Buffer): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const parts = new Map<string, string>()
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error)
      zip.on('error', reject)
      zip.on('end', () => resolve({ parts, names: [...parts.keys()] }))
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (failed, stream) => {
          if (failed) return reject(failed)
          const read: Buffer[] = []
          stream.on('data', (piece: Buffer) => read.push(piece))
          stream.on('error', reject)
          stream.on('end', () => {
            parts.set(entry.fileName, Buffer.concat(read).toString())
            zip.readEntry()
          })
        })
      })
      zip.readEntry()
    })
  })
}

/** The cells of a sheet by place, texts as texts and numbers as numbers; the parser refuses what is not well formed. */
function cellsOf(xml: string): Map<string, string | number> {
  const cells = new Map<string, string | number>()
  const parser = new SaxesParser()
  let place = ''
  let text = ''
  let isText = false
  parser.on('opentag', ({ name, attributes }) => {
    if (name !== 'c') return
    place = String(attributes['r'])
    isText = attributes['t'] === 'inlineStr'
    text = ''
  })
  parser.on('text', (more) => {
    text += more
  })
  parser.on('closetag', ({ name }) => {
    if (name === 'c') cells.set(place, isText ? text : Number(text))
  })
  parser.write(xml).close()
  return cells
}

test('a full sheet is followed by another with the same heading, and the workbook names them all', async () => {
  const rows = Array.from({ length: 7 }, (_, index): Cell[] => [
    `会员${index}`,
    index / 100,
    '2026-03-01 10:30',
  ])
  const { parts, names } = await written(rows, 4)
  expect(names.filter((name) => name.startsWith('xl/worksheets/'))).toEqual([
    'xl/worksheets/sheet1.xml',
    'xl/worksheets/sheet2.xml',
    'xl/worksheets/sheet3.xml',
  ])
  const sheets = [1, 2, 3].map((number) => cellsOf(parts.get(`xl/worksheets/sheet${number}.xml`) ?? ''))
  for (const sheet of sheets) expect([sheet.get('A1'), sheet.get('B1')]).toEqual(['姓名', '金额'])
  expect(sheets.map((sheet) => [...sheet.keys()].filter((place) => place.startsWith('A')).length)).toEqual([
    4, 4, 2,
  ])
  expect(sheets[2]?.get('A2')).toBe('会员6')
  expect(sheets[0]?.get('C2')).toBe(46082.4375)
  const titles = [...(parts.get('xl/workbook.xml') ?? '').matchAll(/<sheet name="([^"]+)"/g)].map(
    ([, name]) => name,
  )
  expect(titles).toEqual(['沉睡会员  a b', '沉睡会员  a b 2', '沉睡会员  a b 3'])
  for (const name of ['[Content_Types].xml', '_rels/.rels', 'xl/_rels/workbook.xml.rels', 'xl/styles.xml'])
    new SaxesParser().write(parts.get(name) ?? '').close()
})

test('an export of nobody is a workbook with its heading', async () => {
  const { parts } = await written([])
  expect([...cellsOf(parts.get('xl/worksheets/sheet1.xml') ?? '').values()]).toEqual(['姓名', '金额', '入会'])
})

test('whatever stands in a text comes back as text, but for signs that XML cannot hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), { minLength: 1 }),
      async (texts) => {
        const { parts } = await written(texts.map((text) => [text, null, null]))
        const cells = cellsOf(parts.get('xl/worksheets/sheet1.xml') ?? '')
        texts.forEach((text, index) => {
          const kept = text.replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '').replace(/\r\n?/g, '\n')
          expect(cells.get(`A${index + 2}`) ?? '').toBe(kept.replace(/\p{Cs}/gu, '\ufffd'))
        })
      },
    ),
    { numRuns: 50 },
  )
})

test('what would be a formula is a text, and 𠮷 and <script> are too', async () => {
  const { parts } = await written([
    ['=1+1', -2.5, 'no date'],
    ['𠮷野', 1, '1899-01-01'],
    ['<script>', 0, '2026-13-01'],
  ])
  const xml = parts.get('xl/worksheets/sheet1.xml') ?? ''
  expect(xml).not.toContain('<f>')
  const cells = cellsOf(xml)
  expect([cells.get('A2'), cells.get('B2'), cells.get('C2')]).toEqual(['=1+1', -2.5, 'no date'])
  expect([cells.get('A3'), cells.get('C3'), cells.get('A4')]).toEqual(['𠮷野', '1899-01-01', '<script>'])
})

test('days are numbered as spreadsheets do', () => {
  expect(serialOf('1900-03-01')).toBe(61)
  expect(serialOf('2026-11-22')).toBe(46348)
  expect(serialOf('2026-11-22 12:00')).toBe(46348.5)
  for (const text of ['0000-05-01', '1900-02-28', '2026-02-30', '2026-13-01'])
    expect(serialOf(text)).toBeUndefined()
})
