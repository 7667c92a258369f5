import { useQuery } from '@tanstack/react-query'
import { Card, Col, Empty, Row, Table, Tooltip, Typography } from 'antd'
import { Link, useNavigate } from 'react-router'
import { api } from '../../../client.ts'
import { useDark } from '../../../ui/dark.ts'
import { compact, minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney, useZone } from '../../parts/use-brand.ts'

const words = {
  title: { zh: 'RFM 矩阵', en: 'RFM matrix' },
  recent: { zh: '最近消费（R）', en: 'Recency (R)' },
  frequency: { zh: '消费频率（F）', en: 'Frequency (F)' },
  groups: { zh: 'RFM 分群', en: 'RFM groups' },
  group: { zh: '分群', en: 'Group' },
  persons: { zh: '人数', en: 'Persons' },
  spent: { zh: '累计消费', en: 'Spent' },
  none: {
    zh: '还没有购买记录。导入订单后，每天 04:00 计算分位。',
    en: 'No purchases yet. After orders are imported the quintiles are published at 04:00 each day.',
  },
  published: { zh: '分位发布于 {at}', en: 'Quintiles published {at}' },
  cut: { zh: '按 {day} 当天的分位', en: 'Quintiles of {day}' },
  cell: { zh: 'R{r} F{f}：{persons} 人，消费 {spent}', en: 'R{r} F{f}: {persons} persons, spent {spent}' },
}

/** From pale to full by share, with text that can be read on it: no step lies where neither ink could be. */
function shadeOf(share: number, dark: boolean): { background: string; color: string } {
  const strong = share > 0.7
  const depth = strong ? 0.92 + (share - 0.7) * 0.25 : 0.06 + share * 0.75
  return { background: `rgba(15, 118, 110, ${depth})`, color: strong || dark ? '#fff' : 'inherit' }
}

/** Five by five: how recently (down) and how often (across) they buy; each cell is a way to a segment. */
export function RfmMatrix({ asOf }: { asOf: string | undefined }) {
  const t = useWords(words)
  const { shortMoney } = useMoney()
  const lang = useLang()
  const zone = useZone()
  const { dark } = useDark()
  const navigate = useNavigate()
  const query = useQuery(api.audience.rfm.queryOptions({ input: { asOf } }))
  return (
    <Loaded query={query}>
      {(rfm) => {
        if (rfm.publishedAt === null) {
          return (
            <Card title={t('title')} style={{ marginTop: 12 }}>
              <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />
            </Card>
          )
        }
        const most = Math.max(1, ...rfm.cells.map((cell) => cell.persons))
        const cellAt = (r: number, f: number) =>
          rfm.cells.find((cell) => cell.recency === r && cell.frequency === f) ?? {
            persons: 0,
            spentCents: 0,
          }
        return (
          <Row gutter={[12, 12]} style={{ marginTop: 12 }}>
            <Col xs={24} xl={12}>
              <Card
                title={t('title')}
                extra={
                  <Typography.Text type="secondary">
                    {asOf === undefined
                      ? t('published', { at: minute(rfm.publishedAt, zone) })
                      : t('cut', { day: asOf })}
                  </Typography.Text>
                }
                style={{ height: '100%' }}
              >
                <table
                  style={{
                    width: '100%',
                    borderCollapse: 'separate',
                    borderSpacing: 4,
                    tableLayout: 'fixed',
                  }}
                >
                  <caption style={{ captionSide: 'bottom', opacity: 0.75, paddingTop: 6 }}>
                    {t('frequency')} →
                  </caption>
                  <tbody>
                    {[5, 4, 3, 2, 1].map((r) => (
                      <tr key={r}>
                        <th
                          scope="row"
                          style={{ width: 76, fontWeight: 400, opacity: 0.75, textAlign: 'start' }}
                        >
                          {r === 5 ? t('recent') : ''} {r}
                        </th>
                        {[1, 2, 3, 4, 5].map((f) => {
                          const cell = cellAt(r, f)
                          const share = Math.sqrt(cell.persons / most)
                          const rule = encodeURIComponent(
                            JSON.stringify({ kind: 'rfm_score', r: [r, r], f: [f, f] }),
                          )
                          return (
                            <td key={f} style={{ padding: 0 }}>
                              <Tooltip
                                title={t('cell', {
                                  r,
                                  f,
                                  persons: whole(cell.persons),
                                  spent: shortMoney(cell.spentCents, lang),
                                })}
                              >
                                <button
                                  type="button"
                                  onClick={() => void navigate(`/segments/new?rule=${rule}`)}
                                  style={{
                                    width: '100%',
                                    height: 52,
                                    border: 0,
                                    borderRadius: 6,
                                    cursor: 'pointer',
                                    font: 'inherit',
                                    ...shadeOf(share, dark),
                                  }}
                                >
                                  {compact(cell.persons, lang)}
                                </button>
                              </Tooltip>
                            </td>
                          )
                        })}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Card>
            </Col>
            <Col xs={24} xl={12}>
              <Card title={t('groups')} style={{ height: '100%' }}>
                <Table
                  size="small"
                  pagination={false}
                  rowKey="group"
                  dataSource={[...rfm.groups]}
                  columns={[
                    {
                      title: t('group'),
                      render: (_, group) => (
                        <Link to={`/members?rfm=${group.group}`}>{group.name[lang]}</Link>
                      ),
                    },
                    {
                      title: t('persons'),
                      dataIndex: 'persons',
                      align: 'right',
                      render: (persons: number) => whole(persons),
                    },
                    {
                      title: t('spent'),
                      dataIndex: 'spentCents',
                      align: 'right',
                      render: (cents: number) => shortMoney(cents, lang),
                    },
                  ]}
                />
              </Card>
            </Col>
          </Row>
        )
      }}
    </Loaded>
  )
}
