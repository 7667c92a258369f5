import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Checkbox, Flex, Modal, Segmented, Space, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import {
  type ExportColumnKey,
  type ExportRun,
  exportColumnKeys,
  exportColumns,
} from '../../../../contract/exports.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../use-act.ts'
import { useMe } from '../use-brand.ts'
import { ExportRuns, isUnderWay } from './ExportRuns.tsx'

const words = {
  all: { zh: '导出会员', en: 'Export members' },
  one: { zh: '导出人群“{name}”', en: 'Export the segment “{name}”' },
  scope: {
    zh: '只包含你能看到的会员，每一位以写入那一刻为准。',
    en: 'Only members whom you may see, each as of the moment of writing.',
  },
  format: { zh: '格式', en: 'Format' },
  csv: { zh: 'CSV', en: 'CSV' },
  xlsx: { zh: 'Excel', en: 'Excel' },
  columns: { zh: '列', en: 'Columns' },
  usual: { zh: '常用', en: 'Usual' },
  every: { zh: '全选', en: 'All' },
  full: { zh: '完整手机号（会记入操作记录）', en: 'Whole phone numbers (recorded in the audit trail)' },
  mayNot: {
    zh: '需要“导出”权限；没有时手机号会打码，如 138****1234。',
    en: 'Needs the right to export; without it numbers are masked: 138****1234.',
  },
  large: {
    zh: 'Excel 每张表最多 1,048,576 行，超出的部分会放进下一张表。',
    en: 'A sheet holds 1,048,576 rows; what is beyond goes to the next sheet.',
  },
  begin: { zh: '开始导出', en: 'Export' },
  begun: { zh: '已开始，可以关闭这个窗口，导出会在后台继续', en: 'Begun; it goes on when you close this' },
  none: { zh: '至少选一列', en: 'Choose a column' },
}
const WATCH_MS = 1000

type Props = { segment?: { id: number; name: string }; onClose: () => void }

/** What goes into the file, and the exports of before with their progress and files. */
export function ExportDialog({ segment, onClose }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const me = useMe()
  const { act, busy } = useAct()
  const [format, setFormat] = useState<ExportRun['format']>('xlsx')
  const [columns, setColumns] = useState<ExportColumnKey[]>(() => usual())
  const [full, setFull] = useState(false)
  const mayFull = me?.maySeePersonal === true && me.rights.includes('export')
  const runs = useQuery(
    api.exports.list.queryOptions({
      refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? WATCH_MS : false),
    }),
  )
  const begin = (): void => {
    const input = {
      segmentId: (segment?.id ?? null) as never,
      format,
      columns,
      fullPhones: full && mayFull && columns.includes('phone'),
      lang,
    }
    void act(() => client.exports.create(input), { done: t('begun'), refresh: [api.exports.key()] })
  }
  return (
    <Modal
      open
      width={760}
      title={segment ? t('one', { name: segment.name }) : t('all')}
      onCancel={onClose}
      footer={null}
    >
      <Typography.Paragraph type="secondary">{t('scope')}</Typography.Paragraph>
      <Space orientation="vertical" size={14} style={{ display: 'flex' }}>
        <Flex gap={12} align="center" wrap>
          <span>{t('format')}</span>
          <Segmented<ExportRun['format']>
            aria-label={t('format')}
            value={format}
            onChange={setFormat}
            options={[
              { value: 'xlsx', label: t('xlsx') },
              { value: 'csv', label: t('csv') },
            ]}
          />
          {format === 'xlsx' ? <Typography.Text type="secondary">{t('large')}</Typography.Text> : null}
        </Flex>
        <div>
          <Flex gap={4} align="center">
            <span>{t('columns')}</span>
            <Button type="link" size="small" onClick={() => setColumns(usual())}>
              {t('usual')}
            </Button>
            <Button type="link" size="small" onClick={() => setColumns([...exportColumnKeys])}>
              {t('every')}
            </Button>
          </Flex>
          <Checkbox.Group<ExportColumnKey>
            value={columns}
            onChange={(chosen) => setColumns(exportColumnKeys.filter((key) => chosen.includes(key)))}
            style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(128px, 1fr))', gap: 6 }}
            options={exportColumnKeys.map((key) => ({ value: key, label: exportColumns[key][lang] }))}
          />
        </div>
        <Tooltip title={mayFull ? '' : t('mayNot')}>
          <Checkbox
            checked={full && mayFull}
            disabled={!mayFull || !columns.includes('phone')}
            onChange={(event) => setFull(event.target.checked)}
          >
            {t('full')}
          </Checkbox>
        </Tooltip>
        {mayFull ? null : <Typography.Text type="secondary">{t('mayNot')}</Typography.Text>}
        {columns.length === 0 ? <Alert type="info" showIcon title={t('none')} /> : null}
        <Button type="primary" loading={busy} disabled={columns.length === 0} onClick={begin}>
          {t('begin')}
        </Button>
        <ExportRuns runs={runs.data?.items ?? []} />
      </Space>
    </Modal>
  )
}

function usual(): ExportColumnKey[] {
  return exportColumnKeys.filter((key) => exportColumns[key].usual)
}
