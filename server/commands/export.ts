/**
 * export members|orders|audit FILE: what belongs to the brand, in a form that others read. Members, all or those of a
 * segment, come with their phone numbers in clear, and every export leaves a row in the audit trail. The file appears
 * whole or not at all, also where somebody stops the command.
 */
import { once } from 'node:events'
import { constants, createWriteStream } from 'node:fs'
import { access, rename, rm, stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { z } from 'zod'
import { ExportColumnKey, exportColumnKeys, exportColumns } from '../../contract/exports.ts'
import { segmentNamed } from '../audience/audience.ts'
import { pageOfOrders } from '../events/events.ts'
import { exported, plainColumns, whereOf } from '../insight/insight.ts'
import { membersDeps } from '../joined.ts'
import { membersByIds, presentPersonsOf, writeMembersFile } from '../members/members.ts'
import { audit, brand, listAudit, systemActor } from '../org/org.ts'
import { Problem } from '../platform/problem.ts'
import { type Cell, csv, ndjson, type RowFormat } from '../platform/table/csv.ts'
import { systemClock } from '../platform/time/clock.ts'
import type { Stores } from '../stores.ts'
import { type Command, stoppable, withStores } from './command.ts'

const PAGE = 1000

type Table = { columns: readonly string[]; rows(stores: Stores): AsyncGenerator<readonly Cell[]> }

const tables: Readonly<Record<string, Table>> = {
  orders: {
    columns: [
      'source',
      'number',
      'version',
      'member_id',
      'placed_at',
      'paid_at',
      'status',
      'total',
      'refunded',
      'discount',
      'store_id',
      'seller_id',
      'channel',
      'side',
      'campaign',
      'coupon',
      'line',
      'sku',
      'product',
      'category',
      'quantity',
      'price',
      'line_discount',
      'cost',
      'line_refunded',
    ],
    rows: orders,
  },
  audit: {
    columns: ['at', 'actor_kind', 'actor', 'action', 'object_kind', 'object_id', 'reason', 'before', 'after'],
    rows: auditRows,
  },
}

export const exportable = ['members', ...Object.keys(tables)]

export type ExportOptions = { segment?: string; columns?: string; lang?: string }

/** Errors: `bad_input` for an unknown table, another kind of file, and a place that cannot be written; `conflict` when stopped. */
export async function exportCommand(
  command: Command,
  what: string,
  file: string,
  options: ExportOptions = {},
): Promise<undefined> {
  if (!exportable.includes(what))
    throw new Problem('bad_input', `Export one of: ${exportable.join(', ')}.`, { field: 'what' })
  const path = resolve(file)
  const table = tables[what]
  const endings = table ? Object.keys(formats) : memberEndings
  const ending = extname(path).toLowerCase()
  if (!endings.includes(ending))
    throw new Problem('bad_input', `The file ends in ${endings.join(' or ')}.`, { field: 'file' })
  const chosen = chosenOf(what, options)
  await refuseUnwritable(path)
  const { terminal } = command
  const progress = terminal.progress(what)
  const rows = await stoppable('Stopped. Nothing was written.', (signal) =>
    withStores(command, 'either', async (stores) => {
      const segment = await segmentOf(stores, options.segment)
      // Told before the first row is decrypted: an export that breaks off has shown data all the same.
      await audit(stores.db, systemActor(systemClock.now()), {
        action: 'data.exported',
        objectKind: 'export',
        objectId: what,
        after: { segment: segment?.name ?? null, columns: chosen?.columns ?? null },
      })
      const target = { path, progress, signal }
      if (!table) return writeMembers(stores, { ...target, segment, chosen })
      return writeTable(stores, table, { ...target, format: formats[ending] ?? csv })
    }),
  )
  terminal.say(`${rows.toLocaleString('en-US')} rows of ${what} in ${path}`)
  terminal.result({ what, rows, file: path })
}

type Chosen = { columns: ExportColumnKey[]; lang: 'zh' | 'en' }

/** Undefined: everything, as programs read it. Errors: `bad_input` for what there is not. */
function chosenOf(what: string, { segment, columns, lang }: ExportOptions): Chosen | undefined {
  if (what !== 'members' && (segment !== undefined || columns !== undefined || lang !== undefined))
    throw new Problem('bad_input', '--segment, --columns and --lang are for members.', { field: 'what' })
  if (lang !== undefined && lang !== 'zh' && lang !== 'en')
    throw new Problem('bad_input', '--lang is zh or en.', { field: 'lang' })
  if (columns === undefined && lang === undefined) return undefined
  const usual = exportColumnKeys.filter((key) => exportColumns[key].usual)
  const keys = columns === undefined ? usual : columns.split(',').map((key) => key.trim())
  const read = z.array(ExportColumnKey).min(1).safeParse(keys)
  if (!read.success)
    throw new Problem('bad_input', `--columns are some of: ${exportColumnKeys.join(',')}.`, {
      field: 'columns',
    })
  return { columns: read.data, lang: lang ?? 'zh' }
}

async function segmentOf({ db }: Stores, name: string | undefined) {
  if (name === undefined) return undefined
  const segment = await segmentNamed(db, name)
  if (!segment) throw new Problem('bad_input', `There is no segment ${name}.`, { field: 'segment' })
  return segment
}

type MembersTarget = Omit<Target, 'format'> & {
  segment: Awaited<ReturnType<typeof segmentOf>>
  chosen: Chosen | undefined
}

async function writeMembers(
  { db, keyring }: Stores,
  { path, progress, signal, segment, chosen }: MembersTarget,
): Promise<number> {
  const draft = `${path}.partial`
  // Of an export that was killed; nobody else's rights or links may hold numbers in clear.
  await rm(draft, { force: true })
  const { zone } = await brand(db)
  const written = await writeMembersFile(
    db,
    keyring,
    {
      path: draft,
      format: extname(path).toLowerCase().slice(1) as 'csv' | 'ndjson' | 'xlsx',
      ...(chosen ? exported(chosen.columns, { lang: chosen.lang, zone }) : plainColumns()),
      where: await whereOf(db, segment?.id ?? null, systemActor(systemClock.now()).viewer),
      open: { names: true, phones: true },
      sheetName: segment?.name ?? 'members',
    },
    { signal, onProgress: (rows, total) => progress.tick(rows, total) },
  )
  await rename(draft, path)
  progress.done()
  return written.rows
}

async function refuseUnwritable(path: string): Promise<void> {
  const taken = await stat(path).catch(() => undefined)
  const folder = dirname(path)
  const open = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (taken?.isDirectory() === true || !open)
    throw new Problem(
      'bad_input',
      `${path} cannot be written: ${open ? 'it is a folder' : `there is no folder ${folder} that this user may write to`}.`,
      { field: 'file' },
    )
}

const formats: Readonly<Record<string, RowFormat>> = { '.csv': csv, '.ndjson': ndjson }
const memberEndings = ['.csv', '.xlsx', '.ndjson']

type Target = {
  path: string
  format: RowFormat
  progress: ReturnType<Command['terminal']['progress']>
  signal: AbortSignal
}

async function writeTable(
  stores: Stores,
  { columns, rows }: Table,
  { path, format, progress, signal }: Target,
): Promise<number> {
  const draft = `${path}.partial`
  // Of an export that was killed; nobody else's rights or links may hold numbers in clear.
  await rm(draft, { force: true })
  const out = createWriteStream(draft, { mode: 0o600, flags: 'wx', flush: true })
  const failed = once(out, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => undefined)
  let count = 0
  try {
    out.write(format.head(columns))
    for await (const cells of rows(stores)) {
      signal.throwIfAborted()
      count += 1
      progress.tick(count)
      if (!out.write(format.row(columns, cells))) await Promise.race([once(out, 'drain'), failed])
    }
    out.end()
    await Promise.race([once(out, 'close'), failed])
    await rename(draft, path)
    progress.done()
    return count
  } catch (error) {
    out.destroy()
    await rm(draft, { force: true })
    throw error
  }
}

/** A row for each line; an order without lines is one row. */
async function* orders({ db, keyring }: Stores): AsyncGenerator<readonly Cell[]> {
  const deps = membersDeps(keyring)
  const { viewer } = systemActor(systemClock.now())
  let after: Awaited<ReturnType<typeof pageOfOrders>>['next']
  do {
    const page = await pageOfOrders(db, { after, limit: PAGE })
    const present = await presentPersonsOf(
      db,
      page.orders.flatMap(({ profileId }) => profileId ?? []),
    )
    const people = await membersByIds(deps, db, [...new Set(present.values())], viewer)
    const publicIds = new Map(people.map(({ id, publicId }) => [id, publicId]))
    for (const { state, profileId, version } of page.orders) {
      const buyer = publicIds.get(present.get(profileId ?? 0) ?? 0) ?? null
      const head: Cell[] = [
        state.source,
        state.externalId,
        version,
        buyer,
        state.placedAt,
        state.paidAt,
        state.status,
        money(state.totalCents),
        money(state.refundedCents),
        money(state.discountCents),
        state.storeId,
        state.sellerId,
        state.channel,
        state.side,
        state.campaign,
        state.coupon,
      ]
      if (state.lines.length === 0) yield [...head, null, null, null, null, null, null, null, null, null]
      for (const [index, line] of state.lines.entries()) {
        yield [
          ...head,
          index + 1,
          line.sku,
          line.name,
          line.category,
          line.quantity,
          money(line.priceCents),
          money(line.discountCents),
          line.costCents === null ? null : money(line.costCents),
          money(line.refundedCents),
        ]
      }
    }
    after = page.next
  } while (after !== undefined)
}

async function* auditRows({ db }: Stores): AsyncGenerator<readonly Cell[]> {
  let cursor: string | undefined
  do {
    const page = await listAudit(db, { cursor, limit: PAGE })
    for (const one of page.items) {
      yield [
        one.at,
        one.actorKind,
        one.actorName,
        one.action,
        one.objectKind,
        one.objectId,
        one.reason,
        one.before === null ? null : JSON.stringify(one.before),
        one.after === null ? null : JSON.stringify(one.after),
      ]
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}

/** Cents as an amount with two decimals: a number, so that a spreadsheet adds it up. */
function money(cents: number): number {
  return cents / 100
}
