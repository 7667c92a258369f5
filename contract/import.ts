/** Imports: upload → preview → mapping → dry run → import → result, rejected rows and undo. */
import { z } from 'zod'
import { Done, Instant, PageInput, pageOf, route, streamRoute, versionedWrite } from './base.ts'
import { ImportKind, MemberSource, valueKinds } from './import-fields.ts'

/** Why a row did not go in; the console translates it. */
export const rejectReasons = [
  'bad_bytes',
  'bad_quotes',
  'bad_record',
  'too_many_columns',
  'missing',
  'too_long',
  'not_a_date',
  'date_order',
  'date_range',
  'not_money',
  'not_a_number',
  'not_yes_or_no',
  'unknown_word',
  'scientific_notation',
  'lost_digits',
  'not_a_phone',
  'spreadsheet_error',
  'no_identity',
  'order_disagrees',
  'too_many_lines',
  'refund_of_unknown_order',
  'refund_exceeds_order',
  'store_ambiguous',
  'staff_ambiguous',
  'person_erased',
  'refused',
] as const
export const RejectReason = z.enum(rejectReasons)
export type RejectReason = z.infer<typeof RejectReason>

export const separators = [',', ';', '\t', '|', ' '] as const
export const encodings = ['utf-8', 'gb18030', 'utf-16le', 'utf-16be'] as const

/** How the bytes of a file are read. `headingRow` counts from 1; 0 says that there is none. */
export const FileFormat = z.object({
  container: z.enum(['csv', 'xlsx', 'ndjson']),
  gzip: z.boolean(),
  encoding: z.enum(encodings),
  separator: z.enum(separators),
  headingRow: z.int().min(0).max(50),
  sheet: z.string().max(200).nullable(),
})
export type FileFormat = z.infer<typeof FileFormat>

/** What of it the operator corrected. */
export const FormatChange = FileFormat.partial()
export type FormatChange = z.infer<typeof FormatChange>

/** '05/03/2024': which part is the month. Only asked where a column writes dates like this. */
export const DateOrder = z.enum(['ymd', 'mdy', 'dmy'])
export type DateOrder = z.infer<typeof DateOrder>

export const ColumnMapping = z.object({
  heading: z.string().max(500),
  /** A field of the catalogue, `attribute:<name>` for a member's own attribute, or null to leave the column out. */
  field: z
    .string()
    .max(120)
    .regex(/^([a-zA-Z]+|attribute:.{1,60})$/u)
    .nullable(),
  dateOrder: DateOrder.optional(),
})
export type ColumnMapping = z.infer<typeof ColumnMapping>

const plainText = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'no control characters')

/** What holds for every row of the file that does not say otherwise. */
export const ImportDefaults = z.object({
  source: MemberSource.optional(),
  side: z.enum(['online', 'offline']).optional(),
  channel: plainText.optional(),
  registration: z.enum(['registered', 'registered_before', 'bought_unregistered']).optional(),
  storeCode: plainText.optional(),
})
export type ImportDefaults = z.infer<typeof ImportDefaults>

export const Mapping = z.object({
  columns: z.array(ColumnMapping).min(1).max(500),
  defaults: ImportDefaults.default({}),
})
export type Mapping = z.infer<typeof Mapping>

/** What the preview says of one column. */
export const ColumnGuess = z.object({
  heading: z.string(),
  samples: z.array(z.string()).max(5),
  field: z.string().nullable(),
  /** heading: its name is known; saved: a saved mapping said so; values: only what stands in it. */
  because: z.enum(['heading', 'saved', 'values']).nullable(),
  dateOrder: DateOrder.optional(),
  /** True where dates could be read in two ways and nothing in the sample decides. */
  ambiguousDates: z.boolean(),
})
export type ColumnGuess = z.infer<typeof ColumnGuess>

/**
 * Rows are rows of the file, without the heading and empty ones: read = accepted + rejected. `people` were looked up,
 * each once in a chunk; created, changed and unchanged are orders, or records of persons.
 */
export const ImportCounts = z.object({
  read: z.int(),
  accepted: z.int(),
  rejected: z.int(),
  reasons: z.partialRecord(RejectReason, z.int()),
  created: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  merged: z.int(),
  reviews: z.int(),
  orders: z.int(),
  ordersWithoutBuyer: z.int(),
  rowsWithoutBuyer: z.int(),
  people: z.int(),
  peopleCreated: z.int(),
  storesCreated: z.int(),
  staffUnknown: z.int(),
  invalidPhones: z.int(),
  /** What an undo left alone because something newer stands there. */
  kept: z.int(),
})
export type ImportCounts = z.infer<typeof ImportCounts>

export const importStates = [
  'uploaded',
  'checking',
  'checked',
  'importing',
  'imported',
  'cancelled',
  'failed',
  'undoing',
  'undone',
] as const
export const ImportState = z.enum(importStates)
export type ImportState = z.infer<typeof ImportState>

export const ImportRun = z.object({
  id: z.uuid(),
  kind: ImportKind,
  source: z.string(),
  state: ImportState,
  fileName: z.string(),
  bytes: z.int(),
  format: FileFormat,
  mapping: Mapping.nullable(),
  stage: z.enum(['reading', 'writing']).nullable(),
  /** 0…1 of the whole work, with what it needs yet at the present pace. */
  done: z.number(),
  rowsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  counts: ImportCounts,
  forecast: ImportCounts.nullable(),
  failure: z.string().nullable(),
  /** An earlier import of the same bytes. */
  importedBefore: z.uuid().nullable(),
  createdAt: Instant,
  finishedAt: Instant.nullable(),
  undoUntil: Instant.nullable(),
  version: z.int(),
})
export type ImportRun = z.infer<typeof ImportRun>

