/**
 * A process that imports one file, or takes an import back, to be killed in the middle. Argument: JSON of `ImportTask`.
 * Ends with the state of the run as the only line of its output.
 */
import { importFile, undoImport } from '../../server/events/import/import-file.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { worldIn } from './import-world.ts'

export type ImportTask = {
  postgres: string
  dataFolder: string
  /** Hex. */
  key: string
  at: string
  file: string
  source: string
  /** The run to take back instead. */
  undo: string | null
  crashAt: string
}

const task = JSON.parse(process.argv[2] ?? '{}') as ImportTask
const db = openDatabase(task.postgres, { max: 4 })
const world = worldIn(task.dataFolder, db, task.at, Buffer.from(task.key, 'hex'))
armCrashPoint(task.crashAt)
const now = world.clock.now()
const run =
  task.undo === null
    ? (await importFile(world, { file: task.file, source: task.source, now })).run
    : await undoImport(world, task.undo, now)
process.stdout.write(`${run.state}\n`)
await db.close()
