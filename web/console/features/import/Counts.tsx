import { useQuery } from '@tanstack/react-query'
import { Button, Card, Col, Row, Table } from 'antd'
import { Link } from 'react-router'
import type { ImportCounts, ImportRun, RejectReason } from '../../../../contract/import.ts'
import { api } from '../../../client.ts'
import { percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Figure } from '../../parts/Figure.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { countNames, countWords, reasonWords } from './import-words.ts'

const words = {
  read: { zh: '文件行数', en: 'Rows of the file' },
  accepted: { zh: '可进入', en: 'Go in' },
  wentIn: { zh: '已进入', en: 'Went in' },
  happened: { zh: '发生了什么', en: 'What happened' },
  rejected: { zh: '被拒', en: 'Rejected' },
  ofAll: { zh: '占 {share}', en: '{share} of all' },
  new: { zh: '新建的人', en: 'New persons' },
  effect: { zh: '会发生什么', en: 'What happens' },
  why: { zh: '被拒原因', en: 'Why rows are rejected' },
  samples: { zh: '被拒的行（前 50 行）', en: 'Rejected rows (the first 50)' },
  download: { zh: '下载全部被拒行', en: 'Download all rejected rows' },
  none: { zh: '没有行被拒', en: 'No row is rejected' },
  row: { zh: '行号', en: 'Row' },
  column: { zh: '列', en: 'Column' },
  value: { zh: '内容', en: 'Value' },
  reason: { zh: '原因', en: 'Reason' },
  rows: { zh: '行数', en: 'Rows' },
}

/** What went in or would, what it does, and which rows do not go in and why. */
export function Counts({ run, counts }: { run: ImportRun; counts: ImportCounts }) {
  const t = useWords(words)
  const lang = useLang()
  const real = run.state !== 'checked'
  const told = countNames.filter((name) => counts[name] > 0)
  const share = (value: number): string =>
    t('ofAll', { share: percent(counts.read === 0 ? 0 : value / counts.read) })
  return (
    <>
      <Row gutter={[12, 12]}>
        <Col xs={12} lg={6}>
          <Figure label={t('read')} value={counts.read} />
        </Col>
        <Col xs={12} lg={6}>
          <Figure
            label={t(real ? 'wentIn' : 'accepted')}
            value={counts.accepted}
            note={share(counts.accepted)}
          />
        </Col>
        <Col xs={12} lg={6}>
          <Figure label={t('rejected')} value={counts.rejected} note={share(counts.rejected)} />
        </Col>
        <Col xs={12} lg={6}>
          <Figure label={t('new')} value={counts.peopleCreated} />
        </Col>
      </Row>
      <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
        <Col xs={24} xl={8}>
          <Card title={t(real ? 'happened' : 'effect')} style={{ height: '100%' }}>
            {told.map((name) => (
              <div key={name} style={{ display: 'flex', padding: '3px 0' }}>
                <span style={{ flex: 1, opacity: 0.75 }}>
                  {name === 'reviews' ? (
                    <Link to="/identity">{countWords[name][lang]}</Link>
                  ) : (
                    countWords[name][lang]
                  )}
                </span>
                <b>{whole(counts[name])}</b>
              </div>
            ))}
          </Card>
        </Col>
        <Col xs={24} xl={16}>
          <Rejected run={run} counts={counts} />
        </Col>
      </Row>
    </>
  )
}

function Rejected({ run, counts }: { run: ImportRun; counts: ImportCounts }) {
  const t = useWords(words)
  const lang = useLang()
  const query = useQuery(
    api.imports.rejected.queryOptions({ input: { id: run.id, limit: 50 }, enabled: counts.rejected > 0 }),
  )
  if (counts.rejected === 0) return <Card style={{ height: '100%' }}>{t('none')}</Card>
  const reasons = Object.entries(counts.reasons) as [RejectReason, number][]
  return (
    <Card
      title={t('why')}
      extra={
        <Button href={`/api/imports/${run.id}/rejects.csv`} download>
          {t('download')}
        </Button>
      }
    >
      {reasons
        .sort(([, a], [, b]) => b - a)
        .map(([reason, rows]) => (
          <div key={reason} style={{ display: 'flex', padding: '3px 0' }}>
            <span style={{ flex: 1, opacity: 0.75 }}>{reasonWords[reason][lang]}</span>
            <b>{whole(rows)}</b>
          </div>
        ))}
      <h4 style={{ margin: '16px 0 8px' }}>{t('samples')}</h4>
      <Loaded query={query} rows={3}>
        {(rows) => (
          <Table
            size="small"
            rowKey={(row) => `${row.row} ${row.column} ${row.reason}`}
            pagination={false}
            scroll={{ y: 300 }}
            dataSource={[...rows]}
            columns={[
              {
                title: t('row'),
                dataIndex: 'row',
                width: 90,
                align: 'right',
                render: (row: number) => whole(row),
              },
              { title: t('column'), dataIndex: 'column', width: 140, ellipsis: true },
              { title: t('value'), dataIndex: 'value', ellipsis: true },
              { title: t('reason'), width: 240, render: (_, row) => reasonWords[row.reason][lang] },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
