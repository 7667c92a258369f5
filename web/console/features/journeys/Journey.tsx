import { useQuery } from '@tanstack/react-query'
import { Card, Col, Row, Statistic, Table, Tabs, Tag, Typography } from 'antd'
import { useMemo } from 'react'
import { Link, useParams } from 'react-router'
import type { JourneyDetail } from '../../../../contract/journeys.ts'
import { api } from '../../../client.ts'
import { Chart } from '../../../ui/Chart.tsx'
import { percent, whole } from '../../../ui/format.ts'
import { journeyStateColours, journeyStateWords } from '../../../ui/journey-words.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { touchStateName } from '../../../ui/touch-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney } from '../../parts/use-brand.ts'
import { Actions } from './Actions.tsx'
import { Canvas } from './Canvas.tsx'
import { Enrolments } from './Enrolments.tsx'

const words = {
  answer: {
    zh: '{enrolled} 人进入过，{active} 人在途。{days} 天内回店：已触达 {treated}，对照组 {held}。',
    en: '{enrolled} entered, {active} are in it. Back within {days} days: {treated} of the treated, {held} of the held out.',
  },
  draft: { zh: '草稿：还没有联系任何人。', en: 'A draft: nobody has been reached.' },
  canvas: { zh: '步骤', en: 'Steps' },
  funnel: { zh: '漏斗与效果', en: 'Funnel and result' },
  why: { zh: '为什么没发出去', en: 'Why messages did not go out' },
  people: { zh: '谁在里面', en: 'Who is in it' },
  texts: { zh: '话术与内容', en: 'Scripts and texts' },
  treated: { zh: '触达组回店率', en: 'Return rate, treated' },
  held: { zh: '对照组回店率', en: 'Return rate, held out' },
  lift: { zh: '差值', en: 'Difference' },
  points: { zh: '个百分点', en: 'points' },
  cost: { zh: '触达成本', en: 'Cost of touches' },
  small: { zh: '人数还少，差值仅供参考', en: 'Few persons yet: take the difference with care' },
  reason: { zh: '原因', en: 'Reason' },
  state: { zh: '状态', en: 'State' },
  count: { zh: '次数', en: 'Touches' },
  step: { zh: '步骤', en: 'Step' },
  text: { zh: '内容', en: 'Text' },
  none: { zh: '还没有', en: 'None yet' },
}

const ENOUGH = 100

/** One SOP: what it did, its canvas, its funnel against the holdout, and why messages were held back. */
export function Journey() {
  const { id = '' } = useParams()
  const query = useQuery(api.journeys.get.queryOptions({ input: { id }, refetchInterval: 10_000 }))
  return (
    <Loaded query={query} rows={12}>
      {(journey) => <JourneyPage journey={journey} />}
    </Loaded>
  )
}

function JourneyPage({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const lang = useLang()
  const { result } = journey
  const rate = (part: number, whole: number): string => (whole === 0 ? '–' : percent(part / whole))
  return (
    <>
      <Answer title={journey.name} actions={<Actions journey={journey} />}>
        <Tag color={journeyStateColours[journey.state]}>{journeyStateWords[journey.state][lang]}</Tag>{' '}
        {journey.state === 'draft'
          ? t('draft')
          : t('answer', {
              enrolled: whole(journey.enrolled),
              active: whole(journey.active),
              days: result.windowDays,
              treated: rate(result.treatedReturned, result.treated),
              held: rate(result.heldOutReturned, result.heldOut),
            })}
      </Answer>
      <Card>
        <Tabs
          items={[
            { key: 'canvas', label: t('canvas'), children: <Canvas journey={journey} /> },
            { key: 'funnel', label: t('funnel'), children: <Funnel journey={journey} /> },
            { key: 'why', label: t('why'), children: <Reasons journey={journey} /> },
            { key: 'people', label: t('people'), children: <Enrolments id={journey.id} /> },
            { key: 'texts', label: t('texts'), children: <Texts journey={journey} /> },
          ]}
        />
      </Card>
    </>
  )
}

function Funnel({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const { money } = useMoney()
  const lang = useLang()
  const { result } = journey
  const option = useMemo(
    () => ({
      grid: { left: 110, right: 40, top: 8, bottom: 24 },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'value' },
      yAxis: { type: 'category', inverse: true, data: journey.funnel.map((step) => step.name[lang]) },
      series: [
        {
          type: 'bar',
          barWidth: 26,
          data: journey.funnel.map((step) => step.persons),
          label: { show: true, position: 'right' },
        },
      ],
    }),
    [journey.funnel, lang],
  )
  const treated = result.treated === 0 ? null : result.treatedReturned / result.treated
  const held = result.heldOut === 0 ? null : result.heldOutReturned / result.heldOut
  return (
    <Row gutter={[24, 12]}>
      <Col xs={24} xl={16}>
        <Chart option={option} height={60 + journey.funnel.length * 48} label={t('funnel')} />
      </Col>
      <Col xs={24} xl={8}>
        <Statistic
          title={t('treated')}
          value={treated === null ? '–' : percent(treated)}
          suffix={`(${whole(result.treatedReturned)} / ${whole(result.treated)})`}
        />
        <Statistic
          title={t('held')}
          value={held === null ? '–' : percent(held)}
          suffix={`(${whole(result.heldOutReturned)} / ${whole(result.heldOut)})`}
        />
        <Statistic
          title={t('lift')}
          value={
            treated === null || held === null ? '–' : `${((treated - held) * 100).toFixed(1)} ${t('points')}`
          }
        />
        {Math.min(result.treated, result.heldOut) < ENOUGH ? (
          <Typography.Text type="secondary">{t('small')}</Typography.Text>
        ) : null}
        <Statistic title={t('cost')} value={money(result.costCents)} />
      </Col>
    </Row>
  )
}

function Reasons({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <Table
      size="small"
      pagination={false}
      rowKey={(row) => `${row.state} ${row.reason}`}
      dataSource={[...journey.reasons]}
      locale={{ emptyText: t('none') }}
      columns={[
        { title: t('state'), render: (_, row) => touchStateName(row.state, lang) },
        { title: t('reason'), render: (_, row) => reasonName(row.reason, lang) },
        {
          title: t('count'),
          align: 'right',
          render: (_, row) => (
            <Link to={`/touches?journeyId=${journey.id}&state=${row.state}`}>{whole(row.touches)}</Link>
          ),
        },
      ]}
    />
  )
}

function Texts({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <Table
      size="small"
      pagination={false}
      rowKey="nodeId"
      dataSource={[...journey.steps]}
      columns={[
        { title: t('step'), width: 180, render: (_, row) => row.name[lang] },
        { title: t('text'), render: (_, row) => <span translate="no">{row.text}</span> },
      ]}
    />
  )
}
