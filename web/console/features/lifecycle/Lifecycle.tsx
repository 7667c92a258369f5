import { useQuery } from '@tanstack/react-query'
import { Button, Card, Col, DatePicker, Row, Segmented, Space, Statistic, Table } from 'antd'
import dayjs from 'dayjs'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import {
  type AiplStage,
  aiplName,
  type JoinRecency,
  joinRecencyName,
  type LifecycleState,
  lifecycleName,
  type OrderStage,
  type OwnCycleState,
  orderStageName,
  ownCycleName,
} from '../../../../contract/lifecycle.ts'
import { api } from '../../../client.ts'
import { compact, percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Figure } from '../../parts/Figure.tsx'
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney } from '../../parts/use-brand.ts'
import { RfmMatrix } from './RfmMatrix.tsx'
import { SourceFlow } from './SourceFlow.tsx'

const words = {
  title: { zh: '生命周期与 RFM', en: 'Life cycle and RFM' },
  answer: {
    zh: '{asleep} 位买过的会员在沉睡，未来 30 天还有 {falling} 位会睡着，本月唤醒了 {woken} 位；{once} 位只买过一次，是最大的增长点。',
    en: '{asleep} buyers are asleep, {falling} more fall asleep in 30 days, {woken} woke this month; {once} bought only once: the greatest room to grow.',
  },
  bands: { zh: '按最近一次消费', en: 'By days since the last purchase' },
  own: { zh: '按会员自己的购买周期', en: "By the member's own purchase cycle" },
  never: { zh: '从未购买，按入会时间', en: 'Never bought, by time since joining' },
  band: { zh: '状态', en: 'State' },
  days: { zh: '天数', en: 'Days' },
  persons: { zh: '人数', en: 'Persons' },
  spent: { zh: '累计消费', en: 'Spent' },
  stage: { zh: '订单阶段', en: 'Order stage' },
  conversion: { zh: '进入下一阶段', en: 'Reach the next' },
  recency: { zh: '入会新旧', en: 'Since joining' },
  aipl: { zh: '认知 · 兴趣 · 购买 · 忠诚', en: 'Awareness · interest · purchase · loyalty' },
  falling: { zh: '30 天内将睡着', en: 'Fall asleep within 30 days' },
  woken: { zh: '本月唤醒', en: 'Woken this month' },
  once: { zh: '只买过一次', en: 'Bought once' },
  silent: { zh: '互动沉默', en: 'Silent in contact' },
  silentNote: {
    zh: '90 天没有任何往来，与消费沉默不同',
    en: 'No contact for 90 days: not the same as silent in purchases',
  },
  wake: { zh: '唤醒沉睡会员', en: 'Wake sleeping members' },
  save: { zh: '把沉睡会员存成人群', en: 'Save the sleepers as a segment' },
  asOf: { zh: '截至', en: 'As of' },
  from: { zh: '{from} 天起', en: '{from} days and more' },
  between: { zh: '{from} 至 {to} 天', en: '{from} to {to} days' },
  fixed: { zh: '固定天数', en: 'Fixed days' },
  ownShort: { zh: '自己的周期', en: 'Own cycle' },
}

const sleepRule = encodeURIComponent(
  JSON.stringify({ kind: 'lifecycle', states: ['silent', 'near_sleep', 'hibernating', 'lost'] }),
)

