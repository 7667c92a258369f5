import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  registry: Registry
  request(seen: { method: string; route: string; status: number; seconds: number }): void
  /** Once per run of a loop: how long it took, what it did, whether it failed. */
  loop(seen: { loop: string; seconds: number; failed: boolean }): void
  /** A value that is asked for when the metrics are read. Names in Prometheus' style, with their unit. */
  gauge(name: string, help: string, read: () => Promise<number | undefined>): void
}

export function openMetrics(): Metrics {
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
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          // A gauge that cannot be read is left out rather than shown with its last value.
          const value = await read().catch(() => undefined)
          if (value === undefined) this.reset()
          else this.set(value)
        },
      })
    },
  }
}
