import { useQuery } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Segmented, Table } from 'antd'
import { useMemo, useState } from 'react'
import type { SegmentGrowth } from '../../../../contract/audience.ts'
import { api } from '../../../client.ts'
import { Chart } from '../../../ui/Chart.tsx'
import { downloadCsv } from '../../../ui/csv.ts'
import { whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { accent, series } from '../../../ui/tokens.ts'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  title: { zh: '人数变化', en: 'Size by day' },
  size: { zh: '人数', en: 'Members' },
  entered: { zh: '进入', en: 'Entered' },
  left: { zh: '离开', en: 'Left' },
  day: { zh: '日期', en: 'Day' },
  chart: { zh: '图', en: 'Chart' },
  table: { zh: '表', en: 'Table' },
  d30: { zh: '30 天', en: '30 days' },
  d90: { zh: '90 天', en: '90 days' },
  d365: { zh: '一年', en: 'A year' },
  first: {
    zh: '从今天开始记录每天的人数和进出，明天起这里会有曲线。',
    en: 'Size, entries and exits are kept from today on; from tomorrow there is a curve.',
  },
  notFollowed: {
    zh: '按需人群不跟踪每天的进出，没有曲线。改成实时后开始记录。',
    en: 'A segment on demand is not followed by day. Make it live, and a curve begins.',
  },
  file: { zh: '人数变化.csv', en: 'size-by-day.csv' },
}
const SPANS = [30, 90, 365] as const

/** The size by day of the brand with who entered and left. */
export function Growth({ id }: { id: number }) {
  const t = useWords(words)
  const [days, setDays] = useState<(typeof SPANS)[number]>(90)
  const [shape, setShape] = useState<'chart' | 'table'>('chart')
  const query = useQuery(api.audience.segmentGrowth.queryOptions({ input: { id: id as never, days } }))
  return (
    <Card
      title={t('title')}
      size="small"
      extra={
        <Flex gap={8} wrap>
          <Segmented
            size="small"
            aria-label={t('day')}
            value={days}
            onChange={setDays}
            options={SPANS.map((span) => ({ value: span, label: t(`d${span}`) }))}
          />
          <Segmented
            size="small"
            aria-label={t('chart')}
            value={shape}
            onChange={setShape}
            options={[
              { value: 'chart', label: t('chart') },
              { value: 'table', label: t('table') },
            ]}
          />
        </Flex>
      }
    >
      <Loaded query={query} rows={4}>
        {(growth) => <Curve growth={growth} shape={shape} />}
      </Loaded>
    </Card>
  )
}

function Curve({ growth, shape }: { growth: SegmentGrowth; shape: 'chart' | 'table' }) {
  const t = useWords(words)
  if (!growth.followed || growth.days.length < 2)
    return (
      <Empty
        image={Empty.PRESENTED_IMAGE_SIMPLE}
        description={t(growth.followed ? 'first' : 'notFollowed')}
      />
    )
  return shape === 'chart' ? <Picture growth={growth} /> : <Days growth={growth} />
}

function Picture({ growth: { days } }: { growth: SegmentGrowth }) {
  const t = useWords(words)
  const option = useMemo(
    () => ({
      tooltip: { trigger: 'axis' },
      legend: { data: [t('size'), t('entered'), t('left')], top: 0 },
      grid: { left: 8, right: 8, top: 34, bottom: 4, containLabel: true },
      xAxis: { type: 'category', data: days.map(({ day }) => day) },
      yAxis: [
        { type: 'value', minInterval: 1, scale: true },
        { type: 'value', minInterval: 1, splitLine: { show: false } },
      ],
      series: [
        {
          name: t('size'),
          type: 'line',
          symbol: 'none',
          lineStyle: { width: 2, color: accent },
          itemStyle: { color: accent },
          areaStyle: { opacity: 0.08, color: accent },
          data: days.map(({ size }) => size),
        },
        {
          name: t('entered'),
          type: 'bar',
          stack: 'moved',
          yAxisIndex: 1,
          itemStyle: { color: series[2] },
          data: days.map(({ entered }) => entered),
        },
        {
          name: t('left'),
          type: 'bar',
          stack: 'moved',
          yAxisIndex: 1,
          itemStyle: { color: series[3] },
          data: days.map(({ left }) => -left),
        },
      ],
    }),
    [days, t],
  )
  return <Chart option={option} height={240} label={t('title')} />
}

function Days({ growth: { days } }: { growth: SegmentGrowth }) {
  const t = useWords(words)
  const latest = [...days].reverse()
  const columns = ['day', 'size', 'entered', 'left'] as const
  return (
    <>
      <Table
        size="small"
        rowKey="day"
        dataSource={latest}
        pagination={{ pageSize: 7, showSizeChanger: false, hideOnSinglePage: true, size: 'small' }}
        columns={columns.map((column) => ({
          title: t(column),
          dataIndex: column,
          align: column === 'day' ? ('left' as const) : ('right' as const),
          render: (value: string | number) => (typeof value === 'number' ? whole(value) : value),
        }))}
      />
      <Button
        type="text"
        size="small"
        onClick={() =>
          downloadCsv(
            t('file'),
            columns.map((column) => t(column)),
            days.map((day) => columns.map((column) => day[column])),
          )
        }
      >
        CSV
      </Button>
    </>
  )
}
