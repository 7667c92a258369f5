import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const FILE = new URL('./spare-memory.ts', import.meta.url).href

/** A heap of some 200 MB that becomes garbage, then a process with nothing to do; tells its memory before and after. */
const PROGRAM = `
  const { spareMemory } = await import(${JSON.stringify(FILE)})
  const rss = () => process.memoryUsage().rss / 1024 ** 2
  const spare = spareMemory({ lookMs: 100 })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const idle = rss()
  let held = []
  for (let round = 0; round < 40; round += 1) {
    held.push(Array.from({ length: 40_000 }, (_, n) => ({ n, text: 'x' + n, list: [n] })))
    if (held.length > 20) held.shift()
    await new Promise((resolve) => setImmediate(resolve))
  }
  held = []
  gc()
  const busy = rss()
  const until = performance.now() + 30_000
  while (rss() > idle + (busy - idle) / 3 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 100))
  spare.stop()
  process.stdout.write(JSON.stringify({ idle, busy, after: rss() }))
`

test('what V8 keeps of a heap that was large goes back to the system once there is nothing to do', () => {
  const text = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', PROGRAM], {
    encoding: 'utf8',
  })
  const { idle, busy, after } = JSON.parse(text) as Record<'idle' | 'busy' | 'after', number>
  expect(busy).toBeGreaterThan(idle + 100)
  expect(after).toBeLessThanOrEqual(idle + (busy - idle) / 3)
})
