import { useQuery } from '@tanstack/react-query'
import { Table } from 'antd'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney, useZone } from '../../parts/use-brand.ts'

const words = {
  none: { zh: '还没有订单', en: 'No orders yet' },
  paid: { zh: '付款', en: 'Paid' },
  amount: { zh: '金额', en: 'Amount' },
  refunded: { zh: '已退', en: 'Refunded' },
  items: { zh: '商品', en: 'Items' },
  store: { zh: '门店', en: 'Store' },
  number: { zh: '订单号', en: 'Order' },
}
const ROWS = 50

/** The member's orders, the latest first, each with its lines. */
export function Orders({ id }: { id: string }) {
  const t = useWords(words)
  const { money } = useMoney()
  const zone = useZone()
  const query = useQuery(api.members.orders.queryOptions({ input: { id: id as never } }))
  return (
    <Loaded query={query}>
      {({ items }) => (
        <Table
          size="small"
          rowKey="id"
          dataSource={[...items]}
          pagination={{ pageSize: ROWS, hideOnSinglePage: true, showSizeChanger: false }}
          scroll={{ x: 720 }}
          locale={{ emptyText: t('none') }}
          expandable={{
            expandedRowRender: (order) =>
              order.lines
                .map((line) => `${line.name} × ${line.quantity} · ${money(line.priceCents)}`)
                .join('；'),
          }}
          columns={[
            {
              title: t('paid'),
              dataIndex: 'paidAt',
              width: 150,
              render: (at: string | null) => minute(at, zone),
            },
            { title: t('number'), dataIndex: 'externalId', ellipsis: true },
            {
              title: t('store'),
              dataIndex: 'store',
              ellipsis: true,
              render: (store: string | null) => store ?? '–',
            },
            {
              title: t('items'),
              render: (_, order) =>
                order.lines
                  .map((line) => line.name)
                  .slice(0, 2)
                  .join('、'),
              ellipsis: true,
            },
            {
              title: t('amount'),
              dataIndex: 'totalCents',
              align: 'right',
              width: 120,
              render: (cents: number) => money(cents),
            },
            {
              title: t('refunded'),
              dataIndex: 'refundedCents',
              align: 'right',
              width: 110,
              render: (cents: number) => (cents === 0 ? '' : money(cents)),
            },
          ]}
        />
      )}
    </Loaded>
  )
}
