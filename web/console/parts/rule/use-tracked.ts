import { useQuery } from '@tanstack/react-query'
import type { SeenEvent } from '../../../../contract/intake.ts'
import { api } from '../../../client.ts'
import { useMay } from '../use-brand.ts'

const FIVE_MINUTES = 300_000

/** What the brand tracks, planned or seen, to choose from; nothing for who may not see the plan. */
export function useTracked(): readonly SeenEvent[] {
  const enabled = useMay(['owner', 'engineer', 'operator', 'analyst'])
  const query = useQuery(api.intake.seen.queryOptions({ enabled, staleTime: FIVE_MINUTES }))
  return query.data?.events ?? []
}

/** Properties of the named events, of all where none is named, each once. */
export function propertiesOf(events: readonly SeenEvent[], names: readonly string[] = []): string[] {
  const meant = names.length === 0 ? events : events.filter(({ name }) => names.includes(name))
  const found = meant.flatMap(({ properties }) => properties.map(({ property }) => property))
  return [...new Set(found)].sort()
}
