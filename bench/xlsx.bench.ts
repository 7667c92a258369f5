/**
 * A workbook as large as they come: a million rows, three million shared strings, each row an order of somebody new,
 * imported to its end by command beside a running `start`. What counts is the memory of the importing command.
 * Run: node bench/xlsx.bench.ts [rows]
 */
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeXlsx, type XlsxCell } from '../test/support/xlsx.ts'
import { count, figure, inSeconds } from './figures.ts'
import { beginCommand, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const ROWS = Number(process.argv[2] ?? 1_000_000)
const HEADINGS = ['订单号', '手机号', '买家姓名', '下单时间', '实付金额']
/** A column of dates, as spreadsheets number them: 22 is 'm/d/yy h:mm'. */
const DATE_AND_TIME = 22
const LOOK_MS = 200

await inFolder(async (folder) => {
  const file = join(folder, 'orders.xlsx')
  await writeXlsx(file, { rows: rows(), strings, formats: [DATE_AND_TIME] })
  const data = join(folder, 'data')
  const program = await startProgram(data, { LIULIANG_DEMO: 'off' })
  try {
    const begun = performance.now()
    const { child, done } = beginCommand(data, ['import', file, '--source', 'till'])
    let peak = 0
    const timer = setInterval(() => {
      peak = Math.max(peak, largestSize(child.pid ?? 0))
    }, LOOK_MS)
    const { code, lines } = await done
    clearInterval(timer)
    if (code !== 0) throw new Error(`the import ended with ${code ?? child.signalCode}`)
    const { run } = lines.at(-1) as { run: { counts: { accepted: number; orders: number } } }
    if (run.counts.orders !== ROWS) throw new Error(`${run.counts.orders} orders of ${ROWS} were written`)
    const bytes = (await stat(file)).size
    const size = `${count(ROWS)} orders of ${count(ROWS)} new buyers, ${count(ROWS * 3)} shared strings, ${Math.round(bytes / 1e6)} MB`
    figure({
      what: 'Memory of an import of a workbook, at most',
      data: size,
      ours: `${Math.round(peak)} MB`,
      wanted: 'at most 300 MB',
    })
    figure({
      what: 'The same, until the import has ended',
      data: size,
      ours: inSeconds((performance.now() - begun) / 1000),
    })
  } finally {
    await program.stop()
  }
})

/** The most resident memory that the process ever had, in MB; 0 where it is gone. Linux only. */
function largestSize(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

function* strings(): Generator<string> {
  yield* HEADINGS
  for (let row = 0; row < ROWS; row += 1) {
    yield `SO2025${String(row).padStart(9, '0')}`
    yield `138${String((row * 7919) % 100_000_000).padStart(8, '0')}`
    yield `会员${row}`
  }
}

function* rows(): Generator<XlsxCell[]> {
  yield HEADINGS.map((_, shared) => ({ shared }))
  for (let row = 0; row < ROWS; row += 1) {
    const first = HEADINGS.length + row * 3
    yield [
      { shared: first },
      { shared: first + 1 },
      { shared: first + 2 },
      { number: 45_000 + row / 3000, style: 1 },
      { number: 9.9 + (row % 90) },
    ]
  }
}
