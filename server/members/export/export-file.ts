/**
 * Members as a file: page after page by the numbers of persons, so that memory stays flat whatever their count, each
 * page as of the moment at which it is read. Whoever is absorbed meanwhile is written once: the survivor has the smaller
 * number and was written before, the absorbed one is not live any more.
 */

import type { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Keyring } from '../../platform/crypto/master-key.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import type { ExportColumn, ExportPage, Open } from './export-rows.ts'
import type { ExportFormat, FileOrder, FromFile, ToFile } from './file-worker.ts'
import { openingNumbers } from './opening-numbers.ts'
import { countExported, type ExportQuery, exportPage, nextPerson } from './store-export.ts'

/** A column with its expression over `person` and the joined tables. */
export type ExportedColumn = ExportColumn & { field: ExportQuery['fields'][number] }

export type MembersFile = {
  /** Must not be there yet; the caller gives it its name once it is whole. */
  path: string
  format: ExportFormat
  columns: readonly ExportedColumn[]
  joins: ExportQuery['joins']
  where: ExportQuery['where']
  open: Open
  sheetName: string
  /** Rows of a sheet, its heading included; what spreadsheets hold where it is not given. */
  sheetRows?: number
  seal?: { key: KeyObject; context: string } | undefined
}

export type Writing = {
  signal: AbortSignal
  /** Called about five times a second: rows written so far, and of how many. Its promise is waited for. */
  onProgress?: (rows: number, total: number) => Promise<void> | void
}

export type WrittenFile = { rows: number; bytes: number; sheets: number }

/** Numbers of one page. With columns of every kind about 10 MB of text. */
const RANGE = 8192
/** Pages that the database may be ahead of the file. */
const AHEAD = 2
const TOLD_MS = 200

const WORKER = new URL(`./file-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/**
 * Writes the file and answers its rows, its bytes (before sealing) and sheets. What stands at the path after an error is
 * removed. Errors: the signal's reason, those of the file system with their code, `too_large` for a workbook of 4 GB.
 */
export async function writeMembersFile(
  db: Database,
  { cipher }: Keyring,
  file: MembersFile,
  { signal, onProgress }: Writing,
): Promise<WrittenFile> {
  const { columns, joins, where } = file
  const query: ExportQuery = {
    where,
    joins,
    fields: columns.map(({ field }) => field),
    phones: columns.some(({ shows }) => shows === 'phone'),
  }
  const total = await countExported(db, query)
  const thread = startFile({
    path: file.path,
    format: file.format,
    columns: columns.map(({ field: _, ...column }) => column),
    open: file.open,
    sheet: { name: file.sheetName, ...(file.sheetRows === undefined ? {} : { maxRows: file.sheetRows }) },
    wrapping: cipher.wrapping,
    seal: file.seal && { key: file.seal.key, context: file.seal.context },
  })
  const opening = openingNumbers(query.phones ? total : 0, { wrapping: cipher.wrapping, open: file.open })
  try {
    let rows = 0
    let told = 0
    /** Read, and their numbers being opened: in their order. */
    const coming: Promise<ExportPage>[] = []
    const putNext = async (): Promise<void> => {
      signal.throwIfAborted()
      const page = await coming.shift()
      if (!page || page.rows === 0) return
      await thread.put(page)
      rows += page.rows
      if (performance.now() - told > TOLD_MS) {
        told = performance.now()
        await onProgress?.(rows, Math.max(rows, total))
      }
    }
    for (let from = await nextPerson(db, 0); from !== undefined; ) {
      signal.throwIfAborted()
      const before = from + RANGE
      const page = opening.open(await exportPage(db, query, { from, before }))
      // Whoever waits for it hears of a failure; until then nobody does.
      page.catch(() => undefined)
      coming.push(page)
      if (coming.length > opening.ahead) await putNext()
      from = await nextPerson(db, before - 1)
    }
    while (coming.length > 0) await putNext()
    signal.throwIfAborted()
    return { rows, ...(await thread.end()) }
  } catch (error) {
    await thread.stop()
    await rm(file.path, { force: true })
    throw error
  } finally {
    await Promise.all([thread.stop(), opening.stop()])
  }
}

type FileThread = {
  /** Resolves as soon as another page may come. */
  put(page: ExportPage): Promise<void>
  end(): Promise<{ bytes: number; sheets: number }>
  stop(): Promise<void>
}

function startFile(order: FileOrder): FileThread {
  const worker = new Worker(WORKER, { workerData: order })
  const done = Promise.withResolvers<{ bytes: number; sheets: number }>()
  done.promise.catch(() => undefined)
  let ahead = 0
  let room = Promise.withResolvers<void>()
  worker.on('message', (message: FromFile) => {
    if ('taken' in message) {
      ahead -= 1
      room.resolve()
    } else if ('done' in message) done.resolve(message.done)
    else done.reject(failure(message))
  })
  worker.on('error', (error) => done.reject(error))
  worker.on('exit', () => done.reject(new Error('the thread that writes the file ended')))
  const tell = (message: ToFile): void => worker.postMessage(message)
  return {
    async put(page) {
      ahead += 1
      tell({ page })
      while (ahead >= AHEAD) {
        room = Promise.withResolvers()
        await Promise.race([room.promise, done.promise])
      }
    },
    end() {
      tell({ end: true })
      return done.promise
    },
    async stop() {
      await worker.terminate()
    },
  }
}

function failure({ failed, code }: Extract<FromFile, { failed: string }>): Error {
  if (/larger than 4 GiB/.test(failed))
    return new Problem(
      'too_large',
      'The workbook would be larger than 4 GB. Export it as CSV, or fewer columns.',
    )
  return Object.assign(new Error(failed), code === undefined ? {} : { code })
}
