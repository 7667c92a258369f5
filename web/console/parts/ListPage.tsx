import { Button, Empty, Space, Table, type TableProps } from 'antd'
import type { ReactNode } from 'react'
import { useWords } from '../../ui/language.ts'
import { Loaded } from './Loaded.tsx'
import { More } from './More.tsx'
import { useAddress } from './use-address.ts'

const words = {
  clear: { zh: '清除条件', en: 'Clear the filters' },
}

/** Filters above a list, with the way to be rid of them all. */
export function FilterBar({ children }: { children: ReactNode }) {
  const t = useWords(words)
  const { any, clear } = useAddress()
  return (
    <Space wrap style={{ marginBottom: 12 }}>
      {children}
      {any ? (
        <Button type="link" onClick={clear}>
          {t('clear')}
        </Button>
      ) : null}
    </Space>
  )
}

type Row = { id: string }
type Pages<T> = {
  data: { pages: readonly { items: readonly T[] }[] } | undefined
  error: Error | null
  hasNextPage: boolean
  isFetching: boolean
  isFetchingNextPage: boolean
  isFetchNextPageError: boolean
  fetchNextPage: () => unknown
}
type Props<T extends Row> = {
  query: Pages<T>
  columns: NonNullable<TableProps<T>['columns']>
  /** Said where there is no row: what would stand here and what to do next. */
  none: ReactNode
  /** Below this width in pixels the table scrolls by itself. */
  width: number
  expandable?: NonNullable<TableProps<T>['expandable']>
}

/** A list that comes page by page: its rows, what to do where there are none, and the way to more. */
export function ListTable<T extends Row>({ query, columns, none, width, expandable }: Props<T>) {
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Loaded query={query as never} rows={8}>
      {() => (
        <>
          <Table<T>
            size="small"
            rowKey="id"
            pagination={false}
            scroll={{ x: width }}
            dataSource={rows}
            locale={{ emptyText: typeof none === 'string' ? <Empty description={none} /> : none }}
            columns={columns}
            {...(expandable === undefined ? {} : { expandable })}
          />
          <More query={query} shown={rows.length} />
        </>
      )}
    </Loaded>
  )
}
