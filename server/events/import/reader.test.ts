import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { StringTable, writeXlsx } from '../../../test/support/xlsx.ts'
import { CsvSplitter } from './csv.ts'
import { openSheet, recognise } from './reader.ts'
import type { Cell, Row } from './row.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(
  name: string,
  bytes: Uint8Array | string,
): Promise<{ headings: string[]; rows: Row[]; format: object }> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return readPath(path)
}

async function readPath(path: string): Promise<{ headings: string[]; rows: Row[]; format: object }> {
  const { format } = await recognise(path)
  const sheet = await openSheet(path, format, folder)
  const rows: Row[] = []
  for await (const batch of sheet.batches) rows.push(...batch)
  sheet.close()
  return { headings: sheet.headings, rows, format }
}

/** '姓名,手机' with two members, as Excel on a Chinese Windows writes it. */
const GB18030 = Buffer.from(
  'd0d5c3fb2cCad6bbfa0a d5c5c8fd2c31333830303133383030300a c0eecbc42c31333830303133383030310a'.replaceAll(
    ' ',
    '',
  ),
  'hex',
)

describe('text files', () => {
  test('GB18030 and UTF-8 with and without a mark are recognised', async () => {
    const expected = [
      ['张三', '13800138000'],
      ['李四', '13800138001'],
    ]
    const text = '姓名,手机\n张三,13800138000\n李四,13800138001\n'
    for (const [name, bytes] of [
      ['gb.csv', GB18030],
      ['plain.csv', text],
      ['bom.csv', `\uFEFF${text}`],
      ['utf16.csv', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])],
    ] as const) {
      const { headings, rows } = await read(name, bytes)
      expect(headings, name).toEqual(['姓名', '手机'])
      expect(
        rows.map((row) => row.cells),
        name,
      ).toEqual(expected)
    }
  })

  test('the encoding is found also when the first Chinese character stands far down', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index},Smith`)
    const bytes = Buffer.concat([
      Buffer.from(`id,name\n${lines.join('\n')}\n`),
      Buffer.from('60000,'),
      Buffer.from('d5c5c8fd', 'hex'),
    ])
    const { rows, format } = await read('late.csv', bytes)
    expect(format).toMatchObject({ encoding: 'gb18030' })
    expect(rows.at(-1)?.cells).toEqual(['60000', '张三'])
  })

  test.each([[','], [';'], ['\t'], ['|']])('the separator %j is recognised', async (separator) => {
    const text = [
      ['订单号', '金额', '备注'],
      ['A1', '1.50', 'x'],
      ['A2', '2.50', 'y'],
    ]
      .map((row) => row.join(separator))
      .join('\r\n')
    const { headings, rows } = await read('separator.csv', text)
    expect(headings).toEqual(['订单号', '金额', '备注'])
    expect(rows.map((row) => row.cells[1])).toEqual(['1.50', '2.50'])
  })

  test('columns held apart by blanks are read too', async () => {
    const { headings, rows } = await read(
      'blanks.txt',
      ' customer_id  date cds\n 00001 19970101  1\n 00002 19970112  5\n',
    )
    expect(headings).toEqual(['customer_id', 'date', 'cds'])
    expect(rows[1]?.cells).toEqual(['00002', '19970112', '5'])
  })

  test('a title above the headings is skipped and rows keep the numbers that a spreadsheet shows', async () => {
    const { headings, rows } = await read(
      'title.csv',
      '会员导出表,,\n,,\n会员编号,姓名,手机号\nM1,张三,13800138000\n,,\nM2,李四,13800138001\n',
    )
    expect(headings).toEqual(['会员编号', '姓名', '手机号'])
    expect(rows.map((row) => row.number)).toEqual([4, 6])
  })

  test('a file without headings gets letters', async () => {
    const { headings, rows } = await read('bare.csv', '1,2024-01-01,5.00\n2,2024-01-02,6.00\n')
    expect(headings).toEqual(['A', 'B', 'C'])
    expect(rows).toHaveLength(2)
  })

  test('gzip is unpacked', async () => {
    const { rows } = await read('packed.csv.gz', gzipSync('id,name\n1,a\n2,b\n'))
    expect(rows.map((row) => row.cells)).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ])
  })

  test('a file that unpacks to hundreds of times its size is refused', async () => {
    await expect(
      read('bomb.csv.gz', gzipSync(Buffer.alloc(200 * 1024 * 1024, 'a,b\n'))),
    ).rejects.toMatchObject({ code: 'unsupported_file' })
  })

  test('one bad quote or bad byte costs its own row and no other', async () => {
    const bytes = Buffer.concat([
      Buffer.from('id,name\n1,"好的，谢谢您的光临"\n2,"open\n3,"a""b"\n4,"x"y\n5,"two\nlines"\n6,'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\n7,5" pipe\n'),
    ])
    const { rows } = await read('bad.csv', bytes)
    expect(rows.map((row) => [row.cells[0], row.problem?.reason])).toEqual([
      ['1', undefined],
      [undefined, 'bad_quotes'],
      ['3', undefined],
      [undefined, 'bad_quotes'],
      ['5', undefined],
      ['6', 'bad_bytes'],
      ['7', undefined],
    ])
    expect(rows[2]?.cells[1]).toBe('a"b')
    expect(rows[4]?.cells[1]).toBe('two\nlines')
  })

  test('rows do not depend on where the pieces of the stream are cut', () => {
    const field = fc.oneof(
      fc.constantFrom('', 'a', '"', 'x"y', 'a,b', 'l1\nl2', '\r', '张三', '\r\n'),
      fc.string({ maxLength: 5 }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (table, cuts) => {
          const text = table
            .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
            .join('\r\n')
          const splitter = new CsvSplitter(',')
          const rows: Row[] = []
          let from = 0
          for (const cut of [...cuts].sort((a, b) => a - b)) {
            rows.push(...splitter.push(text.slice(from, Math.max(from, cut)), false))
            from = Math.max(from, cut)
          }
          rows.push(...splitter.push(text.slice(from), true))
          expect(rows.map((row) => row.cells)).toEqual(table)
        },
      ),
    )
  })
})

describe('NDJSON', () => {
  test('objects inside become columns, lines of an order become rows', async () => {
    const { headings, rows } = await read(
      'orders.ndjson',
      '{"order_id":"A1","buyer":{"phone":"13800138000"},"lines":[{"sku":"S1","qty":1},{"sku":"S2","qty":2}]}\nnot json\n{"order_id":"A2","note":"late column","lines":[{"sku":"S3","qty":3}]}\n',
    )
    expect(headings).toEqual(['order_id', 'buyer.phone', 'lines.sku', 'lines.qty', 'note'])
    expect(rows.map((row) => row.cells)).toEqual([
      ['A1', '13800138000', 'S1', 1],
      ['A1', '13800138000', 'S2', 2],
      [],
      ['A2', null, 'S3', 3, 'late column'],
    ])
    expect(rows[2]?.problem?.reason).toBe('bad_record')
  })
})

describe('workbooks', () => {
  test('shared strings, inline strings, numbers, dates by style and errors', async () => {
    const path = join(folder, 'a.xlsx')
    const strings = new StringTable()
    await writeXlsx(path, {
      formats: [14, 'yyyy"年"m"月"d"日" hh:mm', '0.00', 57, '[$-804]yyyy-mm-dd'],
      rows: [
        ['订单号', '下单时间', '付款时间', '金额', '日期', '备注'].map((text) => strings.cell(text)),
        [
          { text: 'A1' },
          { number: 45356.604166666664, style: 2 },
          { number: 45356, style: 1 },
          { number: 12.5, style: 3 },
          { number: 60, style: 4 },
          { error: '#N/A' },
        ],
        [null, null, null, null, null, null],
        [strings.cell('A2'), { number: 1, style: 5 }, null, { number: 7 }],
      ],
      strings: () => strings.values(),
    })
    const { headings, rows } = await readPath(path)
    expect(headings).toEqual(['订单号', '下单时间', '付款时间', '金额', '日期', '备注'])
    expect(rows.map((row) => row.number)).toEqual([2, 4])
    expect(rows[0]?.cells.map(plain)).toEqual([
      'A1',
      '2024-03-05T14:30:00.000Z',
      '2024-03-05T00:00:00.000Z',
      12.5,
      '1900-02-28T00:00:00.000Z',
      '#N/A',
    ])
    expect(rows[1]?.cells.map(plain)).toEqual(['A2', '1900-01-01T00:00:00.000Z', null, 7])
  })

  test('the 1904 system of old Macintosh files', async () => {
    const path = join(folder, 'mac.xlsx')
    await writeXlsx(path, {
      from1904: true,
      formats: [14],
      rows: [
        [{ text: '订单号' }, { text: '日期' }],
        [{ text: 'A' }, { number: 43894, style: 1 }],
      ],
    })
    const { rows } = await readPath(path)
    expect(rows[0]?.cells.map(plain)).toEqual(['A', '2024-03-05T00:00:00.000Z'])
  })

  test('a workbook that unpacks to hundreds of times its size is refused before it is unpacked', async () => {
    const path = join(folder, 'bomb.xlsx')
    const row = [{ text: 'a'.repeat(30_000) }]
    await writeXlsx(path, { level: 6, rows: Array.from({ length: 5000 }, () => row) })
    await expect(recognise(path)).rejects.toMatchObject({ code: 'unsupported_file' })
  })

  test('what is no workbook is refused with a sentence', async () => {
    await expect(read('no.xlsx', 'PK\u0003\u0004 this is not a zip')).rejects.toMatchObject({
      code: 'unsupported_file',
    })
    await expect(read('old.xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'))).rejects.toThrow('.xls')
    await expect(read('empty.csv', '')).rejects.toMatchObject({ code: 'unsupported_file' })
    await expect(read('picture.png', Buffer.from('89504e470d0a1a0a0000000d', 'hex'))).rejects.toMatchObject({
      code: 'unsupported_file',
    })
  })
})

function plain(cell: Cell): Cell | string {
  return cell instanceof Date ? cell.toISOString() : cell
}
