/**
 * The command line of Liuliang. Each command is a file in commands/; `liuliang <command> --help` explains it.
 * Commands are loaded when they are called, and compiled code is kept between runs: starting is most of what a short
 * command takes.
 */
import { enableCompileCache } from 'node:module'
import { Command as Line } from 'commander'
import { VERSION } from './version.ts'

enableCompileCache()

const line = new Line('liuliang')
  .description('Private-domain member operations: CDP, SCRM on WeCom, and SOP automation in one program.')
  .version(VERSION)
  .showHelpAfterError('Run with --help to see how.')
  .addHelpText(
    'after',
    `
Environment:
  LIULIANG_DATA        data directory (default ./data)
  HOST, PORT           where pages are served (default 127.0.0.1 and 7300)
  DATABASE_URL         PostgreSQL 18 or newer of your own (default: built in)
  CLICKHOUSE_URL       ClickHouse of your own, http://user:password@host:8123/database (default: built in)
  CLICKHOUSE_CLUSTER   the cluster of that ClickHouse over which tables are spread (default: one server)
  LIULIANG_MASTER_KEY  key for personal data, 32 bytes as hex or base64 (default: made in the data directory)
  LIULIANG_DEMO        off: no demo brand in an empty data directory (default auto)
  LIULIANG_PUBLIC_URL  the address that browsers use, when a proxy stands before the program
  LIULIANG_TRUST_PROXY 1 to believe X-Forwarded-For and X-Forwarded-Proto
  LIULIANG_DB_POOL     connections to PostgreSQL of one process (default 12)
  LIULIANG_LEAST_FREE_GB  below so much free disk, intake and sending wait (default 2)
  LIULIANG_LOG         debug, info, warn, error or silent (default info)`,
  )

type Json = { json?: boolean }
type Given = import('./commands/command.ts').Command
type Work = (given: Given) => Promise<number | undefined>

function command(name: string, description: string): Line {
  return line.command(name).description(description).option('--json', 'write the result as JSON for programs')
}

async function run(options: Json, load: () => Promise<Work>): Promise<void> {
  const { runCommand } = await import('./commands/command.ts')
  await runCommand(options, async (given) => (await load())(given))
}

function longRunning(form: { serve: boolean; work: boolean; forPeople: boolean }) {
  return (options: Json) =>
    run(options, async () => {
      const { runProgram } = await import('./commands/run.ts')
      return (given) => runProgram(given, form)
    })
}

command('start', 'Start everything: stores, pages, work. The way to run it on one machine.').action(
  longRunning({ serve: true, work: true, forPeople: true }),
)

command('serve', 'Serve the pages and the API only; work runs in other processes.').action(
  longRunning({ serve: true, work: false, forPeople: false }),
)

command('work', 'Run the work loops only: reacting, projecting, evaluating, stepping, sending.').action(
  longRunning({ serve: false, work: true, forPeople: false }),
)

command('migrate', 'Bring both stores to the schema of this program.').action((options: Json) =>
  run(options, async () => (await import('./commands/migrate.ts')).migrate),
)

command('import', 'Import members, orders or WeCom contacts from CSV, XLSX or NDJSON.')
  .argument('<file>', 'a file on this machine')
  .option('--kind <kind>', 'members, orders, … (guessed from the headings)')
  .option('--mapping <file>', 'JSON of {"heading": "field"} (guessed, or the one saved for these headings)')
  .option('--source <name>', 'the system that the numbers in the file belong to')
  .option('--encoding <name>', 'utf-8 or gb18030 (recognised)')
  .option('--sheet <name>', 'sheet of a workbook (the first)')
  .option('--dry-run', 'count what would happen, change nothing')
  .option('--rejected <file>', 'write rejected rows with row, column, value and reason')
  .action((file: string, options: Json & import('./commands/import.ts').ImportOptions) =>
    run(options, async () => {
      const { importCommand } = await import('./commands/import.ts')
      return (given) => importCommand(given, file, options)
    }),
  )

command('undo-import', 'Take back what an import created, changed and merged (for 30 days).')
  .argument('<id>', 'the number that import printed')
  .action((id: string, options: Json) =>
    run(options, async () => {
      const { undoCommand } = await import('./commands/import.ts')
      return (given) => undoCommand(given, id)
    }),
  )

command('export', 'Write members, orders or the audit trail to a CSV, NDJSON or (members) XLSX file.')
  .argument('<what>', 'members, orders or audit')
  .argument('<file>', 'ends in .csv or .ndjson; for members also .xlsx')
  .option('--segment <name>', 'members of this segment only, by its name or number')
  .option('--columns <list>', 'which columns, in words for people: name,phone,lifecycle,…')
  .option('--lang <lang>', 'language of those columns: zh (usual) or en')
  .action((what: string, file: string, options: Json & import('./commands/export.ts').ExportOptions) =>
    run(options, async () => {
      const { exportCommand } = await import('./commands/export.ts')
      return (given) => exportCommand(given, what, file, options)
    }),
  )

command('demo', 'Write the demo brand into an empty directory, or take it out.')
  .option('--members <n>', 'how many members (20000)')
  .option('--seed <text>', 'another seed makes another brand (liuliang)')
  .option('--remove', 'take it out, with everything that came of it')
  .action((options: Json & import('./commands/demo.ts').DemoOptions) =>
    run(options, async () => {
      const { demo } = await import('./commands/demo.ts')
      return (given) => demo(given, options)
    }),
  )

command('rebuild', 'Make ClickHouse again from log and archive.').action((options: Json) =>
  run(options, async () => (await import('./commands/rebuild.ts')).rebuild),
)

command('backup', 'Back up everything but the master key, also while the program runs.')
  .argument('<dir>', 'a new or empty folder')
  .action((dir: string, options: Json) =>
    run(options, async () => {
      const { backup } = await import('./commands/backup.ts')
      return (given) => backup(given, dir)
    }),
  )

command('restore', 'Restore a backup into LIULIANG_DATA, which must be new or empty.')
  .argument('<dir>', 'the folder of the backup')
  .option('--key-file <file>', 'a file with the master key (else LIULIANG_MASTER_KEY)')
  .action((dir: string, options: Json & import('./commands/restore.ts').RestoreOptions) =>
    run(options, async () => {
      const { restore } = await import('./commands/restore.ts')
      return (given) => restore(given, dir, options)
    }),
  )

command('reset-owner', 'Set a one-time password for the owner, and print it once.').action((options: Json) =>
  run(options, async () => (await import('./commands/reset-owner.ts')).resetOwner),
)

command('doctor', 'Check environment, versions, stores, disk, clock, log and consumers, and say what to do.')
  .option('--accept-clock', 'the clock of this machine is right now: let business time begin again here')
  .action((options: Json & { acceptClock?: boolean }) =>
    run(options, async () => {
      const { doctor } = await import('./commands/doctor.ts')
      return (given) => doctor(given, options)
    }),
  )

await line.parseAsync()
