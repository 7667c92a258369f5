/** demo: write the demo brand into an empty database, or take it out. */
import {
  countDemoBrand,
  removeDemoBrand,
  type Seeded,
  wantsDemoBrand,
  writeDemoBrand,
} from '../demo-brand.ts'
import { systemClock } from '../platform/time/clock.ts'
import type { Stores } from '../stores.ts'
import { type Command, withStores } from './command.ts'
import type { Terminal } from './terminal.ts'

export type DemoOptions = {
  remove?: boolean | undefined
  members?: string | undefined
  seed?: string | undefined
}
type Wanted = { members?: number; seed?: string }

export async function demo(command: Command, options: DemoOptions): Promise<undefined> {
  const { terminal } = command
  const { remove = false, members, seed } = options
  await withStores(command, 'either', async (stores) => {
    if (remove) {
      const progress = terminal.progress('rows removed')
      const rows = await removeDemoBrand(stores, {
        now: systemClock.now(),
        onProgress: (done) => progress.tick(done),
      })
      progress.done()
      terminal.say(`The demo brand is gone: ${rows.toLocaleString('en-US')} rows. The audit trail stays.`)
      terminal.result({ removed: rows })
      return
    }
    const seeded = await write(stores, terminal, {
      ...(members === undefined ? {} : { members: Number(members) }),
      ...(seed === undefined ? {} : { seed }),
    })
    tellDemo(terminal, seeded)
    terminal.result({ seeded, counts: await countDemoBrand(stores) })
  })
}

/** What a start does with a directory that holds nothing yet. Undefined where there is something. */
export async function seedWhenEmpty(stores: Stores, terminal: Terminal): Promise<Seeded | undefined> {
  if (!(await wantsDemoBrand(stores))) return undefined
  terminal.say('')
  terminal.say('The directory is empty: writing a demo brand (LIULIANG_DEMO=off leaves it out) …')
  return write(stores, terminal, {})
}

export function tellDemo(terminal: Terminal, { members, orders, logins }: Seeded): void {
  terminal.say(
    `Demo brand: ${members.toLocaleString('en-US')} members, ${orders.toLocaleString('en-US')} orders. Remove it with: npm run liuliang -- demo --remove`,
  )
  for (const { login, oneTimePassword } of logins) {
    terminal.say(`  ${login} / ${oneTimePassword}   (opens the workbench; shown once)`)
  }
}

async function write(stores: Stores, terminal: Terminal, wanted: Wanted): Promise<Seeded> {
  const progress = terminal.progress('members')
  const seeded = await writeDemoBrand(stores, {
    now: systemClock.now(),
    ...wanted,
    onProgress(what, done, total) {
      if (what === 'members') progress.tick(done, total)
    },
  })
  progress.done()
  return seeded
}
