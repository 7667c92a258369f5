import { useQuery } from '@tanstack/react-query'
import { Button, Card, Col, Progress, Row, Table, Typography } from 'antd'
import { useMemo } from 'react'
import { Link } from 'react-router'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import type { BaseAudit } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { Chart } from '../../../ui/Chart.tsx'
import { channelName } from '../../../ui/channel-words.ts'
import { compact, percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sideName, sourceName } from '../../../ui/source-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Figure } from '../../parts/Figure.tsx'
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney } from '../../parts/use-brand.ts'

const words = {
  title: { zh: '会员体检', en: 'Member audit' },
  answer: {
    zh: '{persons} 人里有 {reachable} 人（{share}）至少能通过一个渠道联系上，{lost} 人失联；{invalid} 个手机号是错的，{wecom} 人只在导购的企业微信里，{erp} 人只在 ERP 里。',
    en: 'Of {persons} persons {reachable} ({share}) can be reached by at least one channel and {lost} by none; {invalid} phone numbers are wrong, {wecom} persons are only in a guide’s WeCom, {erp} only in the ERP.',
  },
  empty: {
    zh: '还没有会员可以体检。先导入一份会员、订单或企业微信联系人文件。',
    en: 'There is nobody to audit yet. Import members, orders or WeCom contacts first.',
  },
  import: { zh: '导入数据', en: 'Import' },
  identity: { zh: '处理重复与冲突', en: 'Settle duplicates and conflicts' },
  reach: { zh: '各渠道能联系上多少人', en: 'Who can be reached, by channel' },
  reachable: { zh: '可触达', en: 'Reachable' },
  unreachable: { zh: '不可触达', en: 'Unreachable' },
  unknown: { zh: '未知', en: 'Unknown' },
  phones: { zh: '手机号', en: 'Phones' },
  valid: { zh: '有效', en: 'Valid' },
  invalid: { zh: '无效', en: 'Invalid' },
  missing: { zh: '没有', en: 'Missing' },
  where: { zh: '资料在哪里', en: 'Where they are known' },
  onlyWecom: { zh: '只在导购企业微信', en: 'Only in a guide’s WeCom' },
  onlyErp: { zh: '只在 ERP', en: 'Only in the ERP' },
  both: { zh: '两边都有', en: 'In both' },
  incomplete: { zh: '资料不完整', en: 'Incomplete' },
  completeness: { zh: '平均完整度 {share}', en: 'Completeness {share} on average' },
  duplicates: { zh: '疑似重复', en: 'Likely duplicates' },
  conflicts: { zh: '身份冲突', en: 'Conflicts' },
  noBuyer: { zh: '没有买家的订单', en: 'Orders without a buyer' },
  lifecycle: { zh: '生命周期分布', en: 'Spread over the life cycle' },
  never: { zh: '从未购买，按入会时间', en: 'Never bought, by time since joining' },
  sources: { zh: '会员来源', en: 'Sources' },
  source: { zh: '来源', en: 'Source' },
  persons: { zh: '人数', en: 'Persons' },
  band: { zh: '入会时间', en: 'Since joining' },
  next: { zh: '接下来：唤醒沉睡会员', en: 'Next: wake the sleepers' },
}

/** DATA-01…04: what the base is worth, the first page after an import. */
export function AuditBase() {
  const query = useQuery(api.members.audit.queryOptions())
  return (
    <Loaded query={query} rows={12}>
      {(audit) => <Audit audit={audit} />}
    </Loaded>
  )
}

