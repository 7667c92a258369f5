import type { Brand } from '../../contract/places.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { isZone } from '../platform/time/zone.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import { insertBrand, selectBrand, updateBrand } from './store.ts'
import type { Actor } from './viewer.ts'

/** What holds until the brand is named. */
const UNNAMED = { name: 'Liuliang', zone: 'Asia/Shanghai', currency: 'CNY', version: 0, demo: false }

/** The one brand of this deployment; its zone decides what a day is. `demo`: it holds synthetic stores. */
export async function brand(db: Db): Promise<Brand & { version: number }> {
  return (await selectBrand(db)) ?? UNNAMED
}

/** Names the brand if nobody did; true if it was this call. */
export async function nameBrand(
  db: Db,
  given: { name?: string; zone?: string; currency?: string; at: Date },
): Promise<boolean> {
  refuseUnknownZone(given.zone ?? UNNAMED.zone)
  return insertBrand(db, {
    name: given.name ?? UNNAMED.name,
    zone: given.zone ?? UNNAMED.zone,
    currency: given.currency ?? UNNAMED.currency,
    at: given.at,
  })
}

/** Errors: `stale_version` with both, `bad_input` for a zone that does not exist. */
export async function changeBrand(
  db: Database,
  actor: Actor,
  given: { name: string; zone: string; currency: string; version: number },
): Promise<Brand & { version: number }> {
  refuseUnknownZone(given.zone)
  return db.transaction(async (tx) => {
    const before = await brand(tx)
    const written =
      given.version === 0 ? await nameBrand(tx, { ...given, at: actor.now }) : await updateBrand(tx, given)
    if (!written) throw lostWrite('brand', given, await brand(tx))
    await audit(tx, actor, {
      action: 'brand.changed',
      objectKind: 'brand',
      before: { name: before.name, zone: before.zone, currency: before.currency },
      after: { name: given.name, zone: given.zone, currency: given.currency },
    })
    return brand(tx)
  })
}

function refuseUnknownZone(zone: string): void {
  if (!isZone(zone)) throw new Problem('bad_input', `There is no time zone ${zone}.`, { field: 'zone' })
}
