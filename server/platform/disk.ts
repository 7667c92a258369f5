/**
 * The room on the disks that hold our own stores. Below a limit nothing may be taken in or sent, because a full disk
 * stops PostgreSQL in the middle of everything; reading and catching up go on. Looked at again every two seconds, so
 * that whatever waits goes on by itself.
 */
import { type Space, spaceOf } from './data-directory.ts'
import { Problem } from './problem.ts'

export type Disk = {
  /** What is watched; none where the stores are on other machines. */
  folders: readonly string[]
  /** The disk with the fewest free bytes, by the folder that lies on it; undefined where none is ours, or none answered. */
  fullest(): (Space & { folder: string }) | undefined
  /** The smallest free share of a disk, 0…1; 1 where none is ours, or none answered. */
  share(): number
  /** Below this many free bytes intake and sending wait. */
  least: number
  /** One sentence why nothing may be taken in or sent now; undefined while there is room. */
  trouble(): string | undefined
  /** Looks again now. */
  refresh(): Promise<void>
  stop(): void
}

export type DiskOptions = { least: number; probe?: (folder: string) => Promise<Space>; everyMs?: number }

export const GIB = 1024 ** 3
const EVERY_MS = 2000

/** Watches the disks under these folders, which must exist. */
export async function watchDisk(
  folders: readonly string[],
  { least, probe = spaceOf, everyMs = EVERY_MS }: DiskOptions,
): Promise<Disk> {
  let spaces: (Space & { folder: string })[] = []
  async function refresh(): Promise<void> {
    const asked = await Promise.allSettled(
      folders.map(async (folder) => ({ folder, ...(await probe(folder)) })),
    )
    spaces = asked
      .flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      .sort((a, b) => a.free - b.free)
  }
  await refresh()
  const timer = setInterval(() => void refresh(), everyMs)
  timer.unref()
  return {
    folders,
    fullest: () => spaces[0],
    share: () => Math.min(1, ...spaces.map(({ share }) => share)),
    least,
    trouble() {
      const [fullest] = spaces
      return fullest === undefined || fullest.free >= least ? undefined : sentence(fullest, least)
    },
    refresh,
    stop: () => clearInterval(timer),
  }
}

/** For stores on other machines: their disks are not ours. */
export const noDisk: Disk = {
  folders: [],
  fullest: () => undefined,
  share: () => 1,
  least: 0,
  trouble: () => undefined,
  refresh: async () => undefined,
  stop: () => undefined,
}

/** Errors: `disk_full`. */
export function refuseWithoutRoom(disk: Disk): void {
  const trouble = disk.trouble()
  if (trouble !== undefined) throw new Problem('disk_full', trouble)
}

function sentence({ folder, free }: Space & { folder: string }, least: number): string {
  return `Only ${inGigabytes(free)} GB are free on the disk of ${folder}: below ${inGigabytes(least)} GB imports, intake and sending wait. Make room, and they go on by themselves.`
}

/** Rounded down to a tenth, so that what is too little never looks like enough. */
export function inGigabytes(bytes: number): string {
  const tenths = Math.floor((bytes / GIB) * 10) / 10
  return Number.isInteger(tenths) ? String(tenths) : tenths.toFixed(1)
}
