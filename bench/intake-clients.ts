/** Runs the clients of the doors in their own process. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Load, Loaded } from './intake-load.ts'

const CLIENTS = fileURLToPath(new URL('./intake-load.ts', import.meta.url))

/** Resolves when the clients have ended. Errors: that they failed. */
export function loaded(load: Load): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CLIENTS, JSON.stringify(load)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let text = ''
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString()
    })
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(text) as Loaded) : reject(new Error(`the clients ended with ${code}`)),
    )
  })
}
