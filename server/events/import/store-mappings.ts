/** SQL of saved mappings. */
import type { Mapping } from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { sql, trusted } from '../../platform/postgres/sql.ts'

export type MappingRow = {
  id: string
  kind: ImportKind
  name: string
  mapping: Mapping
  usedAt: Date
  version: number
}
const MAPPING = trusted('id, kind, name, mapping, used_at as "usedAt", version')

export function selectMapping(
  db: Db,
  kind: ImportKind,
  fingerprint: Buffer,
): Promise<MappingRow | undefined> {
  return db.maybe(
    sql`select ${MAPPING} from import_mapping where kind = ${kind} and fingerprint = ${fingerprint}`,
  )
}

export function selectMappings(db: Db, kind: ImportKind | undefined): Promise<MappingRow[]> {
  return db.rows(sql`
    select ${MAPPING} from import_mapping where kind = ${kind ?? null} or ${kind === undefined}
    order by used_at desc, id limit 500`)
}

export async function upsertMapping(
  db: Db,
  m: {
    id: string
    kind: ImportKind
    name: string
    fingerprint: Buffer
    mapping: Mapping
    createdBy: string | null
    at: Date
  },
): Promise<void> {
  await db.run(sql`
    insert into import_mapping (id, kind, name, fingerprint, mapping, created_by, created_at, used_at)
    values (${m.id}, ${m.kind}, ${m.name}, ${m.fingerprint}, ${JSON.stringify(m.mapping)}::jsonb, ${m.createdBy}, ${m.at}, ${m.at})
    on conflict (kind, fingerprint) do update
    set name = excluded.name, mapping = excluded.mapping, used_at = excluded.used_at, version = import_mapping.version + 1`)
}

export async function renameMappingRow(
  db: Db,
  m: { id: string; name: string; version: number },
): Promise<MappingRow | undefined> {
  return db.maybe(sql`
    update import_mapping set name = ${m.name}, version = version + 1
    where id = ${m.id} and version = ${m.version} returning ${MAPPING}`)
}

export function selectMappingById(db: Db, id: string): Promise<MappingRow | undefined> {
  return db.maybe(sql`select ${MAPPING} from import_mapping where id = ${id}`)
}

export async function deleteMapping(db: Db, id: string): Promise<void> {
  await db.run(sql`delete from import_mapping where id = ${id}`)
}
