/** Real files against counts made here, from the raw bytes, without any code of the import. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { importWorld } from '../../../test/support/imports.ts'
import { isAbsent, sharedData } from '../../../test/support/shared-data.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { importFile } from './import-file.ts'

const db = await testDatabase()
const world = await importWorld(db)
await db.run(
  sql`insert into brand (name, zone, currency, created_at) values ('测试', 'Europe/London', 'GBP', ${world.clock.now()})
    on conflict (id) do update set zone = excluded.zone, currency = excluded.currency`,
)

type Sums = {
  orders: number
  purchases: number
  total: number
  refunded: number
  nobody: number
  lines: number
  quantity: number
}

async function sums(source: string): Promise<Sums> {
  return db.row(sql`
    select count(*) as orders,
      count(*) filter (where body->>'status' = 'paid') as purchases,
      sum(total_cents)::bigint as total, sum(refunded_cents)::bigint as refunded,
      count(*) filter (where profile_id is null) as nobody,
      sum(jsonb_array_length(body->'lines'))::bigint as lines,
      sum((select sum((l->>'quantity')::numeric) from jsonb_array_elements(body->'lines') l))::bigint as quantity
    from document where kind = 'order' and source = ${source} and not deleted`)
}

describe.skipIf(isAbsent('online_retail'))('online_retail', () => {
  const path = join(sharedData('online_retail') ?? '', 'online_retail.csv.gz')

  test('541,909 rows become invoices with the sums of the raw file, those without a customer included', async () => {
    const raw = await rawRetail(path)
    const { run, columns } = await importFile(world, { file: path, now: world.clock.now(), source: 'retail' })
    expect(columns.map((column) => column.field)).toEqual([
      'orderNo',
      'sku',
      'product',
      'quantity',
      'orderedAt',
      'price',
      'memberNo',
      null,
    ])
    expect(run).toMatchObject({
      state: 'imported',
      kind: 'orders',
      counts: { read: 541_909, accepted: 541_909, rejected: 0, rowsWithoutBuyer: 135_080 },
    })
    const stored = await sums('retail')
    expect(stored).toEqual({
      orders: raw.invoices.size,
      purchases: [...raw.invoices.values()].filter((invoice) => invoice.sold).length,
      total: raw.cents,
      refunded: 0,
      nobody: [...raw.invoices.values()].filter((invoice) => invoice.customer === '').length,
      lines: 541_909,
      quantity: raw.quantity,
    })
    expect(raw.invoices.size).toBe(25_900)
    expect(run.counts.ordersWithoutBuyer).toBe(stored.nobody)
    const people = await db.row<{ n: number }>(sql`select count(*) as n from person where state = 'live'`)
    expect(people.n).toBe(4372)
    const top = await db.row<{ orders: number; cents: number }>(sql`
      select count(*) as orders, sum(total_cents)::bigint as cents from document d join profile p on p.id = d.profile_id
      where d.source = 'retail' and d.body->>'status' = 'paid' and p.key = ${world.keys.index.digest('record', 'real', 'retail', '14646')}`)
    expect(top).toEqual(raw.of('14646'))
  })
})

describe.skipIf(isAbsent('cdnow'))('cdnow', () => {
  const path = join(sharedData('cdnow') ?? '', 'CDNOW_master.txt')

  test('69,659 purchases without a number of their own, and the same file again changes nothing', async () => {
    const lines = (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/u))
    const cents = lines.reduce((sum, line) => sum + Math.round(Number(line[3]) * 100), 0)
    const discs = lines.reduce((sum, line) => sum + Number(line[2]), 0)
    const first = await importFile(world, {
      file: path,
      kind: 'orders',
      now: world.clock.now(),
      source: 'cdnow',
    })
    expect(first.run.counts).toMatchObject({
      read: 69_659,
      accepted: 69_659,
      rejected: 0,
      created: 69_659,
      peopleCreated: 23_570,
    })
    expect(await sums('cdnow')).toMatchObject({ orders: 69_659, total: cents, quantity: discs, nobody: 0 })
    const days = await db.row(sql`
      select min(at at time zone 'Europe/London')::date::text as first, max(at at time zone 'Europe/London')::date::text as last
      from document where source = 'cdnow'`)
    expect(days).toEqual({ first: '1997-01-01', last: '1998-06-30' })
    const again = await importFile(world, {
      file: path,
      kind: 'orders',
      now: world.clock.now(),
      source: 'cdnow',
    })
    expect(again.run.counts).toMatchObject({ created: 0, changed: 0, unchanged: 69_659, peopleCreated: 0 })
    expect(again.run.importedBefore).toBe(first.run.id)
  })
})

type Invoice = { customer: string; cents: number; sold: boolean }

/** The raw file by hand: quoted CSV with commas in descriptions and doubled quotes. */
async function rawRetail(path: string) {
  const invoices = new Map<string, Invoice>()
  let cents = 0
  let quantity = 0
  for (const line of gunzipSync(await readFile(path))
    .toString('utf8')
    .split('\n')
    .slice(1)) {
    if (line === '') continue
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/gu)].map((match) =>
      (match[1] ?? '').replace(/^"|"$/gu, ''),
    )
    const [number = '', , , units = '0', , price = '0', customer = ''] = cells
    // Pounds with up to three decimals, in tenths of a penny, so that the sum is exact.
    const tenths = Number(units) * Math.round(Number(price) * 1000)
    const amount = Math.sign(tenths) * Math.round(Math.abs(tenths) / 10)
    cents += amount
    quantity += Number(units)
    const invoice = invoices.get(number) ?? { customer: '', cents: 0, sold: false }
    invoice.customer ||= customer === 'NA' ? '' : customer
    invoice.cents += amount
    invoice.sold ||= Number(units) > 0 && Number(price) >= 0
    invoices.set(number, invoice)
  }
  return {
    invoices,
    cents,
    quantity,
    of(customer: string) {
      const own = [...invoices.values()].filter((invoice) => invoice.customer === customer && invoice.sold)
      return { orders: own.length, cents: own.reduce((sum, invoice) => sum + invoice.cents, 0) }
    },
  }
}
