import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import {
  Button,
  Card,
  Col,
  Empty,
  Progress,
  Row,
  Segmented,
  Select,
  Space,
  Table,
  Tag,
  Typography,
} from 'antd'
import { Link, useSearchParams } from 'react-router'
import { type TaskKind, type TaskState, taskKinds, taskStates } from '../../../../contract/tasks.ts'
import { api } from '../../../client.ts'
import { downloadCsv } from '../../../ui/csv.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { outcomeWords, taskKindWords, taskStateColours, taskStateWords } from '../../../ui/task-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  title: { zh: '导购任务', en: 'Guide tasks' },
  answer: {
    zh: '近 30 天 {done} 个任务按时完成，{late} 个逾期未做；平均执行分 {score}。',
    en: 'In 30 days {done} tasks were done in time, {late} are late; the mean score is {score}.',
  },
  none: {
    zh: '还没有任务。SOP 里的任务步骤会自动发给对应的导购。',
    en: 'No tasks yet: the task steps of SOPs make them for the right guide.',
  },
  kind: { zh: '类型', en: 'Kind' },
  state: { zh: '状态', en: 'State' },
  scores: { zh: '执行分', en: 'Scores' },
  guide: { zh: '导购', en: 'Guide' },
  store: { zh: '门店', en: 'Store' },
  guides: { zh: '按导购', en: 'By guide' },
  stores: { zh: '按门店', en: 'By store' },
  member: { zh: '会员', en: 'Member' },
  members: { zh: '{n} 位会员', en: '{n} members' },
  due: { zh: '截止', en: 'Due' },
  title2: { zh: '任务', en: 'Task' },
  outcome: { zh: '结果', en: 'Outcome' },
  open: { zh: '待完成', en: 'Open' },
  done: { zh: '按时', en: 'In time' },
  doneLate: { zh: '逾期完成', en: 'Done late' },
  late: { zh: '逾期', en: 'Late' },
  score: { zh: '执行分', en: 'Score' },
  more: { zh: '加载更多', en: 'Load more' },
  how: {
    zh: '执行分 = 100 ×（按时 + ½ 逾期完成）÷（按时 + 逾期完成 + 逾期）',
    en: 'Score = 100 × (in time + ½ done late) ÷ (in time + done late + late)',
  },
  workbench: { zh: '打开导购工作台', en: 'Open the workbench' },
}
const ZONE = 'Asia/Shanghai'