function Audit({ audit }: { audit: BaseAudit }) {
  const t = useWords(words)
  const { shortMoney } = useMoney()
  const lang = useLang()
  if (audit.persons === 0)
    return (
      <Answer
        title={t('title')}
        actions={
          <Link to="/import">
            <Button type="primary">{t('import')}</Button>
          </Link>
        }
      >
        {t('empty')}
      </Answer>
    )
  const say = (value: number): string => compact(value, lang)
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          <>
            <Link to="/identity">
              <Button>{t('identity')}</Button>
            </Link>
            <Link to="/journeys?new=wake_sleeping">
              <Button type="primary">{t('next')}</Button>
            </Link>
          </>
        }
      >
        {t('answer', {
          persons: say(audit.persons),
          reachable: say(audit.reachableAny),
          share: percent(audit.reachableAny / audit.persons),
          lost: say(audit.lost),
          invalid: say(audit.phones.invalid),
          wecom: say(audit.onlyInWecom),
          erp: say(audit.onlyInErp),
        })}
      </Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} xl={14}>
          <Card title={t('reach')} style={{ height: '100%' }}>
            <Channels audit={audit} />
          </Card>
        </Col>
        <Col xs={24} md={12} xl={5}>
          <Shares
            title={t('phones')}
            rows={[
              [t('valid'), audit.phones.valid],
              [t('invalid'), audit.phones.invalid],
              [t('missing'), audit.phones.missing],
            ]}
          />
        </Col>
        <Col xs={24} md={12} xl={5}>
          <Shares
            title={t('where')}
            rows={[
              [t('onlyErp'), audit.onlyInErp],
              [t('onlyWecom'), audit.onlyInWecom],
              [t('both'), audit.inBoth],
            ]}
          />
        </Col>
      </Row>
      <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
        <Col xs={12} xl={6}>
          <Figure
            label={t('incomplete')}
            value={audit.incomplete}
            note={t('completeness', { share: percent(audit.completeness) })}
          />
        </Col>
        <Col xs={12} xl={6}>
          <Figure label={t('duplicates')} value={audit.duplicatesProposed} to="/identity?kind=fuzzy" />
        </Col>
        <Col xs={12} xl={6}>
          <Figure label={t('conflicts')} value={audit.conflicts} to="/identity?kind=conflict" />
        </Col>
        <Col xs={12} xl={6}>
          <Figure
            label={t('noBuyer')}
            value={audit.ordersWithoutBuyer.orders}
            note={shortMoney(audit.ordersWithoutBuyer.cents, lang)}
          />
        </Col>
      </Row>
      <Card title={t('lifecycle')} style={{ marginTop: 12 }}>
        <LifecycleRibbon bands={audit.lifecycle} height={44} />
      </Card>
      <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
        <Col xs={24} lg={12}>
          <Card title={t('never')}>
            <Table
              size="small"
              pagination={false}
              rowKey="band"
              dataSource={[...audit.neverBought]}
              columns={[
                {
                  title: t('band'),
                  dataIndex: 'band',
                  render: (band: string) => lifecycleName(band as LifecycleState, lang),
                },
                {
                  title: t('persons'),
                  dataIndex: 'persons',
                  align: 'right',
                  render: (persons: number, row) => (
                    <Link to={`/members?lifecycle=${row.band}`}>{whole(persons)}</Link>
                  ),
                },
              ]}
            />
          </Card>
        </Col>
        <Col xs={24} lg={12}>
          <Card title={t('sources')}>
            <Table
              size="small"
              pagination={false}
              rowKey={(row) => `${row.source} ${row.side}`}
              dataSource={[...audit.sources]}
              columns={[
                {
                  title: t('source'),
                  render: (_, row) => (
                    <Link to={`/members?source=${row.source}`}>
                      {sourceName(row.source, lang)} {sideName(row.side, lang)}
                    </Link>
                  ),
                },
                {
                  title: t('persons'),
                  dataIndex: 'persons',
                  align: 'right',
                  render: (persons: number) => whole(persons),
                },
              ]}
            />
          </Card>
        </Col>
      </Row>
    </>
  )
}

function Channels({ audit }: { audit: BaseAudit }) {
  const t = useWords(words)
  const lang = useLang()
  const option = useMemo(() => {
    const bar = (key: 'reachable' | 'unreachable' | 'unknown', color: string) => ({
      type: 'bar',
      stack: 'all',
      name: t(key),
      color,
      barWidth: 28,
      data: audit.channels.map((row) => row[key]),
    })
    return {
      grid: { left: 84, right: 16, top: 36, bottom: 24 },
      legend: { top: 0 },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'value' },
      yAxis: { type: 'category', data: audit.channels.map((row) => channelName(row.channel, lang)) },
      series: [bar('reachable', '#0f766e'), bar('unreachable', '#8c2d4f'), bar('unknown', '#b8c4ce')],
    }
  }, [audit, t, lang])
  return <Chart option={option} height={90 + audit.channels.length * 52} label={t('reach')} />
}

function Shares({ title, rows }: { title: string; rows: readonly (readonly [string, number])[] }) {
  const total = rows.reduce((sum, [, value]) => sum + value, 0)
  return (
    <Card title={title} style={{ height: '100%' }}>
      {rows.map(([label, value]) => (
        <div key={label} style={{ marginBottom: 10 }}>
          <div style={{ display: 'flex' }}>
            <span style={{ flex: 1 }}>{label}</span>
            <Typography.Text strong>{whole(value)}</Typography.Text>
          </div>
          <Progress
            aria-label={label}
            percent={total === 0 ? 0 : Math.round((value / total) * 1000) / 10}
            size="small"
            showInfo={false}
          />
        </div>
      ))}
    </Card>
  )
}
