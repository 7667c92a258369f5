/** Regions, stores, staff and goods of the demo brand. What a killed seeding made is found by its code and left. */
import type { Store } from '../../contract/places.ts'
import {
  type Actor,
  addGuides,
  brand,
  changeBrand,
  createProduct,
  createRegion,
  createStaff,
  createStore,
  listStores,
  type OneTime,
  resetPassword,
  systemActor,
} from '../org/org.ts'
import type { Database } from '../platform/postgres/database.ts'
import { Chance } from './chance.ts'
import type { Place, Places } from './people.ts'
import { demoGuides, presentCodes, staffByLogin } from './store.ts'
import { femaleNames, goods, regions, stores, surnames } from './words.ts'

export const DEMO_NAME = '演示品牌'
/** Logins whose one-time passwords are shown, so that somebody can look at the workbench. */
export const PLAYED = { guide: 'demo-guide', manager: 'demo-manager' } as const
const GUIDES_A_STORE = 5
const COST_SHARE = 0.36

/** Names the brand, unless somebody has named it before, and makes its places, its staff and its goods. */
export async function seedOrganisation(
  db: Database,
  { seed, now }: { seed: string; now: Date },
): Promise<{ places: Places; logins: OneTime[] }> {
  const actor = systemActor(now)
  const present = await presentCodes(db)
  await nameDemoBrand(db, actor)
  const regionIds = present.regions
  for (const [code, name] of regions) {
    if (regionIds.has(code)) continue
    regionIds.set(code, (await createRegion(db, actor, { code, name, demo: true })).id)
  }
  for (const [code, name, city] of stores) {
    if (present.stores.has(code)) continue
    const region = regions.find(([, , codes]) => (codes as readonly string[]).includes(code))
    const regionId = (regionIds.get(region?.[0] ?? '') ?? null) as Store['regionId']
    await createStore(db, actor, { code, name, city, regionId, side: 'offline', state: 'open', demo: true })
  }
  const logins = await seedStaff(db, actor, seed)
  for (const [index, [category, name, yuan]] of goods.entries()) {
    const sku = skuOf(index)
    if (present.skus.has(sku)) continue
    const priceCents = yuan * 100
    const costCents = Math.round(priceCents * COST_SHARE)
    await createProduct(db, actor, { sku, name, category, priceCents, costCents, demo: true })
  }
  return { places: await demoPlaces(db), logins }
}

export function skuOf(index: number): string {
  return `SKU${String(index + 1).padStart(3, '0')}`
}

/** Stores with their guides, by code. */
export async function demoPlaces(db: Database): Promise<Places> {
  const byStore = Map.groupBy(await demoGuides(db), (guide) => guide.storeId)
  const places = [...byStore].map(([storeId, guides]): Place => ({ storeId, guides }))
  const [first, ...rest] = places
  if (!first) throw new Error('the demo brand has no stores')
  return [first, ...rest]
}

async function nameDemoBrand(db: Database, actor: Actor): Promise<void> {
  const { name, version } = await brand(db)
  if (name !== UNNAMED) return
  await changeBrand(db, actor, { name: DEMO_NAME, zone: 'Asia/Shanghai', currency: 'CNY', version })
}

/** What a brand is called that nobody has named. */
const UNNAMED = 'Liuliang'

/** The name goes with the demo, unless somebody has chosen another one meanwhile. */
export async function unnameDemoBrand(db: Database, now: Date): Promise<void> {
  const { name, zone, currency, version } = await brand(db)
  if (name !== DEMO_NAME) return
  await changeBrand(db, systemActor(now), { name: UNNAMED, zone, currency, version })
}

async function seedStaff(db: Database, actor: Actor, seed: string): Promise<OneTime[]> {
  const { items } = await listStores(db, { limit: 200 })
  const logins: OneTime[] = []
  const guides: Parameters<typeof addGuides>[2][number][] = []
  for (const store of items.filter(({ code }) => stores.some(([known]) => known === code))) {
    for (let place = 0; place <= GUIDES_A_STORE; place += 1) {
      const manager = place === 0
      const chance = new Chance(seed, 'staff', store.code, place)
      const person = {
        name: `${chance.one(surnames)}${chance.one(femaleNames)}`,
        wecomUserId: `demo-${store.code.toLowerCase()}-${manager ? 'm' : place}`,
        demo: true,
      }
      const role = manager ? ('store_manager' as const) : ('guide' as const)
      if (store.code === stores[0][0] && place <= 1) {
        const login = manager ? PLAYED.manager : PLAYED.guide
        const given = { ...person, login, roles: [role], rights: [], storeIds: [store.id], regionIds: [] }
        const known = await staffByLogin(db, login)
        const oneTimePassword = known
          ? await resetPassword(db, actor, known.id)
          : (await createStaff(db, actor, given)).oneTimePassword
        logins.push({ login, oneTimePassword })
      } else guides.push({ ...person, login: person.wecomUserId, storeId: store.id, role })
    }
  }
  await db.transaction((tx) => addGuides(tx, actor, guides))
  return logins
}
