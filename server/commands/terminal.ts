/** What people and programs read from a command: sentences, one JSON value with --json, and progress. */

const BAR = 24
const TERMINAL_MS = 200
const PLAIN_MS = 5000

export type Terminal = {
  /** A sentence for people; nothing with --json. */
  say(line: string): void
  /** The result for programs; nothing without --json. */
  result(value: unknown): void
  progress(what: string): Progress
}

export type Progress = {
  /** `total` may become known later. Call it as often as is convenient. */
  tick(done: number, total?: number): void
  /** Where the whole is not counted yet: `share` 0…1 of the work, and how many were done. */
  tickShare(share: number, done: number): void
  /** Ends the line with what was done in which time. */
  done(): void
}

export type Output = {
  isTTY?: boolean | undefined
  columns?: number | undefined
  write(text: string): unknown
}

/** Progress goes to stderr, so that stdout holds the result alone. */
export function openTerminal({
  json,
  out = process.stdout,
  err = process.stderr,
  clock = () => performance.now(),
}: {
  json: boolean
  out?: Output
  err?: Output
  clock?: () => number
}): Terminal {
  return {
    say(line) {
      if (!json) out.write(`${line}\n`)
    },
    result(value) {
      if (json) out.write(`${JSON.stringify(value)}\n`)
    },
    progress: (what) => startProgress({ what, out: err, clock }),
  }
}

type Begun = { what: string; out: Output; clock: () => number }

function startProgress({ what, out, clock }: Begun): Progress {
  const started = clock()
  let shownAt = Number.NEGATIVE_INFINITY
  let last: Shown = { done: 0, total: undefined }
  const every = out.isTTY ? TERMINAL_MS : PLAIN_MS
  function show(end: boolean): void {
    const text = describe(what, last, (clock() - started) / 1000)
    if (out.isTTY)
      out.write(`\r${text.slice(0, Math.max(20, (out.columns ?? 80) - 1))}\u001b[K${end ? '\n' : ''}`)
    else out.write(`${text}\n`)
  }
  const note = (next: Shown): void => {
    last = next
    tell()
  }
  function tell(): void {
    // Nothing is shown of what takes less than a second.
    const now = clock()
    if (now - started < 1000 || now - shownAt < every) return
    shownAt = now
    show(false)
  }
  return {
    tick: (done, total = last.total) => note({ done, total }),
    tickShare: (share, done) => note({ done, total: undefined, share }),
    done() {
      if (last.share !== undefined) last = { done: last.done, total: last.done }
      if (clock() - started >= 1000) show(true)
    },
  }
}

type Shown = { done: number; total: number | undefined; share?: number }

/** 'orders [####] 30 %  12,000 of 40,000  3,000/s  9 s left', or without the whole where only the share is known. */
export function describe(what: string, { done, total, share: told }: Shown, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0
  const speed = `${grouped(Math.round(rate))}/s`
  if (told !== undefined) {
    const left = told > 0.01 ? `${span((seconds * (1 - told)) / told)} left` : ''
    return `${what} ${bar(told)}  ${grouped(done)}  ${speed}  ${left}`.trimEnd()
  }
  if (total === undefined || total <= 0) return `${what} ${grouped(done)}  ${speed}`
  const share = Math.min(1, done / total)
  return `${what} ${bar(share)}  ${grouped(done)} of ${grouped(total)}  ${speed}  ${remaining({ done, total, rate, seconds })}`.trimEnd()
}

function bar(share: number): string {
  const filled = Math.round(share * BAR)
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${Math.floor(share * 100)} %`
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function span(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

type Pace = { done: number; total: number; rate: number; seconds: number }

function remaining({ done, total, rate, seconds }: Pace): string {
  if (done >= total) return `in ${span(seconds)}`
  return rate > 0 ? `${span((total - done) / rate)} left` : ''
}
