/**
 * From the command to the first served page: an empty directory with the demo brand, the same directory again, and after
 * SIGKILL of everything in the middle of an import. Then every page opened once, and the memory of each process.
 * Run: node bench/start.bench.ts
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { figure, inSeconds } from './figures.ts'
import { memoryFigure, openEveryPage } from './pages.ts'
import { beginCommand, runCommand, signIn, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const ROWS = 200_000
/** After it the program has given back what it does not need. */
const REST_MS = 30_000
const KILL_AFTER_MS = 6_000
const DEMO = '20,000 members, 3 years of orders'

await inFolder(async (folder) => {
  const data = join(folder, 'data')
  const first = await startProgram(data)
  await signIn(first)
  await first.stop()
  told('First start, the demo brand written', first.seconds, 'at most 60 s')

  const second = await startProgram(data)
  told('Second start', second.seconds, 'at most 3 s')
  await openEveryPage(second.address)
  memoryFigure(second, `${DEMO}; the first evaluation of everybody just done`, 'at most 700 MB')
  await new Promise((resolve) => setTimeout(resolve, REST_MS))
  memoryFigure(second, `${DEMO}; half a minute later`, 'at most 700 MB')

  const file = join(folder, 'members.csv')
  await writeFile(file, members())
  const importing = beginCommand(data, ['import', file])
  await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS))
  importing.child.kill('SIGKILL')
  await second.kill()
  await importing.done
  const third = await startProgram(data)
  told('Start after SIGKILL of everything during an import', third.seconds, 'at most 10 s')
  const [end] = (await runCommand(data, ['import', file])).slice(-1) as [
    { run: { counts: { read: number } } },
  ]
  if (end.run.counts.read !== ROWS) throw new Error(`the import read ${end.run.counts.read} rows of ${ROWS}`)
  await third.stop()
})

function told(what: string, seconds: number, wanted: string): void {
  figure({ what, data: DEMO, ours: inSeconds(seconds), wanted })
}

function members(): string {
  const lines = Array.from(
    { length: ROWS },
    (_, n) =>
      `N${n},会员${n},13${String(200_000_000 + n * 7).padStart(9, '0')},2024-0${1 + (n % 9)}-11 10:00`,
  )
  return `会员编号,姓名,手机号,入会时间\n${lines.join('\n')}\n`
}
