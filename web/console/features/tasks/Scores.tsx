import { useQuery } from '@tanstack/react-query'
import { Button, Card, Progress, Segmented, Space, Table, Typography } from 'antd'
import { useEffect } from 'react'
import type { z } from 'zod'
import type { Score as ScoreSchema } from '../../../../contract/tasks.ts'
import { api } from '../../../client.ts'
import { downloadCsv } from '../../../ui/csv.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'

type Score = z.infer<typeof ScoreSchema>
/** Sums over everybody who is scored; the mean score is null where nobody is. */
export type Totals = { done: number; late: number; score: number | null }

const words = {
  scores: { zh: '执行分', en: 'Scores' },
  guide: { zh: '导购', en: 'Guide' },
  store: { zh: '门店', en: 'Store' },
  guides: { zh: '按导购', en: 'By guide' },
  stores: { zh: '按门店', en: 'By store' },
  open: { zh: '待完成', en: 'Open' },
  done: { zh: '按时', en: 'In time' },
  doneLate: { zh: '逾期完成', en: 'Done late' },
  late: { zh: '逾期', en: 'Late' },
  score: { zh: '执行分', en: 'Score' },
  none: { zh: '近 30 天没有任务', en: 'No task in 30 days' },
  file: { zh: '执行分.csv', en: 'scores.csv' },
  how: {
    zh: '执行分 = 100 ×（按时 + ½ 逾期完成）÷（按时 + 逾期完成 + 逾期）',
    en: 'Score = 100 × (in time + ½ done late) ÷ (in time + done late + late)',
  },
}
const ROWS = 15

/** Who does the tasks and in time, over 30 days, by guide or by store. Tells the page the sums. */
export function Scores({ onTotals }: { onTotals: (totals: Totals) => void }) {
  const t = useWords(words)
  const { get, set } = useAddress()
  const by = get('by') === 'store' ? 'store' : 'guide'
  const query = useQuery(api.tasks.scores.queryOptions({ input: { by } }))
  const rows = query.data?.items
  useEffect(() => {
    if (rows) onTotals(totalsOf(rows))
  }, [rows, onTotals])
  return (
    <Card
      title={t('scores')}
      extra={
        <Space>
          <Segmented
            value={by}
            onChange={(value) => set({ by: value === 'store' ? 'store' : undefined })}
            options={[
              { value: 'guide', label: t('guides') },
              { value: 'store', label: t('stores') },
            ]}
          />
          <Download rows={rows ?? []} by={by} />
        </Space>
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <Table
            size="small"
            rowKey="id"
            pagination={{ pageSize: ROWS, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 460 }}
            locale={{ emptyText: t('none') }}
            dataSource={[...items].sort((a, b) => (b.score ?? -1) - (a.score ?? -1))}
            columns={[
              {
                title: t(by),
                render: (_, row) => (
                  <>
                    {row.name}
                    {row.store ? <Typography.Text type="secondary"> {row.store}</Typography.Text> : null}
                  </>
                ),
              },
              { title: t('open'), dataIndex: 'open', align: 'right', width: 70 },
              { title: t('done'), dataIndex: 'done', align: 'right', width: 70 },
              { title: t('late'), dataIndex: 'late', align: 'right', width: 60 },
              {
                title: t('score'),
                width: 120,
                render: (_, row) =>
                  row.score === null ? (
                    '–'
                  ) : (
                    <Progress
                      aria-label={t('score')}
                      percent={row.score}
                      size="small"
                      format={(score) => score}
                    />
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      <Typography.Text type="secondary">{t('how')}</Typography.Text>
    </Card>
  )
}

function Download({ rows, by }: { rows: readonly Score[]; by: 'guide' | 'store' }) {
  const t = useWords(words)
  const download = (): void =>
    downloadCsv(
      t('file'),
      [t(by), t('store'), t('open'), t('done'), t('doneLate'), t('late'), t('score')],
      rows.map((row) => [row.name, row.store, row.open, row.done, row.doneLate, row.late, row.score]),
    )
  return (
    <Button type="text" onClick={download} disabled={rows.length === 0}>
      CSV
    </Button>
  )
}

function totalsOf(rows: readonly Score[]): Totals {
  const sum = (of: 'done' | 'late'): number => rows.reduce((total, row) => total + row[of], 0)
  const scored = rows.flatMap((row) => (row.score === null ? [] : [row.score]))
  const mean = scored.reduce((total, score) => total + score, 0) / scored.length
  return { done: sum('done'), late: sum('late'), score: scored.length === 0 ? null : Math.round(mean) }
}