/** A rejected row as the page shows it. Personal data: the page is for roles that may import. */
export const RejectedRow = z.object({
  row: z.int(),
  column: z.string(),
  value: z.string(),
  reason: RejectReason,
})
export type RejectedRow = z.infer<typeof RejectedRow>

export const ImportPreview = z.object({
  run: ImportRun,
  columns: z.array(ColumnGuess),
  /** The first rows as they will be read, cell by cell. */
  rows: z.array(z.object({ number: z.int(), cells: z.array(z.string()) })),
  savedMapping: z.object({ id: z.uuid(), name: z.string() }).nullable(),
  sheets: z.array(z.string()),
})
export type ImportPreview = z.infer<typeof ImportPreview>

export const SavedMapping = z.object({
  id: z.uuid(),
  kind: ImportKind,
  name: z.string(),
  mapping: Mapping,
  usedAt: Instant,
  version: z.int(),
})
export type SavedMapping = z.infer<typeof SavedMapping>

export const CatalogueField = z.object({
  key: z.string(),
  zh: z.string(),
  en: z.string(),
  value: z.enum(valueKinds),
})

export const MAX_UPLOAD_BYTES = 4 * 1024 ** 3
const importers = ['owner', 'operator'] as const
const ById = z.object({ id: z.uuid() })
const shared = { tag: 'imports', who: importers, scope: 'import:write' } as const

export const importContract = {
  list: route({ ...shared, method: 'GET', path: '/imports', summary: 'List imports, newest first' })
    .input(PageInput)
    .output(pageOf(ImportRun)),
  get: route({ ...shared, method: 'GET', path: '/imports/{id}', summary: 'Show an import and how far it is' })
    .input(ById)
    .output(ImportRun),
  preview: route({
    ...shared,
    method: 'GET',
    path: '/imports/{id}/preview',
    summary: 'Show the first rows and the guessed columns',
    description:
      'Another encoding, separator, heading row or sheet can be tried here; nothing is changed by it.',
  })
    .input(
      ById.extend({ kind: ImportKind.optional() }).extend(
        FileFormat.pick({ encoding: true, separator: true, headingRow: true, sheet: true }).partial().shape,
      ),
    )
    .output(ImportPreview),
  fields: route({
    ...shared,
    method: 'GET',
    path: '/import-fields/{kind}',
    summary: 'List what a column can mean',
  })
    .input(z.object({ kind: ImportKind }))
    .output(z.array(CatalogueField)),
  map: route({
    ...shared,
    method: 'PUT',
    path: '/imports/{id}/mapping',
    summary: 'Say what the columns mean',
  })
    .input(
      versionedWrite({
        id: z.uuid(),
        kind: ImportKind,
        source: z.string().trim().min(1).max(60).default('file'),
        mapping: Mapping,
        format: FormatChange.default({}),
        saveAs: z.string().trim().min(1).max(80).optional(),
      }),
    )
    .output(ImportRun),
  check: route({
    ...shared,
    method: 'POST',
    path: '/imports/{id}/check',
    intake: true,
    summary: 'Run it dry: count what would be created, changed and rejected',
  })
    .input(ById)
    .output(ImportRun),
  start: route({
    ...shared,
    method: 'POST',
    path: '/imports/{id}/start',
    summary: 'Import',
    intake: true,
  })
    .input(ById)
    .output(ImportRun),
  cancel: route({
    ...shared,
    method: 'POST',
    path: '/imports/{id}/cancel',
    summary: 'Stop after the chunk under way; what is written stays',
  })
    .input(ById)
    .output(ImportRun),
  undo: route({
    ...shared,
    method: 'POST',
    path: '/imports/{id}/undo',
    summary: 'Take back what the import created, changed and merged',
  })
    .input(ById)
    .output(ImportRun),
  rejected: route({
    ...shared,
    method: 'GET',
    path: '/imports/{id}/rejected',
    summary: 'List the first rejected rows',
  })
    .input(ById.extend({ limit: z.int().min(1).max(200).default(50) }))
    .output(z.array(RejectedRow)),
  mappings: route({ ...shared, method: 'GET', path: '/import-mappings', summary: 'List saved mappings' })
    .input(z.object({ kind: ImportKind.optional() }))
    .output(z.array(SavedMapping)),
  renameMapping: route({
    ...shared,
    method: 'PUT',
    path: '/import-mappings/{id}',
    summary: 'Rename a saved mapping',
  })
    .input(versionedWrite({ id: z.uuid(), name: z.string().trim().min(1).max(80) }))
    .output(SavedMapping),
  removeMapping: route({
    ...shared,
    method: 'DELETE',
    path: '/import-mappings/{id}',
    summary: 'Remove a saved mapping',
  })
    .input(ById)
    .output(Done),
}

/** The body is the file itself; `?name=…&kind=…` name it. Answers an ImportPreview. */
export const importUpload = streamRoute({
  ...shared,
  method: 'POST',
  path: '/imports',
  summary: 'Upload a CSV, XLSX or NDJSON file',
  intake: true,
  maxBytes: MAX_UPLOAD_BYTES,
})

/** The rejected rows as CSV: row, column, value, reason. */
export const importRejects = streamRoute({
  ...shared,
  method: 'GET',
  path: '/imports/{id}/rejects.csv',
  summary: 'Download the rejected rows',
  maxBytes: 0,
})
