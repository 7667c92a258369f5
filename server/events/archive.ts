/**
 * The archive: each closed day of the log as one file.
 *
 * Stored: `<folder>/events-<day>.ndjson.zst`, one JSON object a line in the order (lane, xid, seq), and in `log_day` its
 * count, size and SHA-256 (of the file). Always true: a day is closed before it is read, so nothing can be added to it;
 * the file appears by one rename after it was synced; `archived` means that it was read back whole and agreed. A day is
 * dropped from PostgreSQL only after 7 days, when every consumer has passed it and the file still agrees. A crash
 * leaves a step that is taken again.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { crashPoint } from '../platform/crash.ts'
import { syncFolder } from '../platform/files.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { addDays, type Day, dayOf } from '../platform/time/zone.ts'
import { type LoggedEvent, laneNumber, lanes, type Position, START } from './log.ts'
import { closeLog, partitionOf } from './partitions.ts'

const KEPT_DAYS = 7
/** A day is closed a little after its end: an event received at 23:59:59 may still be on its way. */
const GRACE_MS = 15 * 60_000
const PAGE = 5000

export type Archived = { day: Day; file: string; rows: number; bytes: number; sha256: string }

/** The file and the database disagree: nothing is dropped. */
export class ArchiveBroken extends Error {
  override name = 'ArchiveBroken'
}

/** Closes and archives every day that is over. Answers what was archived now. */
export async function archiveDays(
  db: Database,
  { folder, now }: { folder: string; now: Date },
): Promise<Archived[]> {
  await closeDays(db, now)
  const days = await db.rows<{ day: Day }>(sql`select day from log_day where state = 'closed' order by day`)
  const archived: Archived[] = []
  for (const { day } of days) archived.push(await archiveDay(db, folder, day, now))
  return archived
}

/** From here on nothing is written into days that are over. */
async function closeDays(db: Database, now: Date): Promise<void> {
  const today = dayOf('UTC', instant(now.getTime() - GRACE_MS))
  if (!(await db.maybe(sql`select 1 from log_day where state = 'open' and day < ${today}::date`))) return
  await db.transaction(async (tx) => {
    await closeLog(tx)
    await tx.run(
      sql`update log_day set state = 'closed', closed_at = ${now} where state = 'open' and day < ${today}::date`,
    )
    crashPoint('archive.closing')
  })
  crashPoint('archive.closed')
}

async function archiveDay(db: Database, folder: string, day: Day, now: Date): Promise<Archived> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = `events-${day}.ndjson.zst`
  const path = join(folder, file)
  const draft = `${path}.draft`
  await rm(draft, { force: true })
  const { rows, content } = await writeDay(db, day, draft)
  crashPoint('archive.written')
  await rename(draft, path)
  await syncFolder(folder)
  crashPoint('archive.renamed')
  const found = await readWhole(path)
  if (found.rows !== rows || found.content !== content)
    throw new ArchiveBroken(`${file} does not hold what was written into it`)
  const archived = { day, file, rows, bytes: found.bytes, sha256: found.sha256 }
  await db.run(sql`
    update log_day set state = 'archived', file = ${file}, row_count = ${rows}, byte_count = ${found.bytes},
      sha256 = ${found.sha256}, archived_at = ${now}
    where day = ${day}::date and state = 'closed'`)
  crashPoint('archive.done')
  return archived
}

async function writeDay(db: Database, day: Day, draft: string): Promise<{ rows: number; content: string }> {
  const content = createHash('sha256')
  let rows = 0
  async function* lines(): AsyncGenerator<string> {
    for await (const page of eventsOfDay(db, day)) {
      rows += page.length
      const text = `${page.map((event) => JSON.stringify(event)).join('\n')}\n`
      content.update(text)
      yield text
    }
  }
  const handle = await open(draft, 'wx', 0o600)
  try {
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
    await pipeline(Readable.from(lines()), compress, (chunks: AsyncIterable<Buffer>) =>
      handle.writeFile(chunks),
    )
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { rows, content: content.digest('hex') }
}

/** A day of the log in pages, in the order (lane, xid, seq), without an open transaction. */
export async function* eventsOfDay(db: Database, day: Day): AsyncGenerator<LoggedEvent[]> {
  for (const lane of lanes) {
    let after: Position = START
    while (true) {
      const page = await db.rows<LoggedEvent>(sql`
        select xid::text as xid, seq, ${lane}::text as lane, id, type, profile_id as "profileId", person_id as "personId",
          at, received_at as "receivedAt", source, data
        from ${trusted(partitionOf(day))} l
        where l.lane = ${laneNumber(lane)} and (l.xid, l.seq) > (${after.xid}::xid8, ${after.seq}::bigint)
        order by l.lane, l.xid, l.seq limit ${PAGE}`)
      const last = page.at(-1)
      if (!last) break
      yield page
      after = { xid: last.xid, seq: last.seq }
    }
  }
}

async function readWhole(
  path: string,
): Promise<{ rows: number; bytes: number; content: string; sha256: string }> {
  const file = createHash('sha256')
  const content = createHash('sha256')
  let rows = 0
  let bytes = 0
  const stored = createReadStream(path).on('data', (chunk) => {
    file.update(chunk)
    bytes += chunk.length
  })
  await pipeline(stored, createZstdDecompress(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      content.update(chunk)
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1
    }
  })
  return { rows, bytes, content: content.digest('hex'), sha256: file.digest('hex') }
}

