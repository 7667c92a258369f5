import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import { sql } from '../platform/postgres/sql.ts'
import { seedDemo } from './demo.ts'

test('measure', async () => {
  const db = await testDatabase()
  const n = Number(process.env['N'] ?? 1000)
  await db.run(sql`alter system set shared_preload_libraries = ''`).catch(() => 0)
  const t = performance.now()
  let q = 0
  let c = 0
  const tx0 = db.transaction
  const slow: [number, string][] = []
  ;(db as any).transaction = (w: any) =>
    tx0(async (tx) => {
      const orig = tx.client.query.bind(tx.client)
      ;(tx.client as any).query = (...a: any[]) => {
        const s = performance.now()
        const r = (orig as any)(...a)
        if (r && r.then)
          return r.then((x: any) => {
            q += performance.now() - s
            c++
            slow.push([
              performance.now() - s,
              (typeof a[0] === 'string' ? a[0] : (a[0].text ?? 'copy')).replace(/\s+/g, ' ').slice(0, 100),
            ])
            return x
          })
        return r
      }
      return w(tx).finally(() => {
        delete (tx.client as any).query
      })
    })
  const cpu = process.cpuUsage()
  const done = await seedDemo(
    { db, members: { keys: testKeys(), followers: [] } },
    {
      now: new Date('2026-03-02T02:00:00Z'),
      members: n,
      onProgress: (w, d) =>
        console.log(w, d, Math.round(performance.now() - t), process.cpuUsage(cpu).user / 1e6),
    },
  )
  console.log(done.orders, performance.now() - t, 'query ms', q, c)
  const by = new Map<string, number>()
  for (const [ms, text] of slow) by.set(text, (by.get(text) ?? 0) + ms)
  console.log(
    [...by]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 25)
      .map(([a, b]) => Math.round(b) + ' ' + a)
      .join('\n'),
  )
  expect(done.members).toBe(n)
}, 200000)
