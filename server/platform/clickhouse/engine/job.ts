/** What passes between the front and the threads that hold one session each. */

/** One statement for one session. */
export type Job = {
  /** Unique among what runs; stands in system.processes as `Settings['log_comment']`. */
  queryId: string
  /** `use …; set …` that prepares the session, '' for none. */
  prepare: string
  statement: Statement
}

export type Statement =
  /** Chunks as they come; statements that cannot be streamed (show, DDL, insert … select) are run whole. */
  | { kind: 'stream'; sql: string; format: string; header: number }
  /** Formats that are one document (JSON, Parquet …): one chunk. */
  | { kind: 'whole'; sql: string; format: string }
  | {
      kind: 'insert'
      table: string
      columns: readonly string[] | undefined
      format: RawFormat
      body: Uint8Array
    }

export const rawFormats = [
  'JSONEachRow',
  'JSONCompactEachRow',
  'CSV',
  'CSVWithNames',
  'TSV',
  'TabSeparated',
  'TSVWithNames',
  'TabSeparatedWithNames',
] as const
/** What chDB parses straight from bytes. */
export type RawFormat = (typeof rawFormats)[number]

/** Rows read or written and seconds spent, as far as chDB tells. */
export type Summary = {
  readRows: number
  readBytes: number
  writtenRows: number
  writtenBytes: number
  seconds: number
}

export type SessionSettings = { path: string; arguments: readonly string[] }

export type ToSession =
  | { open: SessionSettings }
  | { run: Job }
  | { taken: true }
  | { cancel: true }
  | { close: true }

export type FromSession =
  | { loaded: true }
  /** A fresh session is open: the thread may be lent. */
  | { ready: true; version: string }
  | { chunk: Uint8Array<ArrayBuffer> }
  | { done: Summary }
  | { failed: string }
  /** No session can be opened: the process must end. */
  | { broken: string }
