/** Starts the built-in PostgreSQL on a folder, says so in one line of JSON, and runs until it is stopped or killed. */
import { startCluster } from '../../server/platform/postgres/cluster.ts'

const cluster = await startCluster({ dataDirectory: process.argv[2] ?? '' })
process.on('SIGTERM', () => {
  void cluster.stop().then(() => process.exit(0))
})
process.stdout.write(`${JSON.stringify({ url: cluster.url, pid: cluster.pid, notice: cluster.notice })}\n`)
