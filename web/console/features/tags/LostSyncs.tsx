import { useInfiniteQuery } from '@tanstack/react-query'
import { Empty, Table, Tag, Typography } from 'antd'
import { Link } from 'react-router'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  says: {
    zh: '导购打的优先于规则，规则优先于企微同步，同级以最近为准。落选的同步值列在这里，并会写回企业微信改正。',
    en: 'A guide goes before a rule, a rule before what WeCom says, among equals the latest. What lost stands here and is put right in WeCom.',
  },
  none: {
    zh: '没有落选的同步值：企微里的标签和这里一致。',
    en: 'None: tags in WeCom agree with those here.',
  },
  member: { zh: '会员', en: 'Member' },
  show: { zh: '查看', en: 'Show' },
  group: { zh: '标签组', en: 'Group' },
  lost: { zh: '落选', en: 'Lost' },
  kept: { zh: '保留', en: 'Kept' },
  at: { zh: '时间', en: 'When' },
  back: { zh: '写回企微', en: 'Put right in WeCom' },
  waiting: { zh: '待写回', en: 'waiting' },
}

/** Synced values that lost against a stronger one, and whether WeCom was put right. */
export function LostSyncs() {
  const t = useWords(words)
  const zone = useZone()
  const query = useInfiniteQuery(
    api.audience.lostSyncs.infiniteOptions({
      input: (cursor: string | undefined) => ({ cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <Typography.Paragraph type="secondary">{t('says')}</Typography.Paragraph>
      <Loaded query={query as never}>
        {() => (
          <>
            <Table
              size="middle"
              rowKey={(loss) => `${loss.memberId} ${loss.group} ${loss.at}`}
              pagination={false}
              dataSource={items}
              locale={{ emptyText: <Empty description={t('none')} /> }}
              columns={[
                { title: t('at'), width: 160, render: (_, loss) => minute(loss.at, zone) },
                {
                  title: t('member'),
                  width: 100,
                  render: (_, loss) => <Link to={`/members/${loss.memberId}`}>{t('show')}</Link>,
                },
                { title: t('group'), dataIndex: 'group', width: 160 },
                {
                  title: t('lost'),
                  render: (_, loss) => <Typography.Text delete>{loss.lost}</Typography.Text>,
                },
                { title: t('kept'), render: (_, loss) => <b>{loss.kept}</b> },
                {
                  title: t('back'),
                  width: 160,
                  render: (_, loss) =>
                    loss.writtenBackAt ? minute(loss.writtenBackAt, zone) : <Tag>{t('waiting')}</Tag>,
                },
              ]}
            />
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
    </>
  )
}
