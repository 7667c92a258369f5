import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Table, Tag, Typography } from 'antd'
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
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { useMoney, useZone } from '../../parts/use-brand.ts'

const words = {
  count: { zh: '{n} 人', en: '{n} persons' },
  of: { zh: '占全部 {share}', en: '{share} of all' },
  sampled: { zh: '按一万人抽样估算', en: 'estimated from a sample of 10,000' },
  unfinished: { zh: '条件还没填完整，填好后这里会显示人数', en: 'A condition is not complete yet' },
  sample: { zh: '其中一些会员', en: 'Some of them' },
  reach: { zh: '能联系上：', en: 'Can be reached: ' },
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
  const query = useQuery(
    api.audience.preview.queryOptions({
      input: { rule: settled },
      enabled: valid,
      placeholderData: (before) => before,
    }),
  )
  if (!valid)
    return (
      <Card>
        <Alert type="info" showIcon title={t('unfinished')} />
      </Card>
    )
  return (
    <Card
      loading={!query.data && !query.error}
      style={{ opacity: query.isFetching ? 0.75 : 1 }}
      aria-busy={query.isFetching}
    >
      {query.error ? (
        <Alert
          type="warning"
          showIcon
          title={say(faultOf(query.error).code)}
          description={faultOf(query.error).message}
        />
      ) : null}
      {query.data ? <Found preview={query.data} /> : null}
    </Card>
  )
}

function Found({ preview }: { preview: z.infer<typeof PreviewSchema> }) {
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
        {preview.exact ? '' : ` · ${t('sampled')}`}
      </Typography.Text>
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

/** The value once it has stood still for so long. */
function useSettled<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])
  return settled
}