/**
 * Reads an archived day in pages of 5,000, after its size, count and checksum were compared with `log_day`.
 * Errors: `ArchiveBroken`.
 */
export async function* readArchive(db: Database, folder: string, day: Day): AsyncGenerator<LoggedEvent[]> {
  const known = await db.row<Omit<Archived, 'day'>>(sql`
    select file, row_count as rows, byte_count as bytes, sha256 from log_day where day = ${day}::date`)
  const path = await verify(folder, known)
  const lines = createInterface({
    input: createReadStream(path).pipe(createZstdDecompress()),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  let page: LoggedEvent[] = []
  for await (const line of lines) {
    page.push(revived(JSON.parse(line) as LoggedEvent))
    if (page.length === PAGE) {
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}

/** Errors: `ArchiveBroken` where the file is missing or not what was archived. */
async function verify(folder: string, known: Omit<Archived, 'day'>): Promise<string> {
  const path = join(folder, known.file)
  const size = await stat(path).catch(() => undefined)
  if (!size) throw new ArchiveBroken(`${known.file} is missing from the archive`)
  const found = size.size === known.bytes ? await readWhole(path).catch(() => undefined) : undefined
  if (!found || found.sha256 !== known.sha256 || found.rows !== known.rows) {
    throw new ArchiveBroken(`${known.file} is not what was archived`)
  }
  return path
}

/**
 * Drops archived days that are older than 7 days and passed by every consumer, after checking their files once more.
 * Answers the days.
 */
export async function dropArchivedDays(
  db: Database,
  { folder, now }: { folder: string; now: Date },
): Promise<Day[]> {
  const oldest = addDays(dayOf('UTC', now), -KEPT_DAYS)
  const days = await db.rows<Archived>(sql`
    select day, file, row_count as rows, byte_count as bytes, sha256 from log_day
    where state = 'archived' and day < ${oldest}::date order by day`)
  const dropped: Day[] = []
  for (const archived of days) {
    if (!(await isPassed(db, archived.day))) break
    await verify(folder, archived)
    await db.transaction(async (tx) => {
      // Waits for readers of the log a moment only: the next round tries again.
      await tx.run(sql`set local lock_timeout = '2s'`)
      await tx.run(sql`drop table ${trusted(partitionOf(archived.day))}`)
      await tx.run(
        sql`update log_day set state = 'dropped', dropped_at = ${now} where day = ${archived.day}::date`,
      )
      crashPoint('archive.dropping')
    })
    crashPoint('archive.dropped')
    dropped.push(archived.day)
  }
  return dropped
}

async function isPassed(db: Database, day: Day): Promise<boolean> {
  const table = trusted(partitionOf(day))
  const waiting = await db.maybe(sql`
    select 1 from consumer c
    where exists (select from ${table} l where l.lane = c.lane and (l.xid, l.seq) > (c.xid, c.seq))
    union all
    select 1 from projection where rebuilding_since is not null
    union all
    select 1 where not exists (select from consumer where name = 'project')
    limit 1`)
  return waiting === undefined
}

export type LogDay = {
  day: Day
  state: 'open' | 'closed' | 'archived' | 'dropped'
  rows: number | null
  bytes: number | null
}

/** Every day of the log, for `doctor`. */
export async function listDays(db: Database): Promise<LogDay[]> {
  return db.rows<LogDay>(
    sql`select day, state, row_count as rows, byte_count as bytes from log_day order by day`,
  )
}

function revived(event: LoggedEvent): LoggedEvent {
  return { ...event, at: instant(String(event.at)), receivedAt: instant(String(event.receivedAt)) }
}
