/**
 * Freshness: from the moment an SDK sends an event to the moment when the API shows its member in the segment that the
 * event makes true, while 2,000 events of 2,000 different members come in every second and 100 segments are live.
 * The limit, in the same run: the same request and the same poll against the program at rest.
 * Run: node bench/freshness.bench.ts [minutes] [members] [events a second]
 */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { EventSource } from '../contract/intake.ts'
import type { Rule } from '../contract/rule.ts'
import { count, figure, inSeconds } from './figures.ts'
import type { Load, Loaded } from './intake-load.ts'
import { type Program, runCommand, type Session, signIn, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const MINUTES = Number(process.argv[2] ?? 30)
const MEMBERS = Number(process.argv[3] ?? 1_000_000)
const RATE = Number(process.argv[4] ?? 2000)
const COUNTED_MINUTES = Math.min(5, MINUTES)
const PROBE_EVERY_MS = 1000
const LONGEST_MS = 60_000
let probes = 0
const CLIENTS = fileURLToPath(new URL('./intake-load.ts', import.meta.url))

await inFolder(async (folder) => {
  const data = join(folder, 'data')
  const program = await startProgram(data, { LIULIANG_DEMO: 'off' })
  try {
    await measure(folder, data, program)
  } finally {
    await program.stop()
  }
})

async function measure(folder: string, data: string, program: Program): Promise<void> {
  const call = await signIn(program)
  const { writeKey } = (await call('POST', '/event-sources', { code: 'bench', name: 'bench' })) as EventSource
  const probe = await segment(call, 'probe', tracked('Probe', 1, 1))
  for (const [name, rule] of rules(99)) await segment(call, name, rule)
  const members = join(folder, 'members.csv')
  const lines = Array.from({ length: MEMBERS }, (_, n) => `M${n},会员${n}`).join('\n')
  await writeFile(members, `会员编号,姓名\n${lines}\n`)
  await runCommand(data, ['import', members])
  const probing = { address: program.address, key: writeKey, call, segmentId: probe }
  const atRest = await probeFor(20_000, probing)
  const load = loaded({
    address: program.address,
    writeKey,
    perRequest: 15,
    connections: 16,
    seconds: MINUTES * 60,
    members: MEMBERS,
    run: 'fresh',
    rate: RATE,
  })
  await sleep((MINUTES - COUNTED_MINUTES) * 60_000)
  const under = await probeFor(COUNTED_MINUTES * 60_000, probing)
  const { events, seconds, refused } = await load
  figure({
    what: 'Freshness: sent until readable in the segment',
    data: `${count(MEMBERS)} members, 100 segments, ${count(events / seconds)} events/s of different members for ${MINUTES} minutes, the last ${COUNTED_MINUTES} counted, ${under.length} probes, ${refused} requests refused`,
    ours: `p50 ${inSeconds(at(under, 0.5))}, p99 ${inSeconds(at(under, 0.99))}`,
    limit: `at rest p50 ${inSeconds(at(atRest, 0.5))}, p99 ${inSeconds(at(atRest, 0.99))}`,
    ratio: at(atRest, 0.5) / at(under, 0.5),
    wanted: 'p50 at most 0.5 s, p99 at most 2 s',
  })
}

type Probing = { address: string; key: string; call: Session; segmentId: number }

/** Seconds of each probe, ascending. Each is a member of its own who does the one thing that lets into the segment. */
async function probeFor(forMs: number, probing: Probing): Promise<number[]> {
  const end = performance.now() + forMs
  const open: Promise<number>[] = []
  while (performance.now() < end) {
    open.push(probeOnce(probing))
    await sleep(PROBE_EVERY_MS)
  }
  return (await Promise.all(open)).sort((a, b) => a - b)
}

async function probeOnce({ address, key, call, segmentId }: Probing): Promise<number> {
  probes += 1
  const card = `M${(probes * 7) % MEMBERS}`
  const { items } = (await call('GET', `/members?q=${card}&limit=1`)) as { items: { id: string }[] }
  const [member] = items
  if (!member) throw new Error(`${card} was not found`)
  const message = {
    type: 'track',
    userId: card,
    event: 'Probe',
    messageId: `probe-${probes}`,
    properties: {},
  }
  const sent = performance.now()
  const headers = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }
  const answer = await fetch(`${address}/v1/track`, {
    method: 'POST',
    headers,
    body: JSON.stringify(message),
  })
  if (!answer.ok) throw new Error(`the probe was answered ${answer.status}`)
  while (performance.now() - sent < LONGEST_MS) {
    const { segments } = (await call('GET', `/members/${member.id}`)) as { segments: { segmentId: number }[] }
    if (segments.some((one) => one.segmentId === segmentId)) break
    await sleep(25)
  }
  return (performance.now() - sent) / 1000
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

async function segment(call: Session, name: string, rule: Rule): Promise<number> {
  return Number(((await call('POST', '/segments', { name, description: '', rule })) as { id: number }).id)
}

function tracked(name: string, days: number, least: number): Rule {
  return {
    kind: 'events',
    filter: { event: 'tracked', names: [name] },
    measure: { of: 'count' },
    window: { kind: 'rolling', days },
    compare: { op: 'ge', value: least },
  } as Rule
}

/** What brands ask for: how often somebody did something lately, alone and beside each other. */
function rules(many: number): [string, Rule][] {
  const names = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']
  const windows = [1, 3, 7, 14, 30, 60, 90]
  return Array.from({ length: many }, (_, n) => {
    const one = tracked(names[n % 4] ?? '', windows[n % 7] ?? 7, 1 + (n % 5))
    const other = tracked(names[(n + 1) % 4] ?? '', windows[(n + 3) % 7] ?? 7, 1)
    return [`segment ${n}`, n % 3 === 0 ? { kind: 'all', rules: [one, { kind: 'not', rule: other }] } : one]
  })
}

function loaded(load: Load): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CLIENTS, JSON.stringify(load)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let text = ''
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString()
    })
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(text) as Loaded) : reject(new Error(`the clients ended with ${code}`)),
    )
  })
}
