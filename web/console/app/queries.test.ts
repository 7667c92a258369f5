import { focusManager, InfiniteQueryObserver, QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, expect, test } from 'vitest'
import { queryDefaults } from './queries.ts'

const queries = new QueryClient({
  defaultOptions: { queries: { ...queryDefaults.defaultOptions?.queries, staleTime: 0 } },
})
queries.mount()
afterEach(() => queries.clear())

/** As when somebody comes back from another window. */
async function lookAgain(): Promise<void> {
  focusManager.setFocused(false)
  focusManager.setFocused(true)
  await new Promise((resolve) => setTimeout(resolve, 20))
}

test('an endless list is not asked for again, page by page, when somebody comes back to the window', async () => {
  let asked = 0
  const list = new InfiniteQueryObserver(queries, {
    queryKey: ['list'],
    queryFn: ({ pageParam }) => {
      asked += 1
      return pageParam
    },
    initialPageParam: 0,
    getNextPageParam: (last: number) => last + 1,
  })
  const stop = list.subscribe(() => undefined)
  await list.fetchOptimistic(list.options)
  await list.fetchNextPage()
  await list.fetchNextPage()
  const before = asked
  await lookAgain()
  expect(asked).toBe(before)
  await queries.invalidateQueries({ queryKey: ['list'] })
  expect(asked).toBe(before + 3)
  stop()
})

test('one answer, and the first page of a list, are asked for again', async () => {
  const asked = { one: 0, page: 0 }
  const one = new QueryObserver(queries, { queryKey: ['one'], queryFn: () => (asked.one += 1) })
  const page = new InfiniteQueryObserver(queries, {
    queryKey: ['page'],
    queryFn: () => (asked.page += 1),
    initialPageParam: 0,
    getNextPageParam: (last: number) => last + 1,
  })
  const stops = [one.subscribe(() => undefined), page.subscribe(() => undefined)]
  await lookAgain()
  const before = { ...asked }
  await lookAgain()
  expect(asked).toEqual({ one: before.one + 1, page: before.page + 1 })
  for (const stop of stops) stop()
})
