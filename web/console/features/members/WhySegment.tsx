import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Flex, Modal, Tag, Typography } from 'antd'
import type { z } from 'zod'
import type { Why as WhySchema } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  in: { zh: '在“{name}”里，因为', en: 'In “{name}”, because' },
  out: { zh: '不在“{name}”里，因为', en: 'Not in “{name}”, because' },
  value: { zh: '现在是 {value}', en: 'Now {value}' },
  yes: { zh: '符合', en: 'holds' },
  no: { zh: '不符合', en: 'does not hold' },
  toEnter: { zh: '还差：{act}', en: 'What is missing: {act}' },
  toEnd: { zh: '会让它不再成立：{act}', en: 'What would end it: {act}' },
  byTime: { zh: '即使什么都不发生，{time} 起也会改变', en: 'By time alone it changes on {time}' },
  never: { zh: '时间不会改变它', en: 'Time alone does not change it' },
  alone: { zh: '做到这一条就会改变结果', en: 'this alone changes the answer' },
  needed: { zh: '需要和其他标出的条件一起', en: 'needed, with the others marked so' },
  leaves: {
    zh: '如果什么都不发生，最迟 {time} 离开这个人群。',
    en: 'If nothing happens, leaves this segment on {time} at the latest.',
  },
  enters: {
    zh: '如果什么都不发生，{time} 会进入这个人群。',
    en: 'If nothing happens, enters this segment on {time}.',
  },
  snapshotIn: {
    zh: '这是快照：{time} 拍摄时在里面，之后不再变化。下面是条件现在的结果。',
    en: 'A snapshot: was in it when it was taken on {time}, and stays. Below, what the rule says now.',
  },
  snapshotOut: {
    zh: '这是快照：{time} 拍摄时不在里面。下面是条件现在的结果，重新拍摄后才会生效。',
    en: 'A snapshot: was not in it when it was taken on {time}. Below, what the rule says now; it counts once it is taken anew.',
  },
  onDemand: {
    zh: '按需人群，成员为 {time} 的计算结果。下面是条件现在的结果。',
    en: 'On demand, with the members of {time}. Below, what the rule says now.',
  },
}
type Why = z.infer<typeof WhySchema>
type Leaf = Why['leaves'][number]

/** Every condition of the segment with this member's value, the verdict, and what would change it: an act, or time. */
export function WhySegment({
  memberId,
  segmentId,
  onClose,
}: {
  memberId: string
  segmentId: number
  onClose: () => void
}) {
  const t = useWords(words)
  const query = useQuery(
    api.audience.why.queryOptions({ input: { id: memberId, segmentId: segmentId as never } }),
  )
  return (
    <Modal
      open
      footer={null}
      width={680}
      onCancel={onClose}
      title={query.data ? t(query.data.member ? 'in' : 'out', { name: query.data.name }) : ' '}
    >
      <Loaded query={query}>{(why) => <Reasons why={why} />}</Loaded>
    </Modal>
  )
}

function Reasons({ why }: { why: Why }) {
  const lang = useLang()
  return (
    <>
      <Typography.Paragraph type="secondary">{why.sentence[lang]}</Typography.Paragraph>
      <Told why={why} />
      {why.leaves.map((leaf, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same condition may stand twice
        <LeafLine key={index} leaf={leaf} only={why.leaves.length === 1} />
      ))}
    </>
  )
}

/** What kind of answer this is, and when it changes by itself. */
function Told({ why }: { why: Why }) {
  const t = useWords(words)
  const zone = useZone()
  if (why.kind !== 'live') {
    const time = minute(why.takenAt, zone)
    const key = why.member ? 'snapshotIn' : 'snapshotOut'
    return (
      <Alert
        type="info"
        showIcon
        style={{ marginBottom: 12 }}
        title={t(why.kind === 'snapshot' ? key : 'onDemand', { time })}
      />
    )
  }
  if (why.changesAt === null) return null
  return (
    <Alert
      type="info"
      showIcon
      style={{ marginBottom: 12 }}
      title={t(why.verdict ? 'leaves' : 'enters', { time: minute(why.changesAt, zone) })}
      data-testid="why-time"
    />
  )
}

function LeafLine({ leaf, only }: { leaf: Leaf; only: boolean }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  return (
    <Flex
      gap={10}
      align="flex-start"
      style={{ borderTop: '1px solid rgba(128,128,128,0.2)', padding: '10px 0' }}
      data-testid="why-leaf"
    >
      <span style={{ marginTop: 2 }}>
        {leaf.verdict ? (
          <CheckOutlined aria-label={t('yes')} style={{ color: '#0f766e' }} />
        ) : (
          <CloseOutlined aria-label={t('no')} style={{ color: '#8c2d4f' }} />
        )}
      </span>
      <div style={{ flex: 1, minWidth: 0 }}>
        <div>{leaf.sentence[lang]}</div>
        <Typography.Text type="secondary">{t('value', { value: leaf.said[lang] })}</Typography.Text>
        {leaf.act ? (
          <div style={{ marginTop: 4 }}>
            <b>{t(leaf.verdict ? 'toEnd' : 'toEnter', { act: leaf.act[lang] })}</b>{' '}
            <Weight leaf={leaf} only={only} />
          </div>
        ) : null}
        <div style={{ marginTop: 2, opacity: 0.75 }}>
          {leaf.changesAt ? t('byTime', { time: minute(leaf.changesAt, zone) }) : t('never')}
        </div>
      </div>
    </Flex>
  )
}

/** Whether that is enough; nothing where there is only one condition. */
function Weight({ leaf, only }: { leaf: Leaf; only: boolean }) {
  const t = useWords(words)
  if (only) return null
  if (leaf.alone) return <Tag color="green">{t('alone')}</Tag>
  return leaf.needed ? <Tag>{t('needed')}</Tag> : null
}
