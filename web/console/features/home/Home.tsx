import { ArrowRightOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Col, Row, Space, Typography } from 'antd'
import { useMemo } from 'react'
import { Link } from 'react-router'
import type { Home as HomeState } from '../../../../contract/insight.ts'
import { api } from '../../../client.ts'
import { Chart } from '../../../ui/Chart.tsx'
import { compact, date, minute, percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { accent, series } from '../../../ui/tokens.ts'
import { touchStateName } from '../../../ui/touch-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Figure } from '../../parts/Figure.tsx'
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  title: { zh: '总览', en: 'Home' },
  answer: {
    zh: '{asleep} 位会员在沉睡，未来 30 天还有 {falling} 位会睡着；{journeys} 个 SOP 正在唤醒和跟进。',
    en: '{asleep} members are asleep and {falling} more fall asleep in the next 30 days; {journeys} SOPs are at work.',
  },
  none: {
    zh: '还没有会员。导入一份 Excel 或 CSV，几分钟后就能看到会员体检、生命周期和该联系谁。',
    en: 'No members yet. Import an Excel or CSV file and see the audit, the life cycle and whom to reach in minutes.',
  },
  import: { zh: '导入自己的数据', en: 'Use my own data' },
  persons: { zh: '总人数', en: 'Persons' },
  members: { zh: '注册会员', en: 'Members' },
  reachable: { zh: '可触达', en: 'Reachable' },
  ofAll: { zh: '占 {share}', en: '{share} of all' },
  asleep: { zh: '沉睡', en: 'Asleep' },
  fresh: { zh: '本月新增', en: 'New this month' },
  woken: { zh: '本月唤醒', en: 'Woken this month' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  touches: { zh: '今日触达', en: 'Touches today' },
  noTouches: {
    zh: '今天还没有触达。营销消息在允许时段每 15 分钟决定一次。',
    en: 'None yet today. Marketing is decided every 15 minutes in allowed hours.',
  },
  tasks: { zh: '今日任务', en: 'Tasks today' },
  open: { zh: '待完成', en: 'Open' },
  done: { zh: '已完成', en: 'Done' },
  late: { zh: '已逾期', en: 'Late' },
  days: { zh: '近 30 天', en: 'Last 30 days' },
  joined: { zh: '入会', en: 'Joined' },
  bought: { zh: '购买人数', en: 'Buyers' },
  touched: { zh: '触达', en: 'Touched' },
  stopped: { zh: '需要处理', en: 'Needs attention' },
  since: { zh: '自 {at}', en: 'since {at}' },
  try: { zh: '可以试试', en: 'Try this' },
  try1: { zh: '看看这批会员的体检', en: 'Read the audit of the member base' },
  try2: { zh: '打开沉睡会员，存成人群', en: 'Open the sleeping members and save them as a segment' },
  try3: { zh: '看 SOP 今天会联系谁、为什么', en: 'See whom the SOPs reach today, and why' },
  all: { zh: '全部', en: 'All' },
}

/** The first page: the answer, the base in one ribbon, what happens today, what has stopped. */
export function Home() {
  const query = useQuery(api.insight.home.queryOptions({ refetchInterval: 10_000 }))
  return <Loaded query={query}>{(home) => <HomePage home={home} />}</Loaded>
}

function HomePage({ home }: { home: HomeState }) {
  const t = useWords(words)
  const lang = useLang()
  const today = date(home.asOf, home.brand.zone)
  if (home.persons === 0) {
    return (
      <Answer
        title={t('title')}
        actions={
          <Link to="/import">
            <Button type="primary">{t('import')}</Button>
          </Link>
        }
      >
        {t('none')}
      </Answer>
    )
  }
  return (
    <>
      <Answer
        title={home.brand.name}
        actions={
          <Link to="/import">
            <Button>{t('import')}</Button>
          </Link>
        }
      >
        {t('answer', {
          asleep: compact(home.asleep, lang),
          falling: compact(home.fallingAsleep30Days, lang),
          journeys: home.journeysLive,
        })}
      </Answer>
      <Stopped home={home} />
      <Row gutter={[12, 12]}>
        <Col xs={12} md={8} xl={4}>
          <Figure label={t('persons')} value={home.persons} to="/members" />
        </Col>
        <Col xs={12} md={8} xl={4}>
          <Figure label={t('members')} value={home.members} to="/members?kind=member" />
        </Col>
        <Col xs={12} md={8} xl={4}>
          <Figure
            label={t('reachable')}
            value={home.reachable}
            to="/audit-base"
            note={t('ofAll', { share: percent(home.reachable / home.persons) })}
          />
        </Col>
        <Col xs={12} md={8} xl={4}>
          <Figure
            label={t('asleep')}
            value={home.asleep}
            to="/lifecycle"
            note={t('ofAll', { share: percent(home.asleep / home.persons) })}
          />
        </Col>
        <Col xs={12} md={8} xl={4}>
          <Figure label={t('fresh')} value={home.newThisMonth} to="/members?sort=joined" />
        </Col>
        <Col xs={12} md={8} xl={4}>
          <Figure label={t('woken')} value={home.wokenThisMonth} to="/lifecycle" />
        </Col>
      </Row>
      <Card
        title={t('lifecycle')}
        style={{ marginTop: 12 }}
        extra={
          <Link to="/lifecycle">
            {t('all')} <ArrowRightOutlined />
          </Link>
        }
      >
        <LifecycleRibbon bands={home.lifecycle} />
      </Card>
      <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
        <Col xs={24} xl={12}>
          <Days home={home} />
        </Col>
        <Col xs={24} md={12} xl={6}>
          <Touches home={home} />
        </Col>
        <Col xs={24} md={12} xl={6}>
          <Card
            title={t('tasks')}
            style={{ height: '100%' }}
            extra={
              <Link to="/tasks">
                {t('all')} <ArrowRightOutlined />
              </Link>
            }
          >
            <Space orientation="vertical" style={{ width: '100%' }}>
              {(['open', 'done', 'late'] as const).map((state) => (
                <Line
                  key={state}
                  label={t(state)}
                  value={home.tasksToday[state]}
                  to={state === 'done' ? `/tasks?doneOn=${today}` : `/tasks?state=${state}`}
                />
              ))}
            </Space>
            <Typography.Title level={5}>{t('try')}</Typography.Title>
            <p>
              <Link to="/audit-base">{t('try1')}</Link>
            </p>
            <p>
              <Link to="/lifecycle">{t('try2')}</Link>
            </p>
            <p>
              <Link to="/journeys">{t('try3')}</Link>
            </p>
          </Card>
        </Col>
      </Row>
    </>
  )
}

function Stopped({ home }: { home: HomeState }) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <>
      {home.stopped.map((each) => (
        <Alert
          key={each.what}
          type="warning"
          showIcon
          style={{ marginBottom: 12 }}
          title={`${t('stopped')}：${each.text[lang]}`}
          description={each.since ? t('since', { at: minute(each.since, home.brand.zone) }) : undefined}
        />
      ))}
    </>
  )
}

