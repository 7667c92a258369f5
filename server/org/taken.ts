import { brokenConstraint, sqlState } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'

const FIELDS: Record<string, string> = {
  region_code_key: 'code',
  store_code_key: 'code',
  staff_login: 'login',
  staff_wecom_user_id_key: 'wecomUserId',
  product_sku_key: 'sku',
  store_region_id_fkey: 'regionId',
  staff_store_store_id_fkey: 'storeIds',
  staff_region_region_id_fkey: 'regionIds',
}

/** Runs a write; a value that another row has is `conflict`, one that points to nothing `bad_input`, each with its field. */
export async function refusing<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const field = FIELDS[brokenConstraint(error) ?? '']
    if (field !== undefined && sqlState(error) === '23505')
      throw new Problem('conflict', 'This is taken already.', { field })
    if (field !== undefined && sqlState(error) === '23503')
      throw new Problem('bad_input', 'This does not exist.', { field })
    throw error
  }
}
