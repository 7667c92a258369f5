import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Modal, Table } from 'antd'
import { Link } from 'react-router'
import type { JourneyDetail } from '../../../../contract/journeys.ts'
import { api, faultOf } from '../../../client.ts'
import { channelModeWords, channelName } from '../../../ui/channel-words.ts'
import { whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMoney } from '../../parts/use-brand.ts'

const words = {
  title: { zh: '上线前看清楚', en: 'Before it goes live' },
  enters: {
    zh: '现在进入 {n} 人，其中约 {held} 人留作对照组不联系；预计触达成本最多 {cost}。之后由事件和时间带入新的会员。',
    en: '{n} enter now, about {held} of them are held out; the touches cost at most {cost}. Later others enter by events and by time.',
  },
  day: { zh: '日期', en: 'Day' },
  touches: { zh: '消息（最多）', en: 'Messages (at most)' },
  tasks: { zh: '导购任务（最多）', en: 'Guide tasks (at most)' },
  channel: { zh: '渠道', en: 'Channel' },
  reachable: { zh: '能触达', en: 'Reachable' },
  mode: { zh: '模式', en: 'Mode' },
  sms: {
    zh: '上线后请为短信填写服务商批准的模板：接入真实服务商时，没有模板的短信不会发出。',
    en: 'Once it is live, name the approved template of its SMS: a real provider sends none without.',
  },
  templates: { zh: '短信模板', en: 'SMS templates' },
  go: { zh: '确认上线', en: 'Put it live' },
  stop: { zh: '上线后随时可以在同一位置暂停。', en: 'It can be paused at any time in the same place.' },
}

/** What would happen: how many, whom, by day and channel, at what cost, what is held back; then the second confirmation. */
export function GoLive({ journey, onClose }: { journey: JourneyDetail; onClose: () => void }) {
  const t = useWords(words)
  const { money } = useMoney()
  const say = useWords(problemWords)
  const lang = useLang()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const check = useQuery({
    ...api.journeys.check.queryOptions({ input: { id: journey.id } }),
    // What is in the way may go by itself: segments are still being computed.
    refetchInterval: ({ state }) => (state.data?.problems.some((one) => one.blocks) ? 2000 : false),
  })
  const go = useMutation(
    api.journeys.goLive.mutationOptions({
      onSuccess: async () => {
        await queries.invalidateQueries({ queryKey: api.journeys.key() })
        onClose()
      },
      onError: (error: unknown) =>
        void message.error(`${say(faultOf(error).code)}：${faultOf(error).message}`),
    }),
  )
  const blocked = check.data?.problems.some((problem) => problem.blocks) ?? true
  return (
    <Modal
      open
      width={720}
      title={t('title')}
      okText={t('go')}
      okButtonProps={{ disabled: blocked, danger: true }}
      confirmLoading={go.isPending}
      onOk={() => go.mutate({ id: journey.id, version: journey.version })}
      onCancel={onClose}
    >
      <Loaded query={check}>
        {(plan) => (
          <>
            <p>
              {t('enters', {
                n: whole(plan.entersNow),
                held: whole(plan.heldOut),
                cost: money(plan.costCents),
              })}
            </p>
            {plan.problems.map((problem) => (
              <Alert
                key={problem.text.en}
                type={problem.blocks ? 'error' : 'warning'}
                showIcon
                title={problem.text[lang]}
                style={{ marginBottom: 8 }}
              />
            ))}
            {plan.byChannel.some(({ channel }) => channel === 'sms') ? (
              <Alert
                type="info"
                showIcon
                title={t('sms')}
                action={<Link to="/settings?tab=sms">{t('templates')}</Link>}
                style={{ marginBottom: 8 }}
              />
            ) : null}
            {plan.byChannel.length > 0 ? (
              <Table
                size="small"
                pagination={false}
                rowKey="channel"
                dataSource={[...plan.byChannel]}
                columns={[
                  { title: t('channel'), render: (_, row) => channelName(row.channel, lang) },
                  { title: t('reachable'), align: 'right', dataIndex: 'reachable', render: whole },
                  { title: t('mode'), render: (_, row) => channelModeWords[row.mode][lang] },
                ]}
              />
            ) : null}
            {plan.perDay.length > 0 ? (
              <Table
                size="small"
                pagination={false}
                rowKey="day"
                style={{ marginTop: 12 }}
                dataSource={[...plan.perDay]}
                columns={[
                  { title: t('day'), dataIndex: 'day' },
                  { title: t('touches'), align: 'right', dataIndex: 'touches', render: whole },
                  { title: t('tasks'), align: 'right', dataIndex: 'tasks', render: whole },
                ]}
              />
            ) : null}
            <p style={{ opacity: 0.75 }}>{t('stop')}</p>
          </>
        )}
      </Loaded>
    </Modal>
  )
}
