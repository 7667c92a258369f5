/**
 * The doors over HTTP, through the real program with all its consumers, the clients on the same machine: 100, 15 and 1
 * events a request, then how fast the backlog is drained. The limit, in the same run: a bare HTTP server that reads each
 * body, parses it and answers.
 * Run: node bench/intake.bench.ts [seconds] [members]
 */
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSource } from '../contract/intake.ts'
import { readConfig } from '../server/config.ts'
import { readLag } from '../server/events/events.ts'
import { openLog } from '../server/platform/logging/log.ts'
import { systemClock } from '../server/platform/time/clock.ts'
import { openStores } from '../server/stores.ts'
import { count, figure, inSeconds } from './figures.ts'
import { loaded } from './intake-clients.ts'
import { runCommand, signIn, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const SECONDS = Number(process.argv[2] ?? 20)
const MEMBERS = Number(process.argv[3] ?? 20_000)
/** Events a request, and what must be reached a second. */
const SIZES = [
  [100, 20_000],
  [15, 10_000],
  [1, 4000],
] as const

await inFolder(async (folder) => {
  const data = join(folder, 'data')
  const program = await startProgram(data, { LIULIANG_DEMO: 'off' })
  const config = readConfig({ ...process.env, LIULIANG_DATA: data })
  const stores = await openStores(config, openLog({ level: 'silent' }), 'either')
  try {
    const call = await signIn(program)
    const { writeKey } = (await call('POST', '/event-sources', {
      code: 'bench',
      name: 'bench',
    })) as EventSource
    const members = join(folder, 'members.csv')
    await writeFile(
      members,
      `会员编号,姓名\n${Array.from({ length: MEMBERS }, (_, n) => `M${n},会员${n}`).join('\n')}\n`,
    )
    await runCommand(data, ['import', members])
    const behind = async (): Promise<number> =>
      Math.max(...(await readLag(stores.db, systemClock.now())).map((one) => one.behind))
    while ((await behind()) > 0) await sleep(500)
    const bare = await bareServer()
    for (const [perRequest, wanted] of SIZES) {
      const load = {
        writeKey,
        perRequest,
        connections: perRequest === 100 ? 16 : 64,
        seconds: SECONDS,
        members: MEMBERS,
      }
      const limit = await loaded({ ...load, address: bare.address, seconds: 5, run: 'bare' })
      const before = program.processor()
      const ours = await loaded({ ...load, address: program.address, run: String(perRequest) })
      const spent = [...program.processor()].map(([kind, seconds]) => [
        kind,
        seconds - (before.get(kind) ?? 0),
      ])
      const left = await behind()
      const rate = ours.events / ours.seconds
      figure({
        what: `Intake over HTTP, ${perRequest} ${perRequest === 1 ? 'event' : 'events'} a request`,
        data: `${count(ours.events)} events of ${count(MEMBERS)} members in ${inSeconds(ours.seconds)}, ${load.connections} connections, ${ours.refused} requests refused; processor ${spent.map(([kind, seconds]) => `${kind} ${Number(seconds).toFixed(1)}`).join(', ')}, clients ${ours.cpuSeconds.toFixed(1)} s`,
        ours: `${count(rate)} events/s, request p50 ${ours.p50.toFixed(0)} ms, p99 ${ours.p99.toFixed(0)} ms; ${left >= 100_000 ? 'over 100,000' : count(left)} events behind at the end`,
        limit: `${count(limit.events / limit.seconds)} events/s by a bare server that parses and answers`,
        ratio: rate / (limit.events / limit.seconds),
        wanted: `at least ${count(wanted)} events/s`,
      })
      const begun = performance.now()
      while ((await behind()) > 0) await sleep(200)
      const seconds = (performance.now() - begun) / 1000
      if (left > 1000)
        figure({
          what: 'Backlog drained afterwards',
          data: `${left >= 100_000 ? 'over 100,000' : count(left)} events`,
          ours: `${inSeconds(seconds)}${left < 100_000 ? ` (${count(left / seconds)} events/s)` : ''}`,
          wanted: 'at least 5,000 events/s',
        })
    }
    bare.close()
  } finally {
    await stores.close()
    await program.stop()
  }
})

function bareServer(): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      JSON.parse(Buffer.concat(pieces).toString('utf8'))
      response.end('{"success":true}')
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({
        address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => server.close(),
      }),
    )
  })
}
