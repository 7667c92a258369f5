/** What a benchmark found. Each figure is printed as a line; where BENCH_FIGURES names a file, also appended to it as JSON. */
import { appendFileSync } from 'node:fs'

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

/** 12,345 */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** 1.2 s */
export function inSeconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`
}
