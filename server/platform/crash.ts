/**
 * Crash points: named places between two effects where a test kills the process as `kill -9` would.
 * Nothing happens unless the program was started with a crash point set (server/config.ts reads it).
 */
let armed: { name: string; hits: number } | undefined

/** `setting` is `name` or `name:n`: the n-th time that the point is passed. Undefined or empty disarms. */
export function armCrashPoint(setting: string | undefined): void {
  if (setting === undefined || setting === '') {
    armed = undefined
    return
  }
  const [, name = setting, hits = '1'] = /^(.*?)(?::(\d+))?$/.exec(setting) ?? []
  armed = { name, hits: Number(hits) }
}

/** Ends the process by SIGKILL if this is the armed point and its hit has come; otherwise does nothing. */
export function crashPoint(name: string): void {
  if (armed === undefined || armed.name !== name) return
  armed.hits -= 1
  if (armed.hits <= 0) process.kill(process.pid, 'SIGKILL')
}
