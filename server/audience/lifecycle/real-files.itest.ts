/**
 * Real files from the import to life cycle and RFM, against counts made here from the raw bytes without any code of the
 * program: days by date strings, quantiles by their definition, scores by comparison.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { audienceWorld, settleAll } from '../../../test/support/audience-world.ts'
import { importWorld } from '../../../test/support/imports.ts'
import { isAbsent, sharedData, wantsWholeData } from '../../../test/support/shared-data.ts'
import { importFile } from '../../events/import/import-file.ts'
import { takeLease } from '../../platform/jobs/lease.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { lifecycleOverview, publishCutPoints, rfmOverview } from '../audience.ts'

/** One purchase of the raw file: who, the day in the shop's zone, what was paid in cents. */
type Bought = { customer: string; day: string; cents: number }
type Expected = {
  lifecycle: Record<string, number>
  oneTimeBuyers: number
  spentCents: number
  /** Persons by recency and frequency score, 'rf'. */
  matrix: Record<string, number>
  /** Those with five, five and five. */
  champions: number
}

function expectedOf(bought: readonly Bought[], nobodyBought: number, asOf: string): Expected {
  const people = new Map<string, { last: string; count: number; cents: number }>()
  for (const { customer, day, cents } of bought) {
    const known = people.get(customer) ?? { last: '', count: 0, cents: 0 }
    people.set(customer, {
      last: [day, known.last].sort().at(-1) ?? day,
      count: known.count + 1,
      cents: known.cents + cents,
    })
  }
  const values = [...people.values()].map(({ last, count, cents }) => ({
    r: (Date.parse(asOf) - Date.parse(last)) / 86_400_000,
    f: count,
    m: cents,
  }))
  const cut = (of: 'r' | 'f' | 'm', share: number): number => {
    const sorted = values.map((value) => value[of]).sort((a, b) => a - b)
    const place = (sorted.length - 1) * share
    const [low = 0, high = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
    return low + (place % 1) * (high - low) + (of === 'm' ? 100 : 1)
  }
  const cuts = (of: 'r' | 'f' | 'm'): number[] => [0.2, 0.4, 0.6, 0.8].map((share) => cut(of, share))
  const table = { r: cuts('r'), f: cuts('f'), m: cuts('m') }
  const found: Expected = {
    lifecycle: nobodyBought === 0 ? {} : { never_undated: nobodyBought },
    oneTimeBuyers: 0,
    spentCents: 0,
    matrix: {},
    champions: 0,
  }
  const count = (counts: Record<string, number>, key: string): void => {
    counts[key] = (counts[key] ?? 0) + 1
  }
  for (const { r, f, m } of values) {
    const reached = (of: 'r' | 'f' | 'm', value: number): number =>
      table[of].filter((edge) => value >= edge).length
    const scores = [5 - reached('r', r), 1 + reached('f', f), 1 + reached('m', m)]
    count(found.matrix, `${scores[0]}${scores[1]}`)
    if (scores.every((score) => score === 5)) found.champions += 1
    count(found.lifecycle, stateAfter(r))
    if (f === 1) found.oneTimeBuyers += 1
    found.spentCents += m
  }
  return found
}

function stateAfter(days: number): string {
  if (days < 90) return 'active'
  if (days < 180) return 'silent'
  if (days < 365) return 'near_sleep'
  return days <= 730 ? 'hibernating' : 'lost'
}

/** Imports the file into a program of its own and lets everything follow. */
async function brought(file: string, { asOf, zone }: { asOf: string; zone: string }) {
  const now = new Date(`${asOf}T12:00:00Z`)
  const world = await audienceWorld()
  const imports = await importWorld(world.db, { at: now.toISOString(), zone })
  const { run } = await importFile(imports, { file, kind: 'orders', now })
  await settleAll(world, now, zone)
  const token = await takeLease(world.db, 'cut-points', 600_000)
  if (!token) throw new Error('the lease is held')
  await publishCutPoints(world.db, { token, now, zone, always: true })
  await settleAll(world, now, zone)
  const overview = await lifecycleOverview(world.db, { now, zone })
  const rfm = await rfmOverview(world.db)
  const found: Expected = {
    lifecycle: Object.fromEntries(overview.lifecycle.map(({ state, persons }) => [state, persons])),
    oneTimeBuyers: overview.oneTimeBuyers,
    spentCents: overview.lifecycle.reduce((sum, { spentCents }) => sum + spentCents, 0),
    matrix: Object.fromEntries(
      rfm.cells.map(({ recency, frequency, persons }) => [`${recency}${frequency}`, persons]),
    ),
    champions: rfm.groups.find(({ group }) => group === 'champions')?.persons ?? 0,
  }
  return { run, found, db: world.db }
}

/**
 * The lines of every fifth customer: a whole file takes minutes on a small machine. LIULIANG_WHOLE_DATA=1 takes them all.
 * Lines without a customer are chosen by their order.
 */
function partOf(lines: readonly string[], customerOf: (line: string) => string): string[] {
  return wantsWholeData() ? [...lines] : lines.filter((line) => /[05]$/u.test(customerOf(line)))
}

const folder = await mkdtemp(join(tmpdir(), 'liuliang-real-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  await writeFile(join(folder, name), `${lines.join('\n')}\n`)
  return join(folder, name)
}

describe.skipIf(isAbsent('completejourney'))('completejourney', () => {
  test('baskets of 2017: money, life cycle and RFM are those of the raw file, and two broken cells are told', async () => {
    const raw = await readFile(join(sharedData('completejourney') ?? '', 'transactions_sample.csv'), 'utf8')
    const [heading = '', ...all] = raw.trim().split('\n')
    const rows = partOf(all, (line) => line.split('"')[1] ?? '')
    // Two cells went through a spreadsheet: a basket 4.0128e+10 and a value of 4.440892e-16.
    const broken = rows.filter((row) => /\de[+-]\d/u.test(row))
    const baskets = new Map<string, Bought>()
    let discounts = 0
    for (const row of rows.filter((one) => !broken.includes(one))) {
      const cells = row.replaceAll('"', '').split(',')
      const [customer = '', , basket = '', , , value = '', discount = '', , , , time = ''] = cells
      const cents = (baskets.get(basket)?.cents ?? 0) + Math.round(Number(value) * 100)
      baskets.set(basket, { customer, day: time.slice(0, 10), cents })
      discounts += Math.round(Number(discount) * 100)
    }
    const bought = [...baskets.values()]
    const file = await fileOf('baskets.csv', [heading, ...rows])
    const { run, found, db } = await brought(file, { asOf: '2018-01-01', zone: 'America/New_York' })
    expect(run.counts).toMatchObject({
      read: rows.length,
      rejected: broken.length,
      orders: baskets.size,
      ordersWithoutBuyer: 0,
      peopleCreated: new Set(bought.map(({ customer }) => customer)).size,
    })
    const stored = await db.row<{ cents: number; discounts: number }>(sql`
      select sum(total_cents)::bigint as cents, sum((
        select sum((l->>'discountCents')::bigint) from jsonb_array_elements(body->'lines') l))::bigint as discounts
      from document where kind = 'order'`)
    expect(stored).toEqual({ cents: bought.reduce((sum, { cents }) => sum + cents, 0), discounts })
    expect(found).toEqual(expectedOf(bought, 0, '2018-01-01'))
  })
})

describe.skipIf(isAbsent('cdnow'))('cdnow', () => {
  test('purchases of 1997 and 1998: life cycle and RFM are those of the raw file', async () => {
    const raw = await readFile(join(sharedData('cdnow') ?? '', 'CDNOW_master.txt'), 'utf8')
    const [heading = '', ...all] = raw.trim().split('\n')
    const rows = partOf(all, (line) => line.trim().split(/\s+/u)[0] ?? '')
    const bought = rows.map((row): Bought => {
      const [customer = '', day = '', , amount] = row.trim().split(/\s+/u)
      const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
      return { customer, day: date, cents: Math.round(Number(amount) * 100) }
    })
    const file = await fileOf('cdnow.txt', [heading, ...rows])
    const { run, found } = await brought(file, { asOf: '1998-07-01', zone: 'America/New_York' })
    expect(run.counts).toMatchObject({
      read: rows.length,
      rejected: 0,
      created: rows.length,
      peopleCreated: new Set(bought.map(({ customer }) => customer)).size,
    })
    expect(found).toEqual(expectedOf(bought, 0, '1998-07-01'))
  })
})

describe.skipIf(isAbsent('online_retail'))('online_retail', () => {
  test('invoices of 2011, those without a customer included: life cycle and RFM are those of the raw file', async () => {
    const packed = await readFile(join(sharedData('online_retail') ?? '', 'online_retail.csv.gz'))
    const [heading = '', ...all] = gunzipSync(packed).toString('utf8').trim().split('\n')
    const cellsOf = (line: string): string[] =>
      [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/gu)].map((match) =>
        (match[1] ?? '').replace(/^"|"$/gu, ''),
      )
    const rows = partOf(all, (line) => {
      const [number = '', , , , , , customer = ''] = cellsOf(line)
      return customer === '' || customer === 'NA' ? number : customer
    })
    const invoices = new Map<string, Bought & { sold: boolean }>()
    for (const row of rows) {
      const [number = '', , , units = '0', time = '', price = '0', customer = ''] = cellsOf(row)
      const known = invoices.get(number) ?? { customer: '', day: time.slice(0, 10), cents: 0, sold: false }
      // Pounds with up to three decimals, in tenths of a penny, so that the sum is exact.
      const tenths = Number(units) * Math.round(Number(price) * 1000)
      invoices.set(number, {
        customer: known.customer || (customer === 'NA' ? '' : customer),
        day: known.day,
        cents: known.cents + Math.sign(tenths) * Math.round(Math.abs(tenths) / 10),
        sold: known.sold || (Number(units) > 0 && Number(price) >= 0),
      })
    }
    const of = [...invoices.values()]
    const customers = new Set(of.map(({ customer }) => customer).filter((one) => one !== ''))
    const bought = of.filter(({ customer, sold, cents }) => customer !== '' && sold && cents >= 0)
    const buyers = new Set(bought.map(({ customer }) => customer)).size
    const file = await fileOf('retail.csv', [heading, ...rows])
    const { run, found } = await brought(file, { asOf: '2011-12-10', zone: 'Europe/London' })
    expect(run.counts).toMatchObject({
      read: rows.length,
      rejected: 0,
      orders: invoices.size,
      peopleCreated: customers.size,
      ordersWithoutBuyer: of.filter(({ customer }) => customer === '').length,
    })
    expect(found).toEqual(expectedOf(bought, customers.size - buyers, '2011-12-10'))
  })
})
