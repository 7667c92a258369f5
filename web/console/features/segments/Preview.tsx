import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Col, Flex, Row, Table, Tag, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { z } from 'zod'
import type { Preview as PreviewSchema } from '../../../../contract/audience.ts'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import { Rule } from '../../../../contract/rule.ts'
import { api, faultOf } from '../../../client.ts'
import { channelName } from '../../../ui/channel-words.ts'
import { date, percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { useMoney, useZone } from '../../parts/use-brand.ts'

const words = {
  count: { zh: '{n} 人', en: '{n} persons' },
  of: { zh: '占全部 {share}', en: '{share} of all' },
  sampled: {
    zh: '这是估算：只看了 {n} 人的稳定抽样，保存后得到准确人数',
    en: 'An estimate from a stable sample of {n}; exact once it is saved',
  },
  first: {
    zh: '先看了 {n} 人得出的估算，准确人数随后显示',
    en: 'An estimate from {n} persons; the exact count follows',
  },
  bySource: { zh: '会员来源', en: 'Source' },
  byStore: { zh: '归属门店', en: 'Home store' },
  noStore: { zh: '没有门店', en: 'No store' },
  otherStores: { zh: '其他门店', en: 'Other stores' },
  unfinished: { zh: '条件还没填完整，填好后这里会显示人数', en: 'A condition is not complete yet' },
  sample: { zh: '其中一些会员', en: 'Some of them' },
  reach: { zh: '能收到营销消息：', en: 'Marketing can reach: ' },
  name: { zh: '姓名', en: 'Name' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  last: { zh: '最近购买', en: 'Last purchase' },
  spent: { zh: '累计消费', en: 'Spent' },
}
const DELAY_MS = 350

/** How many the rule means now, how they can be reached, and some of them. */
export function Preview({ rule }: { rule: Rule }) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const settled = useSettled(rule, DELAY_MS)
  const valid = Rule.safeParse(settled).success
  const first = useQuery(
    api.audience.preview.queryOptions({
      input: { rule: settled, quick: true },
      enabled: valid,
      placeholderData: (before) => before,
    }),
  )
  const estimated = first.data?.exact === false && !first.isPlaceholderData
  const whole = useQuery(
    api.audience.preview.queryOptions({ input: { rule: settled }, enabled: valid && estimated }),
  )
  const preview = (estimated ? whole.data : undefined) ?? first.data
  const error = first.error ?? whole.error
  if (!valid)
    return (
      <Card>
        <Alert type="info" showIcon title={t('unfinished')} />
      </Card>
    )
  return (
    <Card
      loading={!preview && !error}
      style={{ opacity: first.isFetching ? 0.75 : 1 }}
      aria-busy={first.isFetching}
    >
      {error ? (
        <Alert
          type="warning"
          showIcon
          title={say(faultOf(error).code)}
          description={faultOf(error).message}
        />
      ) : null}
      {preview ? <Found preview={preview} following={whole.isFetching} /> : null}
    </Card>
  )
}

function Found({ preview, following }: { preview: z.infer<typeof PreviewSchema>; following: boolean }) {
  const t = useWords(words)
  const { money } = useMoney()
  const lang = useLang()
  const zone = useZone()
  return (
    <>
      <Typography.Title level={2} style={{ margin: 0 }} data-testid="preview-count">
        {t('count', { n: whole(preview.persons) })}
      </Typography.Title>
      <Typography.Text type="secondary">
        {t('of', { share: percent(preview.of === 0 ? 0 : preview.persons / preview.of) })}
      </Typography.Text>
      {preview.exact ? null : (
        <Alert
          type="info"
          showIcon
          style={{ marginTop: 8 }}
          title={t(following ? 'first' : 'sampled', { n: whole(preview.lookedAt) })}
          data-testid="preview-sampled"
        />
      )}
      <Typography.Paragraph style={{ marginTop: 12 }}>{preview.sentence[lang]}</Typography.Paragraph>
      {preview.warnings.map((warning) => (
        <Alert key={warning.en} type="warning" showIcon title={warning[lang]} style={{ marginBottom: 8 }} />
      ))}
      <LifecycleRibbon bands={preview.byLifecycle} height={24} />
      <p>
        {t('reach')}
        {preview.reachable.map((each) => (
          <Tag key={each.channel} style={{ marginInlineEnd: 8 }}>
            {channelName(each.channel, lang)} {whole(each.persons)}
          </Tag>
        ))}
      </p>
      <Spread preview={preview} />
      <Typography.Title level={5}>{t('sample')}</Typography.Title>
      <Table
        size="small"
        rowKey="id"
        pagination={false}
        dataSource={[...preview.sample]}
        columns={[
          {
            title: t('name'),
            render: (_, row) => <Link to={`/members/${row.id}`}>{row.name ?? '–'}</Link>,
            ellipsis: true,
          },
          {
            title: t('lifecycle'),
            render: (_, row) => (row.lifecycle ? lifecycleName(row.lifecycle as LifecycleState, lang) : '–'),
          },
          { title: t('last'), width: 110, render: (_, row) => date(row.lastPurchaseAt, zone) },
          { title: t('spent'), align: 'right', render: (_, row) => money(row.spentCents) },
        ]}
      />
    </>
  )
}

type PreviewData = z.infer<typeof PreviewSchema>

/** Where they came from, and where they belong to. */
function Spread({ preview }: { preview: PreviewData }) {
  const t = useWords(words)
  const lang = useLang()
  if (preview.persons === 0) return null
  const stores = [
    ...preview.byStore.filter(({ store }) => store !== null),
    ...(preview.otherStores > 0 ? [{ store: t('otherStores'), persons: preview.otherStores }] : []),
    ...preview.byStore.filter(({ store }) => store === null),
  ]
  return (
    <Row gutter={[16, 8]} style={{ marginBottom: 8 }} data-testid="preview-spread">
      <Col xs={24} sm={12}>
        <Shares
          title={t('bySource')}
          of={preview.persons}
          rows={preview.bySource.map(({ source, persons }) => [sourceName(source, lang), persons])}
        />
      </Col>
      <Col xs={24} sm={12}>
        <Shares
          title={t('byStore')}
          of={preview.persons}
          rows={stores.map(({ store, persons }) => [store ?? t('noStore'), persons])}
        />
      </Col>
    </Row>
  )
}

function Shares({ title, of, rows }: { title: string; of: number; rows: readonly [string, number][] }) {
  return (
    <>
      <Typography.Text type="secondary">{title}</Typography.Text>
      {rows.map(([name, persons]) => (
        <div key={name} style={{ position: 'relative', padding: '2px 6px', marginTop: 2 }}>
          <div
            aria-hidden
            style={{
              position: 'absolute',
              inset: 0,
              width: `${(100 * persons) / of}%`,
              background: 'rgba(15,118,110,0.12)',
              borderRadius: 4,
            }}
          />
          <Flex gap={8} style={{ position: 'relative' }}>
            <span
              style={{
                flex: 1,
                minWidth: 0,
                overflow: 'hidden',
                textOverflow: 'ellipsis',
                whiteSpace: 'nowrap',
              }}
              title={name}
            >
              {name}
            </span>
            <span>{whole(persons)}</span>
            <span style={{ opacity: 0.75, width: 56, textAlign: 'end' }}>{percent(persons / of)}</span>
          </Flex>
        </div>
      ))}
    </>
  )
}

/** The value once it has stood still for so long. */
function useSettled<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])
  return settled
}