/** What stores were asked to do, what they did, and how well. */
export function Tasks() {
  const t = useWords(words)
  const lang = useLang()
  const [params, setParams] = useSearchParams()
  const set = (name: string, value: string | null | undefined): void => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    setParams(next)
  }
  const by = params.get('by') === 'store' ? 'store' : 'guide'
  const filter = {
    state: (params.get('state') ?? undefined) as TaskState | undefined,
    kind: (params.get('kind') ?? undefined) as TaskKind | undefined,
    limit: 50,
  }
  const scores = useQuery(api.tasks.scores.queryOptions({ input: { by } }))
  const query = useInfiniteQuery(
    api.tasks.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const rows = scores.data?.items ?? []
  const total = (of: 'done' | 'late'): number => rows.reduce((sum, row) => sum + row[of], 0)
  const scored = rows.flatMap((row) => (row.score === null ? [] : [row.score]))
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          <a href="/workbench/">
            <Button>{t('workbench')}</Button>
          </a>
        }
      >
        {t('answer', {
          done: whole(total('done')),
          late: whole(total('late')),
          score:
            scored.length === 0
              ? '–'
              : Math.round(scored.reduce((sum, score) => sum + score, 0) / scored.length),
        })}
      </Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} xl={14}>
          <Space wrap style={{ marginBottom: 12 }}>
            <Select
              allowClear
              placeholder={t('state')}
              aria-label={t('state')}
              style={{ width: 140 }}
              value={filter.state ?? null}
              onChange={(value) => set('state', value)}
              options={taskStates.map((state) => ({ value: state, label: taskStateWords[state][lang] }))}
            />
            <Select
              allowClear
              placeholder={t('kind')}
              aria-label={t('kind')}
              style={{ width: 140 }}
              value={filter.kind ?? null}
              onChange={(value) => set('kind', value)}
              options={taskKinds.map((kind) => ({ value: kind, label: taskKindWords[kind][lang] }))}
            />
          </Space>
          <Loaded query={query as never} rows={8}>
            {() => (
              <>
                <Table
                  size="small"
                  rowKey="id"
                  pagination={false}
                  scroll={{ x: 760 }}
                  dataSource={query.data?.pages.flatMap((page) => page.items) ?? []}
                  locale={{ emptyText: <Empty description={t('none')} /> }}
                  expandable={{
                    expandedRowRender: (task) => (
                      <Typography.Paragraph style={{ margin: 0 }}>
                        {task.script}
                        {task.feedback ? (
                          <>
                            <br />
                            <b>{task.feedback}</b>
                          </>
                        ) : null}
                      </Typography.Paragraph>
                    ),
                  }}
                  columns={[
                    {
                      title: t('title2'),
                      render: (_, task) => (
                        <>
                          {task.title[lang]} <Tag>{taskKindWords[task.kind][lang]}</Tag>
                        </>
                      ),
                    },
                    {
                      title: t('member'),
                      render: (_, task) =>
                        task.member ? (
                          <Link to={`/members/${task.member.id}`}>{task.member.name ?? '–'}</Link>
                        ) : (
                          t('members', { n: task.members })
                        ),
                    },
                    { title: t('guide'), render: (_, task) => task.guide?.name ?? task.store?.name ?? '–' },
                    { title: t('due'), width: 140, render: (_, task) => minute(task.dueAt, ZONE) },
                    {
                      title: t('state'),
                      width: 100,
                      render: (_, task) => (
                        <Tag color={taskStateColours[task.state]}>{taskStateWords[task.state][lang]}</Tag>
                      ),
                    },
                    {
                      title: t('outcome'),
                      width: 110,
                      render: (_, task) =>
                        task.outcome ? (outcomeWords[task.outcome]?.[lang] ?? task.outcome) : '',
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
        </Col>
        <Col xs={24} xl={10}>
          <Card
            title={t('scores')}
            extra={
              <Space>
                <Segmented
                  value={by}
                  onChange={(value) => set('by', value === 'store' ? 'store' : null)}
                  options={[
                    { value: 'guide', label: t('guides') },
                    { value: 'store', label: t('stores') },
                  ]}
                />
                <Button
                  type="text"
                  onClick={() =>
                    downloadCsv(
                      'scores.csv',
                      ['name', 'store', 'open', 'done', 'done_late', 'late', 'score'],
                      rows.map((row) => [
                        row.name,
                        row.store,
                        row.open,
                        row.done,
                        row.doneLate,
                        row.late,
                        row.score,
                      ]),
                    )
                  }
                >
                  CSV
                </Button>
              </Space>
            }
          >
            <Loaded query={scores}>
              {({ items }) => (
                <Table
                  size="small"
                  rowKey="id"
                  pagination={{ pageSize: 15, hideOnSinglePage: true }}
                  dataSource={[...items].sort((a, b) => (b.score ?? -1) - (a.score ?? -1))}
                  columns={[
                    {
                      title: t(by),
                      render: (_, row) => (
                        <>
                          {row.name}
                          {row.store ? (
                            <Typography.Text type="secondary"> {row.store}</Typography.Text>
                          ) : null}
                        </>
                      ),
                    },
                    { title: t('open'), dataIndex: 'open', align: 'right' },
                    { title: t('done'), dataIndex: 'done', align: 'right' },
                    { title: t('late'), dataIndex: 'late', align: 'right' },
                    {
                      title: t('score'),
                      width: 120,
                      render: (_, row) =>
                        row.score === null ? (
                          '–'
                        ) : (
                          <Progress percent={row.score} size="small" format={(score) => score} />
                        ),
                    },
                  ]}
                />
              )}
            </Loaded>
            <Typography.Text type="secondary">{t('how')}</Typography.Text>
          </Card>
        </Col>
      </Row>
    </>
  )
}
