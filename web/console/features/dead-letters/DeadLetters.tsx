import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Empty, Form, Input, Modal, Space, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import type { z } from 'zod'
import type { DeadLetter as DeadLetterSchema } from '../../../../contract/insight.ts'
import { api, client } from '../../../client.ts'
import { minute, relative, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More, whileOnePage } from '../../parts/More.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'

type DeadLetter = z.infer<typeof DeadLetterSchema>

const words = {
  title: { zh: '异常事件', en: 'Dead letters' },
  none: { zh: '没有异常：每个事件都已处理。', en: 'Nothing here: every event was handled.' },
  some: {
    zh: '{n} 个事件没能处理，已放在一边；同一会员后面的事件在它后面排队，其他会员不受影响。修好原因后重试即可。',
    en: '{n} events could not be handled and were put aside; later events of the same member wait behind them, nobody else does. Mend the cause, then try again.',
  },
  event: { zh: '事件', en: 'Event' },
  consumer: { zh: '处理方', en: 'Handler' },
  happened: { zh: '发生', en: 'Happened' },
  failed: { zh: '最近失败', en: 'Failed last' },
  state: { zh: '状态', en: 'State' },
  trying: { zh: '自动重试中', en: 'tried again by itself' },
  behind: { zh: '排队等待', en: 'waits behind another' },
  dead: { zh: '需要处理', en: 'needs a person' },
  gaveUp: { zh: '已放弃', en: 'given up' },
  tries: { zh: '次数', en: 'Tries' },
  error: { zh: '错误', en: 'Error' },
  retry: { zh: '重试', en: 'Try again' },
  retryAll: { zh: '重试已选 {n} 个', en: 'Try {n} again' },
  retried: { zh: '已重试；仍然失败的会留在列表里', en: 'Tried again; what still fails stays in the list' },
  discard: { zh: '放弃', en: 'Give up' },
  discardSays: {
    zh: '这个事件对“{consumer}”永远不再生效，并记入操作记录。事件本身仍保留在日志中。',
    en: 'It will never count for “{consumer}”; this is written to the audit trail. The event itself stays in the log.',
  },
  reason: { zh: '原因', en: 'Reason' },
  needed: { zh: '请填写原因', en: 'Give a reason' },
  discarded: { zh: '已放弃', en: 'Given up' },
}

/** Events that a handler could not take: why, try again, or give up with a reason. */
export function DeadLetters() {
  const t = useWords(words)
  const { act, busy } = useAct()
  const [chosen, setChosen] = useState<string[]>([])
  const [discarding, setDiscarding] = useState<DeadLetter>()
  const query = useInfiniteQuery(
    api.insight.deadLetters.infiniteOptions({
      input: (cursor: string | undefined) => ({ cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
      refetchInterval: ({ state }) => whileOnePage(state.data, 15_000),
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  const open = items.filter((letter) => letter.state !== 'discarded').length
  const retry = async (ids: readonly string[]): Promise<void> => {
    const work = async () => {
      for (const id of ids) await client.insight.retryDeadLetter({ id })
    }
    await act(work, { done: t('retried'), refresh: [api.insight.key()] })
    setChosen([])
  }
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          chosen.length > 0 ? (
            <Button type="primary" loading={busy} onClick={() => void retry(chosen)}>
              {t('retryAll', { n: chosen.length })}
            </Button>
          ) : null
        }
      >
        {open === 0 ? undefined : t('some', { n: `${whole(open)}${query.hasNextPage ? '+' : ''}` })}
      </Answer>
      <Loaded query={query as never}>
        {() => (
          <>
            <Letters
              items={items}
              chosen={chosen}
              onChoose={setChosen}
              onRetry={(id) => void retry([id])}
              onDiscard={setDiscarding}
            />
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
      {discarding ? <Discard letter={discarding} onClose={() => setDiscarding(undefined)} /> : null}
    </>
  )
}

type LettersProps = {
  items: readonly DeadLetter[]
  chosen: string[]
  onChoose: (ids: string[]) => void
  onRetry: (id: string) => void
  onDiscard: (letter: DeadLetter) => void
}

function Letters({ items, chosen, onChoose, onRetry, onDiscard }: LettersProps) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const mayDiscard = useMay(['owner', 'engineer'])
  return (
    <Table<DeadLetter>
      size="middle"
      rowKey="id"
      pagination={false}
      scroll={{ x: 1000 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      rowSelection={{
        selectedRowKeys: chosen,
        getCheckboxProps: ({ state }) => ({ disabled: state === 'behind' || state === 'discarded' }),
        onChange: (keys) => onChoose(keys.map(String)),
      }}
      columns={[
        {
          title: t('event'),
          width: 180,
          render: (_, letter) => letter.type,
        },
        { title: t('consumer'), dataIndex: 'consumer', width: 150, ellipsis: true },
        { title: t('happened'), width: 150, render: (_, letter) => minute(letter.at, zone) },
        {
          title: t('failed'),
          width: 120,
          render: (_, letter) => (
            <Tooltip title={minute(letter.failedAt, zone)}>
              {relative(letter.failedAt, lang, Date.now())}
            </Tooltip>
          ),
        },
        {
          title: t('state'),
          width: 130,
          render: (_, letter) => (
            <Tag color={letter.state === 'dead' ? 'error' : 'default'}>
              {t(letter.state === 'discarded' ? 'gaveUp' : letter.state)}
            </Tag>
          ),
        },
        { title: t('tries'), dataIndex: 'tries', width: 70, align: 'right' },
        {
          title: t('error'),
          render: (_, letter) => (
            <Typography.Paragraph ellipsis={{ rows: 2, expandable: true }} style={{ margin: 0 }}>
              {letter.error}
            </Typography.Paragraph>
          ),
        },
        {
          width: 170,
          render: (_, letter) => (
            <Space>
              <Button
                size="small"
                disabled={letter.state === 'behind' || letter.state === 'discarded'}
                onClick={() => onRetry(letter.id)}
              >
                {t('retry')}
              </Button>
              {mayDiscard && letter.state !== 'discarded' ? (
                <Button size="small" danger onClick={() => onDiscard(letter)}>
                  {t('discard')}
                </Button>
              ) : null}
            </Space>
          ),
        },
      ]}
    />
  )
}

function Discard({ letter, onClose }: { letter: DeadLetter; onClose: () => void }) {
  const t = useWords(words)
  const { act, busy } = useAct()
  async function discard({ reason }: { reason: string }): Promise<void> {
    const done = await act(() => client.insight.discardDeadLetter({ id: letter.id, reason }), {
      done: t('discarded'),
      refresh: [api.insight.key()],
    })
    if (done) onClose()
  }
  return (
    <Modal
      open
      title={t('discard')}
      okText={t('discard')}
      okButtonProps={{ danger: true, htmlType: 'submit', form: 'discard', loading: busy }}
      onCancel={onClose}
    >
      <Typography.Paragraph>{t('discardSays', { consumer: letter.consumer })}</Typography.Paragraph>
      <Form
        id="discard"
        layout="vertical"
        requiredMark={false}
        onFinish={(input: { reason: string }) => void discard(input)}
      >
        <Form.Item
          name="reason"
          label={t('reason')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input.TextArea autoFocus rows={2} maxLength={300} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
