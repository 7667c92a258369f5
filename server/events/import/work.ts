/** What the steps of an import are given: the run, its files and seal, its lease, and who watches. */
import type { ImportCounts } from '../../../contract/import.ts'
import type { FieldCipher } from '../../platform/crypto/field-cipher.ts'
import type { Disk } from '../../platform/disk.ts'
import type { LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import type { Clock } from '../../platform/time/clock.ts'
import { noCounts } from './counts.ts'
import type { RunFiles } from './folder.ts'
import type { PlacesInUse, ProfilesThere, Resolve, UndoPeople } from './ports.ts'
import type { Seal } from './sealed-file.ts'
import type { RunRow } from './store.ts'

export type ImportParts = {
  db: Database
  cipher: FieldCipher
  clock: Clock
  /** The folder that holds one folder for each run. */
  folder: string
  resolve: Resolve
  undoPeople: UndoPeople
  placesInUse: PlacesInUse
  profilesThere: ProfilesThere
  disk: Disk
}

export type Progress = {
  stage: 'reading' | 'writing'
  /** 0…1 of the whole work. */
  done: number
  rowsPerSecond: number | null
  secondsLeft: number | null
  counts: ImportCounts
}

export type Watch = {
  onProgress?: ((progress: Progress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Reading takes about this share of the time. */
export const READ_SHARE = 0.3

export type Work = {
  parts: ImportParts
  run: RunRow
  files: RunFiles
  seal: Seal
  lease: LeaseToken
  watch: Watch
}

/** Somebody asked to stop; what is written stays. */
export class Stopped extends Error {
  override name = 'Stopped'
}

/** The disk is nearly full. The run stays where it is, and whoever takes it up again goes on from there. */
export class NoRoom extends Problem {
  override name = 'NoRoom'

  constructor(trouble: string) {
    super('disk_full', trouble)
  }
}

/** Errors: `NoRoom`. */
export function refuseFull({ disk }: Pick<ImportParts, 'disk'>): void {
  const trouble = disk.trouble()
  if (trouble !== undefined) throw new NoRoom(trouble)
}

/** Counts of a run, with zeros for what was not counted yet. */
export function countsOf(run: Pick<RunRow, 'counts'>): ImportCounts {
  return { ...noCounts(), ...run.counts }
}

/** Whether to go on. Errors: `Stopped`, `NoRoom`, or the reason of the signal when the process is to end or has lost the lease. */
export function goOn(work: Work, cancel: boolean): void {
  work.watch.signal?.throwIfAborted()
  if (cancel) throw new Stopped()
  refuseFull(work.parts)
}
