/** import FILE: members, orders or WeCom contacts from CSV, XLSX or NDJSON on this machine. */
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { ColumnMapping, type FormatChange, type ImportRun, type Mapping } from '../../contract/import.ts'
import { ImportKind } from '../../contract/import-fields.ts'
import { type ImportParts, importFile, rejectedText, undoImport } from '../events/events.ts'
import { importParts } from '../joined.ts'
import { Problem } from '../platform/problem.ts'
import { systemClock } from '../platform/time/clock.ts'
import { type Command, stoppable, withStores } from './command.ts'

export type ImportOptions = {
  kind?: string | undefined
  source?: string | undefined
  mapping?: string | undefined
  encoding?: string | undefined
  sheet?: string | undefined
  dryRun?: boolean | undefined
  rejected?: string | undefined
}

/** Exit code 1 where the file as a whole failed; rejected rows are counted and do not fail it. */
export async function importCommand(command: Command, file: string, options: ImportOptions): Promise<number> {
  const { terminal } = command
  const kind = options.kind === undefined ? undefined : kindOf(options.kind)
  const mapping = options.mapping === undefined ? undefined : await mappingOf(options.mapping)
  const progress = terminal.progress('rows')
  const { run, columns } = await stoppable('Stopped. Run the same command again to go on.', (signal) =>
    withStores(command, 'either', async (stores) => {
      const parts = importParts(stores, systemClock)
      const result = await importFile(parts, {
        file: resolve(file),
        kind,
        mapping,
        source: options.source,
        format: formatOf(options),
        dryRun: options.dryRun ?? false,
        now: systemClock.now(),
        signal,
        onProgress: ({ done, counts }) => progress.tickShare(done, counts.read),
      })
      if (options.rejected !== undefined) await writeRejected(parts, result.run, resolve(options.rejected))
      return result
    }),
  )
  progress.done()
  for (const { heading, field } of columns) terminal.say(`  ${heading} → ${field ?? '(left out)'}`)
  tell(terminal, run)
  terminal.result({ run, columns })
  return run.failure === null ? 0 : 1
}

/** Takes back what an import created, changed and merged. Errors: `bad_input` for what is no number of an import. */
export async function undoCommand(command: Command, id: string): Promise<undefined> {
  if (!z.uuid().safeParse(id).success)
    throw new Problem('bad_input', `${id} is no number of an import: give the number that import printed.`, {
      field: 'id',
    })
  const run = await withStores(command, 'either', (stores) =>
    undoImport(importParts(stores, systemClock), id, systemClock.now()),
  )
  tell(command.terminal, run)
  command.terminal.result({ run })
}

function tell(terminal: Command['terminal'], { id, kind, state, counts, failure }: ImportRun): void {
  const shown = Object.entries(counts).filter(([, value]) => typeof value === 'number' && value > 0)
  terminal.say(`${kind}: ${state}${failure === null ? '' : ` (${failure})`}`)
  for (const [name, value] of shown)
    terminal.say(`  ${name.padEnd(20)} ${Number(value).toLocaleString('en-US')}`)
  for (const [reason, rows] of Object.entries(counts.reasons)) terminal.say(`  rejected, ${reason}: ${rows}`)
  terminal.say(`Import ${id}`)
}

function kindOf(text: string): ImportKind {
  const kind = ImportKind.safeParse(text)
  if (!kind.success)
    throw new Problem('bad_input', `--kind is one of: ${ImportKind.options.join(', ')}.`, { field: 'kind' })
  return kind.data
}

/** A JSON file: {"heading": "field", …}; null leaves a column out. */
async function mappingOf(path: string): Promise<Mapping> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) throw new Problem('bad_input', `There is no file ${path}.`, { field: 'mapping' })
  try {
    const fields = JSON.parse(text) as Record<string, string | null>
    const columns = Object.entries(fields).map(([heading, field]) => ColumnMapping.parse({ heading, field }))
    return { columns, defaults: {} }
  } catch {
    throw new Problem('bad_input', `${path} is no mapping. Write {"heading of the file": "field", …}.`, {
      field: 'mapping',
    })
  }
}

function formatOf({ encoding, sheet }: ImportOptions): FormatChange {
  return {
    ...(encoding === undefined ? {} : { encoding: encoding as NonNullable<FormatChange['encoding']> }),
    ...(sheet === undefined ? {} : { sheet }),
  }
}

async function writeRejected(parts: ImportParts, run: ImportRun, path: string): Promise<void> {
  if (run.counts.rejected === 0) return
  await pipeline(Readable.from(rejectedText(parts, run.id)), createWriteStream(path, { mode: 0o600 }))
}
