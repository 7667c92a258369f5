import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  registry: Registry
  request(seen: { method: string; route: string; status: number; seconds: number }): void
  /** Once per run of a loop. */
  loop(seen: LoopRun): void
  /**
   * Values that are asked for when the metrics are read: one question for a whole family of gauges. What could not be
   * read is left out rather than shown with its last value.
   */
  watch(gauges: Readonly<Record<string, Watched>>, read: () => Promise<readonly Sample[]>): void
}

/** How long a run of a loop took, and whether it failed. */
export type LoopRun = { loop: string; seconds: number; failed: boolean }

/** `labels` are the names of what tells the samples of one gauge apart. */
export type Watched = { help: string; labels?: readonly string[] }
/** `name` in Prometheus' style, with its unit. */
export type Sample = { name: string; labels?: Readonly<Record<string, string>>; value: number }

/** Gauges of one family that are collected for the same reading ask once. */
const SAME_READING_MS = 500

/** `onUnreadable` hears why a family of gauges could not be read: what is left out would otherwise look like calm. */
export function openMetrics(onUnreadable: (error: unknown) => void): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'liuliang_http_request_seconds',
    help: 'Time to answer a request, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const runs = new Histogram({
    name: 'liuliang_loop_run_seconds',
    help: 'Time of one run of a work loop',
    labelNames: ['loop'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 60],
    registers: [registry],
  })
  const failures = new Counter({
    name: 'liuliang_loop_failures_total',
    help: 'Runs of a work loop that ended in an error',
    labelNames: ['loop'],
    registers: [registry],
  })
  return {
    registry,
    request: ({ method, route, status, seconds }) =>
      requests.labels(method, route, String(status)).observe(seconds),
    loop({ loop, seconds, failed }) {
      runs.labels(loop).observe(seconds)
      if (failed) failures.labels(loop).inc()
    },
    watch(gauges, read) {
      let last: { at: number; samples: Promise<readonly Sample[]> } | undefined
      const readable = (): Promise<readonly Sample[]> =>
        read().catch((error: unknown) => {
          onUnreadable(error)
          return []
        })
      const latest = (): Promise<readonly Sample[]> => {
        const at = performance.now()
        if (!last || at - last.at > SAME_READING_MS) last = { at, samples: readable() }
        return last.samples
      }
      for (const [name, { help, labels = [] }] of Object.entries(gauges)) {
        new Gauge({
          name,
          help,
          labelNames: [...labels],
          registers: [registry],
          async collect() {
            const own = (await latest()).filter((sample) => sample.name === name)
            this.reset()
            // A reset leaves a gauge without labels at 0, which would be told.
            if (labels.length === 0) this.remove()
            for (const { labels: of = {}, value } of own) this.set({ ...of }, value)
          },
        })
      }
    },
  }
}
