/** A measure of time that setting the clock does not move. */
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

export type Machine = {
  /** Another after each boot; undefined where the system does not tell. */
  boot: string | undefined
  /** Milliseconds since the boot, sleep included. */
  runMs(): number
}

export function thisMachine(): Machine {
  return { boot: bootId(), runMs: () => uptime() * 1000 }
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}