/** How the base ages: bands, own cycles, order stages, RFM, and the flow from source to state. */
export function Lifecycle() {
  const t = useWords(words)
  const { shortMoney } = useMoney()
  const lang = useLang()
  const [params, setParams] = useSearchParams()
  const asOf = params.get('asOf') ?? undefined
  const [by, setBy] = useState<'fixed' | 'own'>('fixed')
  const query = useQuery(api.audience.lifecycle.queryOptions({ input: { asOf } }))
  return (
    <Loaded query={query} rows={12}>
      {(state) => {
        const asleep = state.bands
          .filter((band) => band.state !== 'active')
          .reduce((sum, band) => sum + band.persons, 0)
        return (
          <>
            <Answer
              title={t('title')}
              actions={
                <Space wrap>
                  <DatePicker
                    aria-label={t('asOf')}
                    placeholder={t('asOf')}
                    value={asOf ? dayjs(asOf) : null}
                    maxDate={dayjs()}
                    onChange={(day) => setParams(day ? { asOf: day.format('YYYY-MM-DD') } : {})}
                  />
                  <Link to={`/segments/new?rule=${sleepRule}`}>
                    <Button>{t('save')}</Button>
                  </Link>
                  <Link to="/journeys?new=wake_sleeping">
                    <Button type="primary">{t('wake')}</Button>
                  </Link>
                </Space>
              }
            >
              {t('answer', {
                asleep: compact(asleep, lang),
                falling: compact(state.fallingAsleep30Days, lang),
                woken: compact(state.wokenThisMonth, lang),
                once: compact(state.oneTimeBuyers, lang),
              })}
            </Answer>
            <Card>
              <LifecycleRibbon bands={[...state.bands, ...state.neverBought]} height={44} />
            </Card>
            <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
              <Col xs={12} lg={6}>
                <Figure
                  label={t('falling')}
                  value={state.fallingAsleep30Days}
                  to="/members?lifecycle=active"
                />
              </Col>
              <Col xs={12} lg={6}>
                <Figure label={t('woken')} value={state.wokenThisMonth} />
              </Col>
              <Col xs={12} lg={6}>
                <Figure
                  label={t('once')}
                  value={state.oneTimeBuyers}
                  to={`/segments/new?rule=${encodeURIComponent('{"kind":"one_time_buyer"}')}`}
                />
              </Col>
              <Col xs={12} lg={6}>
                <Figure label={t('silent')} value={state.interactionSilent} note={t('silentNote')} />
              </Col>
            </Row>
            <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
              <Col xs={24} xl={14}>
                <Card
                  title={by === 'fixed' ? t('bands') : t('own')}
                  extra={
                    <Segmented
                      value={by}
                      onChange={setBy}
                      options={[
                        { value: 'fixed', label: t('fixed') },
                        { value: 'own', label: t('ownShort') },
                      ]}
                    />
                  }
                >
                  {by === 'fixed' ? (
                    <Table
                      size="small"
                      pagination={false}
                      rowKey="state"
                      dataSource={[...state.bands]}
                      columns={[
                        {
                          title: t('band'),
                          dataIndex: 'state',
                          render: (band: LifecycleState) => lifecycleName(band, lang),
                        },
                        {
                          title: t('days'),
                          render: (_, band) =>
                            band.toDays === null
                              ? t('from', { from: band.fromDays ?? 0 })
                              : t('between', { from: band.fromDays ?? 0, to: band.toDays }),
                        },
                        {
                          title: t('persons'),
                          dataIndex: 'persons',
                          align: 'right',
                          render: (persons: number, band) => (
                            <Link to={`/members?lifecycle=${band.state}`}>{whole(persons)}</Link>
                          ),
                        },
                        {
                          title: t('spent'),
                          dataIndex: 'spentCents',
                          align: 'right',
                          render: (cents: number) => shortMoney(cents, lang),
                        },
                      ]}
                    />
                  ) : (
                    <Counts
                      rows={state.ownCycle.map((row) => ({
                        name: ownCycleName(row.state as OwnCycleState, lang),
                        persons: row.persons,
                      }))}
                    />
                  )}
                </Card>
              </Col>
              <Col xs={24} xl={10}>
                <Card title={t('stage')} style={{ height: '100%' }}>
                  <Table
                    size="small"
                    pagination={false}
                    rowKey="stage"
                    dataSource={[...state.stages]}
                    columns={[
                      {
                        title: t('stage'),
                        dataIndex: 'stage',
                        render: (stage: OrderStage) => orderStageName(stage, lang),
                      },
                      {
                        title: t('persons'),
                        dataIndex: 'persons',
                        align: 'right',
                        render: (persons: number) => whole(persons),
                      },
                      {
                        title: t('conversion'),
                        dataIndex: 'conversion',
                        align: 'right',
                        render: (share: number | null) => (share === null ? '–' : percent(share)),
                      },
                    ]}
                  />
                </Card>
              </Col>
            </Row>
            <RfmMatrix asOf={asOf} />
            <SourceFlow asOf={asOf} />
            <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
              <Col xs={24} lg={8}>
                <Card title={t('never')}>
                  <Counts
                    rows={state.neverBought.map((row) => ({
                      name: lifecycleName(row.state as LifecycleState, lang),
                      persons: row.persons,
                    }))}
                  />
                </Card>
              </Col>
              <Col xs={24} lg={8}>
                <Card title={t('recency')}>
                  <Counts
                    rows={state.joinRecency.map((row) => ({
                      name: joinRecencyName(row.state as JoinRecency, lang),
                      persons: row.persons,
                    }))}
                  />
                </Card>
              </Col>
              <Col xs={24} lg={8}>
                <Card title={t('aipl')}>
                  <Row>
                    {state.aipl.map((row) => (
                      <Col span={12} key={row.stage}>
                        <Statistic title={aiplName(row.stage as AiplStage, lang)} value={row.persons} />
                      </Col>
                    ))}
                  </Row>
                </Card>
              </Col>
            </Row>
          </>
        )
      }}
    </Loaded>
  )
}

function Counts({ rows }: { rows: readonly { name: string; persons: number }[] }) {
  const t = useWords(words)
  return (
    <Table
      size="small"
      pagination={false}
      rowKey="name"
      dataSource={[...rows]}
      columns={[
        { title: t('band'), dataIndex: 'name' },
        {
          title: t('persons'),
          dataIndex: 'persons',
          align: 'right',
          render: (persons: number) => whole(persons),
        },
      ]}
    />
  )
}
