/** Where events come from: sources with a public write key, each with the sites that may send and the meaning of its user ids. */
import type { EventSource as Shown } from '../../../contract/intake.ts'
import { type Actor, audit } from '../../org/org.ts'
import { RateLimit } from '../../platform/http/rate-limit.ts'
import { newId } from '../../platform/ids.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { lostWrite } from '../../platform/versioned.ts'
import type { EventSource } from './event-source.ts'
import { insertSource, selectSource, selectSources, sourceByKey, updateSource } from './store-sources.ts'
import { newWriteKey } from './write-key.ts'

const KEPT_MS = 5000
const MOST_KEYS = 10_000

/** Whoever tries write keys that nobody has: so many a minute from one address, then none is looked up. */
const STRANGE_A_MINUTE = 120

export type SourceOf = (writeKey: string, address: string) => Promise<EventSource | undefined>

/**
 * The source of a write key, asked again every five seconds; undefined for none. Closed ones are answered too.
 * Errors: `too_many` for keys that this process does not know yet, from an address that tried too many of them.
 */
export function sourcesByKey(db: Db): SourceOf {
  const known = new Map<string, { source: EventSource | undefined; at: number }>()
  const strangers = new RateLimit()
  return async (writeKey, address) => {
    const before = known.get(writeKey)
    const nowMs = performance.now()
    if (before && nowMs - before.at < KEPT_MS) return before.source
    if (!before?.source) strangers.take(address, STRANGE_A_MINUTE, nowMs)
    const source = await sourceByKey(db, writeKey)
    if (known.size >= MOST_KEYS) known.clear()
    known.set(writeKey, { source, at: performance.now() })
    return source
  }
}

export async function listSources(db: Db): Promise<Shown[]> {
  return (await selectSources(db)).map(shown)
}

type Given = Pick<EventSource, 'name' | 'origins' | 'userIdKind' | 'userIdScope'>

/** Errors: `conflict` where the code is taken. */
export async function createSource(
  db: Database,
  actor: Actor,
  given: Given & { code: string },
): Promise<Shown> {
  const id = newId(actor.now)
  return db.transaction(async (tx) => {
    const row = {
      ...given,
      id,
      writeKey: newWriteKey(),
      origins: given.origins.map(originOf),
      createdAt: actor.now,
    }
    if (!(await insertSource(tx, row))) {
      throw new Problem('conflict', `There is a source of the code ${given.code} already.`, { field: 'code' })
    }
    await audit(tx, actor, {
      action: 'event_source.created',
      objectKind: 'event_source',
      objectId: id,
      after: given,
    })
    return present(tx, id)
  })
}

/** Errors: `stale_version`, `not_found`. A new write key makes the old one worthless at once (within five seconds). */
export async function changeSource(
  db: Database,
  actor: Actor,
  given: Given & { id: string; state: 'open' | 'closed'; version: number; newKey: boolean },
): Promise<Shown> {
  return db.transaction(async (tx) => {
    const before = await selectSource(tx, given.id)
    const { newKey, ...change } = given
    const writeKey = newKey ? newWriteKey() : undefined
    if (!(await updateSource(tx, { ...change, origins: given.origins.map(originOf), writeKey }))) {
      throw lostWrite('source', given, before && shown(before))
    }
    const { name, origins, userIdKind, userIdScope, state } = given
    await audit(tx, actor, {
      action: newKey ? 'event_source.key_renewed' : 'event_source.changed',
      objectKind: 'event_source',
      objectId: given.id,
      before: before && {
        name: before.name,
        origins: before.origins,
        userIdKind: before.userIdKind,
        state: before.state,
      },
      after: { name, origins, userIdKind, userIdScope, state },
    })
    return present(tx, given.id)
  })
}

/** 'https://shop.example.com' from whatever address of the site was given. Errors: `bad_input`. */
function originOf(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`)
  if (!url || url.origin === 'null')
    throw new Problem('bad_input', `${text} is not the address of a site.`, { field: 'origins' })
  return url.origin
}

/** Whether a page of `origin` may send to the source; what is no page sends none. */
export function allows({ origins }: EventSource, origin: string | undefined): boolean {
  return origin === undefined || origins.length === 0 || origins.includes(origin)
}

async function present(db: Db, id: string): Promise<Shown> {
  const row = await selectSource(db, id)
  if (!row) throw lostWrite('source', undefined, undefined)
  return shown(row)
}

function shown({ createdAt, lastAt, ...row }: EventSource & { lastAt: Date | null; events: number }): Shown {
  return { ...row, createdAt: createdAt.toISOString(), lastAt: lastAt?.toISOString() ?? null }
}
