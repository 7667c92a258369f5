/** Runs server/main.ts on Node 24 as a child and passes on what is sent to this process. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildPages, fail, installPackages, node24, ROOT } from './installation.mjs'

/**
 * V8 takes what the machine has before it collects: on a large machine the heap of one process grows to several times
 * of what lives. A small young generation and a low growing factor keep each process within its memory: without them an
 * import of a million rows took 470 MB, with the larger young generation 300.
 */
const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=40',
]
/**
 * glibc gives memory back only from the end of a heap, raises by itself what it asks the system for apart, and makes a heap
 * for each thread: few heaps and fixed thresholds, in this process and in PostgreSQL's, took some 60 MB off the demo brand
 * half a minute after its pages were opened. Elsewhere nobody reads them; whoever sets them is not overruled.
 */
const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
}
/**
 * Compiled code is kept between runs: a second start reads it in less than half the time. It has to be in the environment
 * that everything begins with: then the engine and every thread find theirs too, and none of them holds the stripper of
 * types, which is 11 MB for each.
 */
const COMPILED = join(ROOT, 'node_modules', '.cache', 'liuliang')
const PAGES_FOR = new Set(['start', 'serve'])

/** Never returns: the process ends with the exit code, or by the signal, of the program. */
export function runProgram(parameters) {
  const withPages = PAGES_FOR.has(parameters[0]) && !parameters.includes('--help')
  installPackages({ development: withPages && process.env.NODE_ENV !== 'production' })
  const node = node24()
  if (withPages && !buildPages(node)) fail('The pages could not be built.')

  const environment = { ...ALLOCATOR, NODE_COMPILE_CACHE: COMPILED, ...process.env }
  const program = [node, ...NODE_FLAGS, join(ROOT, 'server', 'main.ts'), ...parameters]
  // Where the present Node can become the program, no second process stays behind.
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    try {
      process.execve(node, program, environment)
    } catch {
      // Not every system allows it; a child does the same.
    }
  }
  // The channel tells the program when this process is killed: it stops on `disconnect`.
  const child = spawn(program[0], program.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environment,
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C in a terminal reaches the child by itself; sent twice it would mean "at once".
    process.on(signal, () => (signal === 'SIGINT' && process.stdout.isTTY ? undefined : child.kill(signal)))
  }
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}
