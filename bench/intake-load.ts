/**
 * Clients of the doors, in a process of their own: so many connections, each sending its next request when the last was
 * answered, in Segment's form. Argument: JSON of `Load`. Prints JSON of `Loaded`.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

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
const { hostname, port } = new URL(load.address)
const HEAD = `POST /v1/batch HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Basic ${Buffer.from(`${load.writeKey}:`).toString('base64')}\r\ncontent-type: application/json\r\n`
const NAMES = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']
let made = 0
let planned = 0
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

/** One connection that is kept open; a request at a time. `node:http` would cost this machine as much as the doors do. */
class Line {
  readonly #socket: Socket
  readonly #open: Promise<unknown>
  #heard = ''
  #answered: ((status: number) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  constructor() {
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#open = once(this.#socket, 'connect')
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (piece: string) => this.#hear(piece))
    this.#socket.on('error', (error) => this.#failed?.(error))
    this.#socket.on('close', () => this.#failed?.(new Error('the connection was closed')))
  }

  /** The status of the answer, once all of it is there. */
  async send(text: string): Promise<number> {
    await this.#open
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      this.#socket.write(`${HEAD}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    })
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #hear(piece: string): void {
    this.#heard += piece
    const end = this.#heard.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#heard.slice(0, end + 2))?.[1] ?? 0)
    if (this.#heard.length < end + 4 + length) return
    const status = Number(this.#heard.slice(9, 12))
    this.#heard = this.#heard.slice(end + 4 + length)
    this.#answered?.(status)
  }
}

const begun = performance.now()
const end = begun + load.seconds * 1000
await Promise.all(
  Array.from({ length: load.connections }, async () => {
    const line = new Line()
    while (performance.now() < end) {
      const due = load.rate === undefined ? 0 : begun + (planned / load.rate) * 1000
      planned += load.perRequest
      if (due > performance.now())
        await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
      const sent = performance.now()
      const status = await line.send(body())
      times.push(performance.now() - sent)
      if (status === 200) events += load.perRequest
      else refused += 1
    }
    line.close()
  }),
)
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
