/**
 * export members|orders|audit FILE: what belongs to the brand, in a form that others read. Members come with their
 * phone numbers in clear, decrypted page by page, and every export leaves a row in the audit trail. The file appears
 * whole or not at all, also where somebody stops the command.
 */
import { once } from 'node:events'
import { constants, createWriteStream } from 'node:fs'
import { access, rename, rm, stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { pageOfOrders } from '../events/events.ts'
import { membersDeps } from '../joined.ts'
import { membersByIds, mobileNumbers, presentPersonsOf, searchMembers } from '../members/members.ts'
import { audit, listAudit, systemActor } from '../org/org.ts'
import { Problem } from '../platform/problem.ts'
import { systemClock } from '../platform/time/clock.ts'
import type { Stores } from '../stores.ts'
import { type Command, stoppable, withStores } from './command.ts'
import { type Cell, csv, ndjson, type RowFormat } from './table.ts'

const PAGE = 1000

type Table = { columns: readonly string[]; rows(stores: Stores): AsyncGenerator<readonly Cell[]> }

const tables: Readonly<Record<string, Table>> = {
  members: {
    columns: [
      'id',
      'name',
      'phone',
      'kind',
      'gender',
      'birthday',
      'lunar',
      'city',
      'joined_at',
      'register_channel',
      'registration',
      'source',
      'side',
      'home_store_id',
      'guide_id',
      'demo',
    ],
    rows: members,
  },
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

export const exportable = Object.keys(tables)

/** Errors: `bad_input` for an unknown table, another kind of file, and a place that cannot be written; `conflict` when stopped. */
export async function exportCommand(command: Command, what: string, file: string): Promise<undefined> {
  const table = tables[what]
  if (!table) throw new Problem('bad_input', `Export one of: ${exportable.join(', ')}.`, { field: 'what' })
  const path = resolve(file)
  const format = formats[extname(path).toLowerCase()]
  if (!format)
    throw new Problem('bad_input', `The file ends in ${Object.keys(formats).join(' or ')}.`, {
      field: 'file',
    })
  await refuseUnwritable(path)
  const { terminal } = command
  const progress = terminal.progress(what)
  const rows = await stoppable('Stopped. Nothing was written.', (signal) =>
    withStores(command, 'either', async (stores) => {
      // Told before the first row is decrypted: an export that breaks off has shown data all the same.
      await audit(stores.db, systemActor(systemClock.now()), {
        action: 'data.exported',
        objectKind: 'export',
        objectId: what,
      })
      return writeTable(stores, table, { path, format, progress, signal })
    }),
  )
  terminal.say(`${rows.toLocaleString('en-US')} rows of ${what} in ${path}`)
  terminal.result({ what, rows, file: path })
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

async function* members({ db, keyring }: Stores): AsyncGenerator<readonly Cell[]> {
  const deps = membersDeps(keyring)
  const viewer = { ...systemActor(systemClock.now()).viewer, maySeePersonal: true }
  let cursor: string | undefined
  do {
    const page = await searchMembers(deps, db, { sort: 'joined' }, { viewer, cursor, limit: PAGE })
    const phones = await mobileNumbers(
      db,
      keyring,
      page.items.map(({ id }) => id),
    )
    for (const one of page.items) {
      yield [
        one.publicId,
        one.name,
        domestic(phones.get(one.id)),
        one.kind,
        one.gender,
        one.birthday,
        one.birthdayLunar,
        one.city,
        one.joinedAt?.toISOString() ?? null,
        one.registerChannel,
        one.registration,
        one.source,
        one.sourceSide,
        one.homeStoreId,
        one.ownerStaffId,
        one.demo,
      ]
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}

/** A mainland number without its country code, as shops write it: a cell that begins with + would be defused. */
function domestic(phone: string | undefined): string | null {
  return phone?.replace(/^\+86/, '') ?? null
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
