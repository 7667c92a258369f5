/** The command line of Liuliang. Each command is a file in commands/; `liuliang <command> --help` explains it. */
import { Command as Line } from 'commander'
import { runCommand } from './commands/command.ts'
import { doctor } from './commands/doctor.ts'
import { migrate } from './commands/migrate.ts'
import { resetOwner } from './commands/reset-owner.ts'
import { runProgram } from './commands/run.ts'
import { VERSION } from './version.ts'

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
  LIULIANG_MASTER_KEY  key for personal data, 32 bytes as hex or base64 (default: made in the data directory)
  LIULIANG_PUBLIC_URL  the address that browsers use, when a proxy stands before the program
  LIULIANG_TRUST_PROXY 1 to believe X-Forwarded-For and X-Forwarded-Proto
  LIULIANG_LOG         debug, info, warn, error or silent (default info)`,
  )

type Options = { json?: boolean }

function command(name: string, description: string): Line {
  return line.command(name).description(description).option('--json', 'write the result as JSON for programs')
}

command('start', 'Start everything: stores, pages, work. The way to run it on one machine.').action(
  (options: Options) =>
    runCommand(options, (given) => runProgram(given, { serve: true, work: true, forPeople: true })),
)

command('serve', 'Serve the pages and the API only; work runs in other processes.').action(
  (options: Options) =>
    runCommand(options, (given) => runProgram(given, { serve: true, work: false, forPeople: false })),
)

command('work', 'Run the work loops only: reacting, projecting, evaluating, stepping, sending.').action(
  (options: Options) =>
    runCommand(options, (given) => runProgram(given, { serve: false, work: true, forPeople: false })),
)

command('migrate', 'Bring both stores to the schema of this program.').action((options: Options) =>
  runCommand(options, migrate),
)

command('reset-owner', 'Set a one-time password for the owner, and print it once.').action(
  (options: Options) => runCommand(options, resetOwner),
)

command('doctor', 'Check environment, versions, stores, disk, clock, log and consumers, and say what to do.')
  .option('--accept-clock', 'the clock of this machine is right now: let business time begin again here')
  .action((options: Options & { acceptClock?: boolean }) =>
    runCommand(options, (given) => doctor(given, options)),
  )

await line.parseAsync()
