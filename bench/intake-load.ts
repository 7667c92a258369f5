/**
 * Clients of the doors, in a process of their own: so many connections, each sending its next request when the last was
 * answered, in Segment's form. Argument: JSON of `Load`. Prints JSON of `Loaded`.
 */
import { Agent, request } from 'node:http'

export type Load = {
  address: string
  writeKey: string
  perRequest: number
  connections: number
  seconds: number
  /** Events speak of members M0 … */
  members: number
  /** Begins the ids of messages. */
  run: string
  /** Events a second at most; without it as fast as they are answered. */
  rate?: number
}
export type Loaded = {
  /** Events of requests that were answered 200. */
  events: number
  requests: number
  refused: number
  seconds: number
  /** Of a request, in ms. */
  p50: number
  p99: number
  /** Of this process. */
  cpuSeconds: number
}

const load = JSON.parse(process.argv[2] ?? '{}') as Load
const agent = new Agent({ keepAlive: true, maxSockets: load.connections })
const url = new URL('/v1/batch', load.address)
const authorization = `Basic ${Buffer.from(`${load.writeKey}:`).toString('base64')}`
const NAMES = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']
let made = 0
let events = 0
let refused = 0
const times: number[] = []

function body(): string {
  const sentAt = new Date().toISOString()
  let messages = ''
  for (let n = 0; n < load.perRequest; n += 1) {
    const id = made
    made += 1
    messages += `${n === 0 ? '' : ','}{"type":"track","event":"${NAMES[id & 3]}","userId":"M${(id * 7919) % load.members}","properties":{"sku":"SKU${id % 2000}","price":${(id % 300) + 0.9},"quantity":${1 + (id % 3)},"category":"类目${id % 20}"},"context":{"library":{"name":"analytics-node","version":"3.1.0"}},"messageId":"node-next-${load.run}-${id}","timestamp":"${sentAt}","_metadata":{"nodeVersion":"24.0.0"},"integrations":{}}`
  }
  return `{"batch":[${messages}],"sentAt":"${sentAt}"}`
}

function send(): Promise<number> {
  const text = body()
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          authorization,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        },
      },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end(text)
  })
}

const begun = performance.now()
const end = begun + load.seconds * 1000
await Promise.all(
  Array.from({ length: load.connections }, async () => {
    while (performance.now() < end) {
      const due = load.rate === undefined ? 0 : begun + (made / load.rate) * 1000
      if (due > performance.now())
        await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
      const sent = performance.now()
      const status = await send()
      times.push(performance.now() - sent)
      if (status === 200) events += load.perRequest
      else refused += 1
    }
  }),
)
agent.destroy()
times.sort((a, b) => a - b)
const cpu = process.cpuUsage()
const loaded: Loaded = {
  events,
  requests: times.length,
  refused,
  seconds: (performance.now() - begun) / 1000,
  p50: times[Math.floor(times.length * 0.5)] ?? 0,
  p99: times[Math.floor(times.length * 0.99)] ?? 0,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
}
process.stdout.write(`${JSON.stringify(loaded)}\n`)
