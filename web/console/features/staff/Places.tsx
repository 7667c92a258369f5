import { PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Card, Col, Empty, Input, Row, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay } from '../../parts/use-brand.ts'
import { type Place, PlaceForm } from './PlaceForm.tsx'

const words = {
  stores: { zh: '门店', en: 'Stores' },
  regions: { zh: '区域', en: 'Regions' },
  addStore: { zh: '添加门店', en: 'Add a store' },
  addRegion: { zh: '添加区域', en: 'Add a region' },
  find: { zh: '门店名称或编码', en: 'Name or code' },
  code: { zh: '编码', en: 'Code' },
  name: { zh: '名称', en: 'Name' },
  region: { zh: '区域', en: 'Region' },
  city: { zh: '城市', en: 'City' },
  side: { zh: '线上/线下', en: 'Online or offline' },
  online: { zh: '线上', en: 'online' },
  offline: { zh: '线下', en: 'offline' },
  closed: { zh: '已关店', en: 'closed' },
  members: { zh: '会员', en: 'Members' },
  change: { zh: '修改', en: 'Change' },
  noStores: {
    zh: '还没有门店。导入订单时会按文件自动建立，也可以手动添加。',
    en: 'No store yet: an import of orders makes them, or add one.',
  },
  noRegions: { zh: '还没有区域', en: 'No region yet' },
}

/** Stores with their regions. */
export function Places() {
  const [editing, setEditing] = useState<Place>()
  return (
    <>
      <Row gutter={[12, 12]}>
        <Col xs={24} xl={16}>
          <Stores onEdit={setEditing} />
        </Col>
        <Col xs={24} xl={8}>
          <Regions onEdit={setEditing} />
        </Col>
      </Row>
      {editing ? <PlaceForm place={editing} onClose={() => setEditing(undefined)} /> : null}
    </>
  )
}

function Stores({ onEdit }: { onEdit: (place: Place) => void }) {
  const t = useWords(words)
  const { get, set } = useAddress()
  const mayChange = useMay(['owner', 'operator'])
  const text = get('text')
  const regions = useQuery(api.regions.list.queryOptions())
  const query = useInfiniteQuery(
    api.stores.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ cursor, limit: 50, ...(text ? { text } : {}) }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Card
      title={t('stores')}
      extra={
        <Space>
          <Input.Search
            key={text}
            allowClear
            defaultValue={text ?? ''}
            placeholder={t('find')}
            aria-label={t('find')}
            onSearch={(value) => set({ text: value.trim() })}
          />
          {mayChange ? (
            <Button icon={<PlusOutlined />} onClick={() => onEdit({ kind: 'store', store: undefined })}>
              {t('addStore')}
            </Button>
          ) : null}
        </Space>
      }
    >
      <Loaded query={query as never}>
        {() => (
          <>
            <Table
              size="small"
              rowKey="id"
              pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
              scroll={{ x: 640 }}
              dataSource={items}
              locale={{ emptyText: <Empty description={t('noStores')} /> }}
              columns={[
                { title: t('code'), dataIndex: 'code', width: 110 },
                {
                  title: t('name'),
                  ellipsis: true,
                  render: (_, store) => (
                    <>
                      {store.name} {store.state === 'closed' ? <Tag>{t('closed')}</Tag> : null}
                    </>
                  ),
                },
                {
                  title: t('region'),
                  width: 110,
                  render: (_, store) =>
                    regions.data?.items.find((region) => region.id === store.regionId)?.name ?? '–',
                },
                { title: t('city'), width: 90, render: (_, store) => store.city ?? '–' },
                { title: t('side'), width: 80, render: (_, store) => t(store.side) },
                {
                  width: 70,
                  render: (_, store) => <Link to={`/members?storeId=${store.id}`}>{t('members')}</Link>,
                },
                ...(mayChange
                  ? [
                      {
                        width: 70,
                        render: (_: unknown, store: (typeof items)[number]) => (
                          <Button size="small" onClick={() => onEdit({ kind: 'store', store })}>
                            {t('change')}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
    </Card>
  )
}

function Regions({ onEdit }: { onEdit: (place: Place) => void }) {
  const t = useWords(words)
  const mayChange = useMay(['owner', 'operator'])
  const query = useQuery(api.regions.list.queryOptions())
  return (
    <Card
      title={t('regions')}
      extra={
        mayChange ? (
          <Button icon={<PlusOutlined />} onClick={() => onEdit({ kind: 'region', region: undefined })}>
            {t('addRegion')}
          </Button>
        ) : null
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <Table
            size="small"
            rowKey="id"
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 320 }}
            dataSource={[...items]}
            locale={{
              emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noRegions')} />,
            }}
            columns={[
              { title: t('code'), dataIndex: 'code', width: 110 },
              { title: t('name'), dataIndex: 'name', ellipsis: true },
              ...(mayChange
                ? [
                    {
                      width: 70,
                      render: (_: unknown, region: (typeof items)[number]) => (
                        <Button size="small" onClick={() => onEdit({ kind: 'region', region })}>
                          {t('change')}
                        </Button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
