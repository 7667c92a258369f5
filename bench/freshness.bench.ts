/**
 * Freshness: from the moment an SDK sends an event to the moment when the API shows its member in the segment that the
 * event makes true, while 2,000 events of 2,000 different members come in every second and 100 segments are live.
 * The limit, in the same run: the same request and the same poll against the program at rest.
 * Run: node bench/freshness.bench.ts [minutes] [members] [events a second] [counted minutes]
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSource } from '../contract/intake.ts'
import type { Rule } from '../contract/rule.ts'
import { readConfig } from '../server/config.ts'
import { openLog } from '../server/platform/logging/log.ts'
import { openStores } from '../server/stores.ts'
import { count, figure, inSeconds } from './figures.ts'
import { fillMembers, isRecomputed, publicIdOf } from './freshness-members.ts'
import { loaded } from './intake-clients.ts'
import { type Program, type Session, signIn, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const MINUTES = Number(process.argv[2] ?? 30)
const MEMBERS = Number(process.argv[3] ?? 1_000_000)
const RATE = Number(process.argv[4] ?? 2000)
const COUNTED_MINUTES = Number(process.argv[5] ?? Math.min(5, MINUTES))
const SEGMENTS = 100
const AT_REST_MS = 20_000
const PROBE_EVERY_MS = 1000
/** A probe looks again after a quarter of its age, so that late ones stay below the limit of requests a minute. */
const LOOK_AFTER_MS = 50
const LOOK_SHARE = 0.25
const LONGEST_MS = 30_000
/** Members that the program itself brings to their state; the others are like them. */
const PATTERN = 1000
let probes = 0

await inFolder(async (folder) => {
  const data = join(folder, 'data')
  const { writeKey, probe } = await begun(data, async (program) => {
    const call = await signIn(program)
    const source = (await call('POST', '/event-sources', { code: 'bench', name: 'bench' })) as EventSource
    return { writeKey: source.writeKey, probe: await fill(data, call) }
  })
  // Started anew: PostgreSQL has the buffers of a base of this size.
  await begun(data, (program) => measure(program, { writeKey, probe }))
})

async function begun<Done>(data: string, work: (program: Program) => Promise<Done>): Promise<Done> {
  const program = await startProgram(data, { LIULIANG_DEMO: 'off' })
  try {
    return await work(program)
  } finally {
    await program.stop()
  }
}

async function measure(
  program: Program,
  { writeKey, probe }: { writeKey: string; probe: number },
): Promise<void> {
  const call = await signIn(program)
  told(`${count(MEMBERS)} members are there, in ${SEGMENTS} live segments`)
  const probing = { address: program.address, key: writeKey, call, segmentId: probe }
  const atRest = await probeFor(AT_REST_MS, probing)
  told(`at rest p50 ${inSeconds(at(atRest, 0.5))}, p99 ${inSeconds(at(atRest, 0.99))}`)
  const before = program.processor()
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
  const { events, seconds, refused, p99 } = await load
  const spent = [...program.processor()].map(
    ([kind, of]) => `${kind} ${((of - (before.get(kind) ?? 0)) / seconds).toFixed(2)}`,
  )
  figure({
    what: 'Freshness: sent until readable in the segment',
    data: `${count(MEMBERS)} members, ${SEGMENTS} segments, ${count(events / seconds)} events/s of different members for ${MINUTES} minutes, the last ${COUNTED_MINUTES} counted, ${under.length} probes, ${refused} requests refused, p99 of a request ${p99.toFixed(0)} ms; processors: ${spent.join(', ')}`,
    ours: `p50 ${inSeconds(at(under, 0.5))}, p99 ${inSeconds(at(under, 0.99))}, longest ${inSeconds(at(under, 1))}`,
    limit: `at rest p50 ${inSeconds(at(atRest, 0.5))}, p99 ${inSeconds(at(atRest, 0.99))}`,
    ratio: at(atRest, 0.5) / at(under, 0.5),
    wanted: 'p50 at most 0.5 s, p99 at most 2 s',
  })
}

/** How far it has come: what takes minutes says so, on the other stream than figures. */
function told(words: string): void {
  process.stderr.write(`${words}\n`)
}

/** Members and segments. Answers the segment that probes enter. */
async function fill(data: string, call: Session): Promise<number> {
  const config = readConfig({ ...process.env, LIULIANG_DATA: data })
  const stores = await openStores(config, openLog({ level: 'silent' }), 'either')
  try {
    await fillMembers(stores, 0, Math.min(PATTERN, MEMBERS))
    const probe = await segment(call, 'probe', tracked('Probe', 1, 1))
    for (const [name, rule] of rules(SEGMENTS - 1)) await segment(call, name, rule)
    while (!(await isRecomputed(stores.db, Math.min(PATTERN, MEMBERS)))) await sleep(500)
    await fillMembers(stores, PATTERN, MEMBERS)
    return probe
  } finally {
    await stores.close()
  }
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
  const member = (probes * 7) % MEMBERS
  const message = {
    type: 'track',
    userId: `M${member}`,
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
    const path = `/members/${publicIdOf(member)}`
    const { segments } = (await call('GET', path)) as { segments: { segmentId: number }[] }
    if (segments.some((one) => one.segmentId === segmentId)) break
    await sleep(Math.max(LOOK_AFTER_MS, (performance.now() - sent) * LOOK_SHARE))
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
