import { expect, test, vi } from 'vitest'
import type { LoopRun } from './platform/http/metrics.ts'
import { openLog } from './platform/logging/log.ts'
import type { WorkPlace } from './work-place.ts'
import { startWorkThread } from './work-thread.ts'

/** Takes the place of the loops: what it does is written in `text`, with `lives` counted in the memory of `doors`. */
function thread(text: string) {
  const waiting = new Int32Array(new SharedArrayBuffer(8))
  const place = { doors: waiting } as WorkPlace
  const source = `import { parentPort, workerData } from 'node:worker_threads'
    const life = Atomics.add(workerData.doors, 0, 1) + 1
    const told = () => Atomics.add(workerData.doors, 1, 1)
    ${text}`
  const runs: LoopRun[] = []
  const logged: string[] = []
  const log = openLog({ level: 'info', destination: { write: (line) => logged.push(line) } })
  const file = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const running = startWorkThread(place, { metrics: { loop: (run) => runs.push(run) }, log, file })
  return {
    running,
    runs,
    logged,
    lives: () => Atomics.load(waiting, 0),
    stops: () => Atomics.load(waiting, 1),
  }
}

test('a thread of work that fails is logged and begun again, and what it did is counted here', async () => {
  const { running, runs, logged, lives } = thread(`
    if (life === 1) throw new Error('out of luck')
    parentPort.once('message', () => parentPort.close())
    parentPort.postMessage([{ loop: 'react.live', seconds: 0.5, failed: false }])`)
  await vi.waitFor(() => expect(runs).toEqual([{ loop: 'react.live', seconds: 0.5, failed: false }]), 10_000)
  expect(lives()).toBe(2)
  expect(logged.join('')).toMatch(/work\.failed.*out of luck/s)
  expect(logged.join('')).toContain('work.begins_again')
  await running.stop()
  expect(lives()).toBe(2)
})

test('stopping waits until the last round of the thread has ended, and then it stays ended', async () => {
  const { running, lives, stops } = thread(`
    parentPort.once('message', () => setTimeout(() => { told(); parentPort.close() }, 300))`)
  await running.stop()
  expect(stops()).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 700))
  expect(lives()).toBe(1)
})

test('stopping does not wait for the pause before a thread begins again', async () => {
  const { running, lives, logged } = thread('throw new Error("always")')
  await vi.waitFor(() => expect(logged.join('')).toContain('work.begins_again'), 10_000)
  const begun = performance.now()
  await running.stop()
  expect(performance.now() - begun).toBeLessThan(400)
  expect(lives()).toBe(1)
})
