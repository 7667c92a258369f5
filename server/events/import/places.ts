/** Stores and staff by what a file calls them: looked up, and added where nobody knows them. */
import { hash } from 'node:crypto'
import { type Actor, addGuides, addStores, type KnownPlaces, knownPlaces } from '../../org/org.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { ownText } from './row.ts'
import { insertPlaces } from './store-places.ts'

export type StoreName = { code: string | null; name: string | null; side?: 'online' | 'offline' | null }
export type StaffName = { code: string | null; name: string | null; store?: StoreName; wecom?: boolean }
export type Found = string | null | 'ambiguous'

/** More new stores or staff than this in one import: the column is not what it was taken for. */
const MAX_ADDED = 5000
const LONGEST_NAME = 100
const LONGEST_CODE = 60

export class PlaceBook {
  readonly #stores = new Map<string, Found>()
  readonly #staff = new Map<string, Found>()

  static async read(db: Db): Promise<PlaceBook> {
    return new PlaceBook(await knownPlaces(db))
  }

  private constructor(known: KnownPlaces) {
    for (const { id, code } of known.stores) this.#stores.set(`code ${fold(code)}`, id)
    for (const { id, name } of known.stores) note(this.#stores, `name ${fold(name)}`, id)
    for (const { id, login, wecomUserId } of known.staff) {
      this.#staff.set(`code ${fold(login)}`, id)
      if (wecomUserId !== null) this.#staff.set(`code ${fold(wecomUserId)}`, id)
    }
    for (const { id, name } of known.staff) note(this.#staff, `name ${fold(name)}`, id)
  }

  /** Null: the row names none. Undefined: nobody knows it. */
  store({ code, name }: StoreName): Found | undefined {
    return lookUp(this.#stores, code, name)
  }

  staff({ code, name }: StaffName): Found | undefined {
    return lookUp(this.#staff, code, name)
  }
}

/**
 * The book after adding, in this transaction, what the rows name and nobody knows; an import remembers it. Errors: `bad_input` where a column
 * names thousands.
 */
export async function addUnknown(
  tx: Tx,
  actor: Actor,
  book: PlaceBook,
  named: { stores: readonly StoreName[]; staff: readonly StaffName[]; before: number; importId?: string },
): Promise<{ book: PlaceBook; added: number }> {
  const stores = new Map<string, Parameters<typeof addStores>[2][number]>()
  for (const store of named.stores) {
    if (book.store(store) !== undefined) continue
    const code = (store.code ?? store.name ?? '').slice(0, LONGEST_CODE)
    const name = (store.name ?? store.code ?? '').slice(0, LONGEST_NAME)
    stores.set(fold(code), { code, name, side: store.side ?? 'offline' })
  }
  const unknownStaff = named.staff.filter((one) => book.staff(one) === undefined)
  if (stores.size === 0 && unknownStaff.length === 0) return { book, added: 0 }
  if (named.before + stores.size + unknownStaff.length > MAX_ADDED * 10 || stores.size > MAX_ADDED) {
    throw new Problem(
      'bad_input',
      'The file names thousands of stores or staff that nobody knows: is the right column mapped to them?',
    )
  }
  const added = await addStores(tx, actor, [...stores.values()])
  const withStores = added.length === 0 ? book : await PlaceBook.read(tx)
  const guides = new Map<string, Parameters<typeof addGuides>[2][number]>()
  for (const { code, name, store, wecom } of unknownStaff) {
    const login = (code ?? `imported-${hash('sha256', name ?? '', 'hex').slice(0, 10)}`)
      .toLowerCase()
      .slice(0, LONGEST_CODE)
    const home = store ? withStores.store(store) : null
    guides.set(login, {
      login,
      name: (name ?? code ?? '').slice(0, LONGEST_NAME),
      wecomUserId: wecom === true ? code : null,
      storeId: home === undefined || home === 'ambiguous' ? null : home,
    })
  }
  const made = { stores: added, staff: await addGuides(tx, actor, [...guides.values()]) }
  if (named.importId !== undefined) await insertPlaces(tx, named.importId, made)
  return { book: await PlaceBook.read(tx), added: added.length }
}

function lookUp(
  map: ReadonlyMap<string, Found>,
  code: string | null,
  name: string | null,
): Found | undefined {
  if (code !== null) {
    const byCode = map.get(`code ${fold(code.slice(0, LONGEST_CODE))}`)
    if (byCode !== undefined) return byCode
  }
  if (name !== null && code === null) {
    const short = fold(name.slice(0, LONGEST_NAME))
    return map.get(`name ${short}`) ?? map.get(`code ${short}`)
  }
  return code === null ? null : undefined
}

function note(map: Map<string, Found>, key: string, id: string): void {
  const known = map.get(key)
  map.set(key, known === undefined || known === id ? id : 'ambiguous')
}

const MOST_FOLDED = 10_000
const folded = new Map<string, string>()

/** The few names of a brand stand in each of its orders. */
function fold(text: string): string {
  const known = folded.get(text)
  if (known !== undefined) return known
  if (folded.size >= MOST_FOLDED) folded.clear()
  const name = ownText(text.normalize('NFKC').trim().toLowerCase())
  folded.set(ownText(text), name)
  return name
}
