/** What a benchmark found. Each figure is printed as a line; where BENCH_FIGURES names a file, also appended to it as JSON. */
import { appendFileSync, readFileSync } from 'node:fs'

export type Figure = {
  what: string
  /** Size of the data. */
  data: string
  ours: string
  /** The physical limit, taken in the same run. */
  limit?: string
  /** Limit / ours in time, or ours / limit in rate: 1 is as fast as can be. */
  ratio?: number
  /** What the figure or the ratio has to be: "at least 0.25". */
  wanted?: string
}

export function figure(found: Figure): void {
  const { what, data, ours, limit, ratio, wanted } = found
  const rest = [
    limit === undefined ? undefined : `limit ${limit}`,
    ratio === undefined ? undefined : `ratio ${ratio.toFixed(2)}`,
    wanted === undefined ? undefined : `wanted: ${wanted}`,
  ].filter((part) => part !== undefined)
  process.stdout.write(`${what} (${data}): ${ours}${rest.length > 0 ? `; ${rest.join('; ')}` : ''}\n`)
  const file = process.env['BENCH_FIGURES']
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify(found)}\n`)
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

export type Spent = { seconds: number; processor: number; stolen: number }

/** Seconds by the clock, of processor (of the whole machine, so run nothing beside it), and taken away by the host. Linux only. */
export async function spentOn(work: () => Promise<unknown>): Promise<Spent> {
  const before = ticks()
  const seconds = await secondsOf(work)
  const after = ticks()
  return { seconds, processor: after.busy - before.busy, stolen: after.stolen - before.stolen }
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second. */
function ticks(): { busy: number; stolen: number } {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, stolen = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/\s+/).slice(1).map(Number) ?? []
  return { busy: (user + nice + system + irq + soft) / 100, stolen: stolen / 100 }
}

/** 12,345 */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** 1.2 s */
export function inSeconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`
}
