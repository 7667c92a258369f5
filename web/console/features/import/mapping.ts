import type {
  ColumnGuess,
  ColumnMapping,
  ImportPreview,
  ImportRun,
  Mapping,
} from '../../../../contract/import.ts'
import type { ImportKind } from '../../../../contract/import-fields.ts'

/** What was said of the columns before, where it is about these columns; else what was guessed. */
export function firstColumns(run: ImportRun, kind: ImportKind, preview: ImportPreview): ColumnMapping[] {
  const said = run.kind === kind ? run.mapping?.columns : undefined
  const same =
    said?.length === preview.columns.length &&
    said.every((column, index) => column.heading === preview.columns[index]?.heading)
  return same && said ? [...said] : preview.columns.map(plain)
}

/** A saved mapping laid over these columns by heading; columns that it does not know stay as they are. */
export function withSaved(columns: readonly ColumnMapping[], saved: Mapping): ColumnMapping[] {
  return columns.map((column) => saved.columns.find((other) => other.heading === column.heading) ?? column)
}

function plain({ heading, field, dateOrder }: ColumnGuess): ColumnMapping {
  return { heading, field, ...(dateOrder ? { dateOrder } : {}) }
}

const MEMBER_KEYS = [
  'memberNo',
  'cardNumber',
  'phone',
  'unionid',
  'officialOpenid',
  'miniOpenid',
  'externalUserid',
  'email',
  'name',
]

export type MappingFault = 'order_time' | 'order_amount' | 'member_key' | 'contact_key' | 'twice'

/** What is still missing before this can be imported. The server judges; this says it while one works. */
export function faultsOf(kind: ImportKind, columns: readonly ColumnMapping[]): MappingFault[] {
  const fields = columns.flatMap((column) => column.field ?? [])
  const has = (...keys: string[]): boolean => keys.some((key) => fields.includes(key))
  const faults: MappingFault[] = []
  if (new Set(fields).size < fields.length) faults.push('twice')
  if (kind === 'orders' && !has('orderedAt', 'paidAt')) faults.push('order_time')
  if (kind === 'orders' && !has('total', 'lineTotal', 'price')) faults.push('order_amount')
  if (kind === 'members' && !has(...MEMBER_KEYS)) faults.push('member_key')
  if (kind === 'contacts' && !has('externalUserid', 'unionid')) faults.push('contact_key')
  return faults
}
