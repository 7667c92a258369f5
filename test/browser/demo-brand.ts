/** The demo brand, small and evaluated, behind the real pages: what most browser tests look at. */
import { fileURLToPath } from 'node:url'
import { seedDemo } from '../../server/demo/demo.ts'
import { membersDeps } from '../../server/joined.ts'
import { type TestApp, testApp } from '../support/app.ts'
import { testClickHouse } from '../support/clickhouse.ts'
import { testDatabase } from '../support/database.ts'
import { untilQuiet } from '../support/demo.ts'

/** Where the pages are built; the run builds them before the browser tests. */
export const webFolder = fileURLToPath(new URL('../../web/dist', import.meta.url))
/** Monday, 09:00 in China. */
const BEGIN = '2026-03-02T01:00:00Z'

/** The program over an empty brand. */
export async function emptyBrand(): Promise<TestApp> {
  return testApp(await testDatabase(), { clickhouse: await testClickHouse(), webFolder, at: BEGIN })
}

/** The program over a demo brand of so many members that has lived for some hours. */
export async function demoBrand({ members = 200, hours = 0 } = {}): Promise<TestApp> {
  const app = await emptyBrand()
  const deps = membersDeps(app.parts.stores.keyring)
  await seedDemo({ db: app.db, members: deps }, { now: app.clock.now(), members, seed: 'pages' })
  // The present SOP opens one step after everybody is evaluated.
  for (let step = 0; step < 4; step += 1) await untilQuiet(app)
  for (let hour = 0; hour < hours; hour += 1) {
    app.clock.advance({ hours: 1 })
    await untilQuiet(app)
  }
  return app
}
