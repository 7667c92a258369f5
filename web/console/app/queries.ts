/** How answers of the server are kept and asked for anew. */
import type { QueryClientConfig } from '@tanstack/react-query'

/**
 * Looking at the window again asks anew, but not for a list of which several pages were loaded: each page would be asked
 * for, one after the other. Such a list is fresh after a change of one's own, and when it is opened again.
 */
export const queryDefaults: QueryClientConfig = {
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: 1,
      refetchOnWindowFocus: ({ state }) => pagesOf(state.data) < 2,
      refetchOnReconnect: ({ state }) => pagesOf(state.data) < 2,
    },
  },
}

/** Of an endless list the pages that are loaded; 0 for anything else. */
function pagesOf(data: unknown): number {
  if (typeof data !== 'object' || data === null || !('pages' in data) || !('pageParams' in data)) return 0
  return Array.isArray(data.pages) ? data.pages.length : 0
}
