import type { ApiKey } from '../../contract/access.ts'
import type { Scope } from '../../contract/base.ts'
import { newId } from '../platform/ids.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import { digestOf, newSecret } from './secrets.ts'
import {
  type ApiKeyRow,
  insertApiKey,
  revokeApiKeyRow,
  selectApiKey,
  selectApiKeys,
  updateApiKey,
} from './store-access.ts'
import type { Actor } from './viewer.ts'

/** Secret scanners and people recognise it. */
export const KEY_PREFIX = 'llk_'
const SHOWN = 12

type Shown = ApiKey & { version: number }

export async function listApiKeys(db: Db): Promise<Shown[]> {
  return (await selectApiKeys(db)).map(shown)
}

/** The secret is in this answer and nowhere else. Errors: `not_allowed` for a scope beyond the maker's own rights. */
export async function createApiKey(
  db: Database,
  actor: Actor,
  given: { name: string; scopes: readonly Scope[]; perMinute: number; expiresAt: string | null },
): Promise<{ apiKey: Shown; secret: string }> {
  refuseBeyond(actor, given.scopes)
  const secret = `${KEY_PREFIX}${newSecret()}`
  const id = newId(actor.now)
  const apiKey = await db.transaction(async (tx) => {
    await insertApiKey(tx, {
      id,
      ...given,
      prefix: secret.slice(0, SHOWN),
      digest: digestOf(secret),
      staffId: actor.viewer.staffId,
      at: actor.now,
    })
    await audit(tx, actor, {
      action: 'api_key.created',
      objectKind: 'api_key',
      objectId: id,
      after: { scopes: given.scopes, perMinute: given.perMinute, expiresAt: given.expiresAt },
    })
    return present(tx, id)
  })
  return { apiKey, secret }
}

/** Errors: `stale_version`, `not_found`, `gone` for a key that has ended, `not_allowed`. */
export async function changeApiKey(
  db: Database,
  actor: Actor,
  given: { id: string; name: string; scopes: readonly Scope[]; perMinute: number; version: number },
): Promise<Shown> {
  refuseBeyond(actor, given.scopes)
  return db.transaction(async (tx) => {
    const before = await selectApiKey(tx, { id: given.id })
    if (before?.revokedAt) throw new Problem('gone', 'This API key has ended.')
    if (!(await updateApiKey(tx, given))) throw lostWrite('API key', given, before && shown(before))
    await audit(tx, actor, {
      action: 'api_key.changed',
      objectKind: 'api_key',
      objectId: given.id,
      before: { scopes: before?.scopes, perMinute: before?.perMinute },
      after: { scopes: given.scopes, perMinute: given.perMinute },
    })
    return present(tx, given.id)
  })
}

/** Errors: `not_found`. Ending a key twice changes nothing. */
export async function revokeApiKey(db: Database, actor: Actor, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await selectApiKey(tx, { id }))) throw lostWrite('API key', undefined, undefined)
    if (await revokeApiKeyRow(tx, id, actor.now)) {
      await audit(tx, actor, { action: 'api_key.revoked', objectKind: 'api_key', objectId: id })
    }
  })
}

/** An engineer sees no personal data and may not make a key that does. */
function refuseBeyond({ viewer }: Actor, scopes: readonly Scope[]): void {
  if (scopes.includes('personal:read') && !viewer.maySeePersonal) {
    throw new Problem('not_allowed', 'A key that reads personal data is made by someone who may see it.', {
      field: 'scopes',
    })
  }
}

async function present(db: Db, id: string): Promise<Shown> {
  const row = await selectApiKey(db, { id })
  if (!row) throw lostWrite('API key', undefined, undefined)
  return shown(row)
}

function shown({ staffId: _, createdAt, expiresAt, usedAt, revokedAt, ...row }: ApiKeyRow): Shown {
  return {
    ...row,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    usedAt: usedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  }
}