function Touches({ home }: { home: HomeState }) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <Card
      title={t('touches')}
      style={{ height: '100%' }}
      extra={
        <Link to="/touches">
          {t('all')} <ArrowRightOutlined />
        </Link>
      }
    >
      {home.touchesToday.length === 0 ? (
        <Typography.Text type="secondary">{t('noTouches')}</Typography.Text>
      ) : null}
      <Space orientation="vertical" style={{ width: '100%' }}>
        {home.touchesToday.map((each) => (
          <Line
            key={each.state}
            label={touchStateName(each.state, lang)}
            value={each.touches}
            to={`/touches?day=${date(home.asOf, home.brand.zone)}&state=${each.state}`}
          />
        ))}
      </Space>
    </Card>
  )
}

function Line({ label, value, to }: { label: string; value: number; to: string }) {
  return (
    <Link to={to} style={{ display: 'flex', color: 'inherit' }}>
      <span style={{ flex: 1, opacity: 0.75 }}>{label}</span>
      <b>{whole(value)}</b>
    </Link>
  )
}

function Days({ home }: { home: HomeState }) {
  const t = useWords(words)
  const option = useMemo(
    () => ({
      grid: { left: 44, right: 12, top: 36, bottom: 24 },
      legend: { top: 0 },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: home.days.map((day) => day.day.slice(5)) },
      yAxis: { type: 'value' },
      series: [
        {
          type: 'line',
          name: t('bought'),
          data: home.days.map((day) => day.bought),
          showSymbol: false,
          smooth: true,
          color: accent,
        },
        {
          type: 'line',
          name: t('joined'),
          data: home.days.map((day) => day.joined),
          showSymbol: false,
          smooth: true,
          color: series[1],
        },
        { type: 'bar', name: t('touched'), data: home.days.map((day) => day.touched), color: series[2] },
      ],
    }),
    [home.days, t],
  )
  return (
    <Card title={t('days')} style={{ height: '100%' }}>
      <Chart option={option} height={240} label={t('days')} />
    </Card>
  )
}
