import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { importInProcess, importWorld } from '../../../test/support/imports.ts'
import { writeXlsx, type XlsxCell } from '../../../test/support/xlsx.ts'
import { sql } from '../../platform/postgres/sql.ts'

const ROWS = 1_000_000
const LIMIT_MB = 300
const db = await testDatabase()
const world = await importWorld(db)

test.skipIf(!existsSync('/proc/self/status'))(
  'a million rows with three million shared strings are read and sorted in flat memory',
  async () => {
    const file = join(world.dataFolder, 'million.xlsx')
    await writeXlsx(file, { rows: rows(), strings, formats: [22] })
    let peak = 0
    const how = {
      file,
      source: 'till',
      crashAt: 'import.before-commit',
      nodeFlags: ['--max-semi-space-size=16'],
      onPeakMegabytes: (now: number) => (peak = Math.max(peak, now)),
    }
    expect(await importInProcess(world, how)).toBe('killed')
    expect(
      await db.row(sql`select stage, rows_total, (counts->>'rejected')::int as rejected from import_run`),
    ).toEqual({ stage: 'writing', rows_total: ROWS, rejected: 0 })
    expect(peak).toBeGreaterThan(50)
    expect(peak).toBeLessThan(LIMIT_MB)
  },
)

const HEAD = ['订单号', '手机号', '买家姓名', '下单时间', '实付金额']

function* strings(): Generator<string> {
  yield* HEAD
  for (let row = 0; row < ROWS; row += 1) {
    yield `SO2025${String(row).padStart(9, '0')}`
    yield `138${String((row * 7919) % 100_000_000).padStart(8, '0')}`
    yield `会员${row}`
  }
}

function* rows(): Generator<XlsxCell[]> {
  yield HEAD.map((_, place) => ({ shared: place }))
  for (let row = 0; row < ROWS; row += 1) {
    const first = HEAD.length + row * 3
    yield [
      { shared: first },
      { shared: first + 1 },
      { shared: first + 2 },
      { number: 45_000 + row / 3000, style: 1 },
      { number: 9.9 + (row % 90) },
    ]
  }
}
