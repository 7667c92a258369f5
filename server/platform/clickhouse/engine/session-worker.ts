/**
 * A session in a thread of its own, for statements that are streamed: chDB starts a stream synchronously and computes
 * scalar subqueries while it does, so on the main thread `with (select …) as x` would hold up every other request and
 * its own KILL for as long as it takes.
 */
import { flushCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'
import { holdSession } from './session.ts'

const port = parentPort
if (port === null) throw new Error('session-worker.ts runs in a worker thread')

port.on(
  'message',
  holdSession(
    (message) => port.postMessage(message, 'chunk' in message ? [message.chunk.buffer] : []),
    () => process.exit(0),
  ),
)
// Before this process changes its user, who may not write there.
flushCompileCache()
port.postMessage({ loaded: true })
