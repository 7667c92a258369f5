import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Col, Row, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import {
  type Task,
  type TaskKind,
  type TaskState,
  taskKinds,
  taskStates,
} from '../../../../contract/tasks.ts'
import { api } from '../../../client.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { outcomeWords, taskKindWords, taskStateColours, taskStateWords } from '../../../ui/task-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Choice } from '../../parts/Choice.tsx'
import { DayChoice } from '../../parts/DayChoice.tsx'
import { FilterBar, ListTable } from '../../parts/ListPage.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useZone } from '../../parts/use-brand.ts'
import { Scores, type Totals } from './Scores.tsx'

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
  nobody: { zh: '没有符合条件的任务', en: 'No task matches' },
  kind: { zh: '类型', en: 'Kind' },
  state: { zh: '状态', en: 'State' },
  guide: { zh: '导购', en: 'Guide' },
  member: { zh: '会员', en: 'Member' },
  members: { zh: '{n} 位会员', en: '{n} members' },
  doneOn: { zh: '哪天完成', en: 'Done on' },
  due: { zh: '截止', en: 'Due' },
  task: { zh: '任务', en: 'Task' },
  outcome: { zh: '结果', en: 'Outcome' },
  workbench: { zh: '打开导购工作台', en: 'Open the workbench' },
}

/** What stores were asked to do, what they did, and how well. */
export function Tasks() {
  const t = useWords(words)
  const lang = useLang()
  const { get, set } = useAddress()
  const [totals, setTotals] = useState<Totals>()
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
        {totals
          ? t('answer', { done: whole(totals.done), late: whole(totals.late), score: totals.score ?? '–' })
          : undefined}
      </Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} xxl={15}>
          <FilterBar>
            <Choice
              label={t('state')}
              value={get('state')}
              onChange={(state) => set({ state })}
              options={taskStates.map((state) => [state, taskStateWords[state][lang]])}
            />
            <Choice
              label={t('kind')}
              value={get('kind')}
              onChange={(kind) => set({ kind })}
              options={taskKinds.map((kind) => [kind, taskKindWords[kind][lang]])}
            />
            <DayChoice label={t('doneOn')} value={get('doneOn')} onChange={(doneOn) => set({ doneOn })} />
          </FilterBar>
          <List />
        </Col>
        <Col xs={24} xxl={9}>
          <Scores onTotals={setTotals} />
        </Col>
      </Row>
    </>
  )
}

function List() {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { get } = useAddress()
  const filter = {
    state: get('state') as TaskState | undefined,
    kind: get('kind') as TaskKind | undefined,
    doneOn: get('doneOn'),
    limit: 50,
  }
  const query = useInfiniteQuery(
    api.tasks.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  return (
    <ListTable<Task>
      query={query}
      none={t(filter.state || filter.kind || filter.doneOn ? 'nobody' : 'none')}
      width={820}
      expandable={{
        rowExpandable: (task) => task.script !== null || task.feedback !== null,
        expandedRowRender: (task) => (
          <Typography.Paragraph style={{ margin: 0 }} translate="no">
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
          title: t('task'),
          render: (_, task) => (
            <>
              {task.title[lang]} <Tag>{taskKindWords[task.kind][lang]}</Tag>
            </>
          ),
        },
        {
          title: t('member'),
          ellipsis: true,
          render: (_, task) =>
            task.member ? (
              <Link to={`/members/${task.member.id}`}>{task.member.name ?? '–'}</Link>
            ) : (
              t('members', { n: task.members })
            ),
        },
        {
          title: t('guide'),
          ellipsis: true,
          render: (_, task) => task.guide?.name ?? task.store?.name ?? '–',
        },
        { title: t('due'), width: 140, render: (_, task) => minute(task.dueAt, zone) },
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
          render: (_, task) => (task.outcome ? (outcomeWords[task.outcome]?.[lang] ?? task.outcome) : ''),
        },
      ]}
    />
  )
}
