/**
 * The audit trail: append-only, held by a trigger that refuses update, delete and truncate.
 * Always true: an entry is written in the transaction of what it tells. `before` and `after` hold no personal data.
 */
import { z } from 'zod'
import type { AuditEntry } from '../../contract/access.ts'
import type { Page } from '../../contract/base.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { newId } from '../platform/ids.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type AuditFilter, insertAudit, selectAudit, selectAuditWords } from './store.ts'
import type { Actor, Viewer } from './viewer.ts'

export type AuditNote = {
  /** 'object.verb' in the past: 'segment.published', 'member.phone_revealed'. */
  action: string
  objectKind: string
  objectId?: string | undefined
  reason?: string | undefined
  before?: unknown
  after?: unknown
}

/** Writes what `actor` did. Pass the transaction that did it. */
export async function audit(tx: Db, actor: Actor, ...notes: readonly AuditNote[]): Promise<void> {
  const { kind, id } = whoActed(actor.viewer)
  await insertAudit(
    tx,
    notes.map((note) => ({
      id: newId(actor.now),
      at: actor.now,
      actorKind: kind,
      actorId: id,
      action: note.action,
      objectKind: note.objectKind,
      objectId: note.objectId ?? null,
      reason: note.reason ?? null,
      before: note.before ?? null,
      after: note.after ?? null,
      requestId: actor.requestId ?? null,
      address: actor.address ?? null,
    })),
  )
}

/** Latest first. */
export async function listAudit(
  db: Db,
  { cursor, limit, ...filter }: AuditFilter & { cursor?: string | undefined; limit: number },
): Promise<Page<AuditEntry>> {
  const [before] = decodeCursor(cursor, z.tuple([z.int()])) ?? []
  const rows = await selectAudit(db, filter, { before, limit: limit + 1 })
  return pageFrom(rows, limit, {
    item: ({ seq: _, at, ...entry }) => ({ ...entry, at: at.toISOString() }),
    cursor: ({ seq }) => [seq],
  })
}

export async function auditWords(db: Db): Promise<{ actions: string[]; objectKinds: string[] }> {
  const [actions, objectKinds] = await Promise.all([
    selectAuditWords(db, 'action'),
    selectAuditWords(db, 'object_kind'),
  ])
  return { actions, objectKinds }
}

function whoActed({ via, keyId, staffId }: Viewer): {
  kind: 'staff' | 'api_key' | 'system'
  id: string | null
} {
  switch (via) {
    case 'session':
      return { kind: 'staff', id: staffId }
    case 'api_key':
      return { kind: 'api_key', id: keyId }
    case 'nobody':
      return { kind: 'system', id: null }
  }
}
