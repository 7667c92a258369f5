/** Holds a data directory until it is killed. */
import { openDataDirectory } from '../../server/platform/data-directory.ts'

const directory = await openDataDirectory(process.argv[2] ?? '')
process.stdout.write(`${directory.id}\n`)
setInterval(() => undefined, 60_000)
