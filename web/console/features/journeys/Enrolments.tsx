import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Table, Tag } from 'antd'
import { Link } from 'react-router'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  name: { zh: '会员', en: 'Member' },
  entered: { zh: '进入', en: 'Entered' },
  node: { zh: '所在步骤', en: 'At' },
  due: { zh: '下一步', en: 'Next' },
  state: { zh: '状态', en: 'State' },
  active: { zh: '在途', en: 'in it' },
  finished: { zh: '走完', en: 'finished' },
  left: { zh: '离开', en: 'left' },
  held: { zh: '对照组', en: 'held out' },
  more: { zh: '加载更多', en: 'Load more' },
  none: { zh: '还没有人进入', en: 'Nobody has entered yet' },
}
const ZONE = 'Asia/Shanghai'

/** Everybody who entered, the latest first, and where each stands. */
export function Enrolments({ id }: { id: string }) {
  const t = useWords(words)
  const lang = useLang()
  const query = useInfiniteQuery(
    api.journeys.enrolments.infiniteOptions({
      input: (cursor: string | undefined) => ({ id, cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  return (
    <Loaded query={query as never}>
      {() => (
        <>
          <Table
            size="small"
            rowKey="id"
            pagination={false}
            dataSource={query.data?.pages.flatMap((page) => page.items) ?? []}
            locale={{ emptyText: t('none') }}
            columns={[
              {
                title: t('name'),
                render: (_, row) => <Link to={`/members/${row.memberId}`}>{row.name ?? '–'}</Link>,
              },
              { title: t('entered'), render: (_, row) => minute(row.enteredAt, ZONE) },
              { title: t('node'), render: (_, row) => row.node[lang] },
              { title: t('due'), render: (_, row) => minute(row.dueAt, ZONE) },
              {
                title: t('state'),
                render: (_, row) => (
                  <>
                    {t(row.state)}
                    {row.reason ? `：${reasonName(row.reason, lang)}` : ''}
                    {row.heldOut ? <Tag style={{ marginInlineStart: 6 }}>{t('held')}</Tag> : null}
                  </>
                ),
              },
            ]}
          />
          {query.hasNextPage ? (
            <Button
              style={{ marginTop: 12 }}
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {t('more')}
            </Button>
          ) : null}
        </>
      )}
    </Loaded>
  )
}
