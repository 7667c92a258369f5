import { useQuery } from '@tanstack/react-query'
import { MAX_PAGE } from '../../../contract/base.ts'
import type { Store } from '../../../contract/places.ts'
import { api, client } from '../../client.ts'

const FIVE_MINUTES = 300_000

/** Every store that the person at the screen sees, to choose from and to name; nothing until they are read. */
export function useStores(): readonly Store[] {
  const query = useQuery({
    queryKey: [...api.stores.key(), 'all'],
    queryFn: allStores,
    staleTime: FIVE_MINUTES,
  })
  return query.data ?? []
}

async function allStores(): Promise<Store[]> {
  const stores: Store[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await client.stores.list({ limit: MAX_PAGE, ...(cursor === undefined ? {} : { cursor }) })
    stores.push(...page.items)
    cursor = page.next
  }
  return stores
}
