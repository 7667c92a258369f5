import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Progress, Table, Tag, Tooltip, Typography } from 'antd'
import { Link, useNavigate } from 'react-router'
import type { Segment } from '../../../../contract/audience.ts'
import { api } from '../../../client.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useZone } from '../../parts/use-brand.ts'
import { kindNames } from './segment-words.ts'

const words = {
  title: { zh: '人群', en: 'Segments' },
  answer: {
    zh: '{n} 个人群，随事件和时间自动保持准确；每个会员在或不在，都能说出原因。',
    en: '{n} segments, kept exact by events and by time; for every member there is a reason.',
  },
  new: { zh: '新建人群', en: 'New segment' },
  name: { zh: '名称', en: 'Name' },
  persons: { zh: '人数', en: 'Persons' },
  rule: { zh: '条件', en: 'Condition' },
  today: { zh: '今日进出', en: 'In and out today' },
  used: { zh: '用在', en: 'Used by' },
  none: {
    zh: '还没有人群。用条件圈出一批会员，SOP 和任务就能用它。',
    en: 'No segment yet. Say which members you mean; SOPs and tasks then use it.',
  },
  computing: { zh: '计算中', en: 'Computing' },
  taken: { zh: '{time} 拍摄', en: 'taken {time}' },
  computed: { zh: '{time} 计算', en: 'computed {time}' },
  never: { zh: '还没有计算', en: 'not computed yet' },
}

export function Segments() {
  const t = useWords(words)
  const lang = useLang()
  const navigate = useNavigate()
  const zone = useZone()
  const momentOf = ({ kind, takenAt }: Segment): string => {
    if (takenAt === null) return t('never')
    return t(kind === 'snapshot' ? 'taken' : 'computed', { time: minute(takenAt, zone) })
  }
  const query = useQuery(api.audience.segments.queryOptions({ refetchInterval: 15_000 }))
  return (
    <Loaded query={query}>
      {({ items }) => (
        <>
          <Answer
            title={t('title')}
            actions={
              <Link to="/segments/new">
                <Button type="primary" icon={<PlusOutlined />}>
                  {t('new')}
                </Button>
              </Link>
            }
          >
            {t('answer', { n: items.length })}
          </Answer>
          <Table
            rowKey="id"
            dataSource={[...items]}
            pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 900 }}
            locale={{
              emptyText: (
                <Empty description={t('none')}>
                  <Link to="/segments/new">
                    <Button type="primary">{t('new')}</Button>
                  </Link>
                </Empty>
              ),
            }}
            onRow={(row) => ({ onDoubleClick: () => void navigate(`/segments/${row.id}`) })}
            columns={[
              {
                title: t('name'),
                width: 220,
                render: (_, row) => (
                  <>
                    <Link to={`/segments/${row.id}`}>{row.name}</Link>{' '}
                    {row.kind === 'live' ? null : (
                      <Tooltip title={momentOf(row)}>
                        <Tag>{kindNames[row.kind][lang]}</Tag>
                      </Tooltip>
                    )}
                  </>
                ),
              },
              {
                title: t('persons'),
                width: 120,
                align: 'right',
                render: (_, row) =>
                  row.state === 'computing' ? (
                    <Tooltip title={t('computing')}>
                      <Progress
                        aria-label={t('computing')}
                        percent={Math.round(row.computedShare * 100)}
                        size="small"
                      />
                    </Tooltip>
                  ) : (
                    <Link to={`/members?segmentId=${row.id}`}>{whole(row.persons)}</Link>
                  ),
              },
              {
                title: t('today'),
                width: 120,
                align: 'right',
                render: (_, row) =>
                  row.kind === 'on_demand' ? (
                    '–'
                  ) : (
                    <span>
                      +{whole(row.enteredToday)} / −{whole(row.leftToday)}
                    </span>
                  ),
              },
              {
                title: t('rule'),
                render: (_, row) => (
                  <Typography.Paragraph
                    ellipsis={{ rows: 2, tooltip: row.sentence[lang] }}
                    style={{ margin: 0 }}
                  >
                    {row.sentence[lang]}
                  </Typography.Paragraph>
                ),
              },
              {
                title: t('used'),
                width: 200,
                render: (_, row) => row.usedBy.map((user) => <Tag key={user}>{user}</Tag>),
              },
            ]}
          />
        </>
      )}
    </Loaded>
  )
}
