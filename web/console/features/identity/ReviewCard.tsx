import { Button, Card, Input, Modal, Radio, Space, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { z } from 'zod'
import type { Review as ReviewSchema } from '../../../../contract/members.ts'
import { api, client } from '../../../client.ts'
import { date, minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { identifierName } from '../../parts/identifier-words.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMoney, useZone } from '../../parts/use-brand.ts'

export type Review = z.infer<typeof ReviewSchema>
type Side = Review['sides'][number]
type Value = { id: string; text: string }
/** What is masked, or only counts, can be compared by nobody who looks at it. */
type Compared = { label: string; values: Value[]; judged: boolean }

const words = {
  conflict: { zh: '标识矛盾', en: 'Conflict' },
  fuzzy: { zh: '疑似重复', en: 'Look-alike' },
  conflictSays: {
    zh: '两人共用下面的标识，但一人只能有一个的号码又不同，所以没有自动合并。',
    en: 'They share what stands below and differ in a number of which one person has only one, so they were not joined.',
  },
  score: { zh: '相似度 {n}', en: 'likeness {n}' },
  score_why: {
    zh: '由下面的证据算出，0–100；不会自动合并',
    en: 'From the evidence below, 0–100; never joined by itself',
  },
  left: { zh: '左边', en: 'left' },
  right: { zh: '右边', en: 'right' },
  keep: { zh: '合并后以此为准', en: 'Keep this one' },
  join: { zh: '是同一个人，合并', en: 'The same: join' },
  apart: { zh: '不是同一个人', en: 'Keep apart' },
  joined: { zh: '已合并，可在“合并记录”里撤销', en: 'Joined; it can be undone under Merges' },
  keptApart: { zh: '已记住：不是同一个人', en: 'Remembered: two persons' },
  reason: {
    zh: '原因（可不填），例如：一家人共用手机号',
    en: 'Reason (optional), e.g. a family with one phone',
  },
  name: { zh: '姓名', en: 'Name' },
  gender: { zh: '性别', en: 'Gender' },
  female: { zh: '女', en: 'female' },
  male: { zh: '男', en: 'male' },
  birthday: { zh: '生日', en: 'Birthday' },
  since: { zh: '入会', en: 'Joined' },
  store: { zh: '门店', en: 'Store' },
  identifiers: { zh: '标识', en: 'Identifiers' },
  purchases: { zh: '购买', en: 'Purchases' },
  times: { zh: '{n} 次，{money}', en: '{n}, {money}' },
  last: { zh: '最近购买', en: 'Last purchase' },
  same: { zh: '一致', en: 'same' },
  differs: { zh: '不同', en: 'differs' },
  nameless: { zh: '（无姓名）', en: '(no name)' },
}

/** Two persons side by side with what speaks for and against, and the two decisions. */
export function ReviewCard({ review }: { review: Review }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const [keep, setKeep] = useState(() => fuller(review.sides)?.id)
  const rows = useRows(review.sides)
  return (
    <Card
      style={{ marginBottom: 12 }}
      title={
        <Space wrap>
          <Tag color={review.kind === 'conflict' ? 'orange' : 'blue'}>{t(review.kind)}</Tag>
          {review.score === null ? null : (
            <Tooltip title={t('score_why')}>
              <span>
                {t('score', { n: Math.round(review.score <= 1 ? review.score * 100 : review.score) })}
              </span>
            </Tooltip>
          )}
          <small style={{ opacity: 0.75, fontWeight: 400 }}>{minute(review.at, zone)}</small>
        </Space>
      }
      extra={review.state === 'open' && keep ? <Decide review={review} keep={keep} /> : null}
    >
      {review.kind === 'conflict' ? <p style={{ marginTop: 0 }}>{t('conflictSays')}</p> : null}
      <ul style={{ margin: '0 0 12px', paddingInlineStart: 20 }}>
        {review.evidence.map((each) => (
          <li key={each.en}>{each[lang]}</li>
        ))}
      </ul>
      <table style={{ width: '100%', borderCollapse: 'collapse', tableLayout: 'fixed' }}>
        <thead>
          <tr>
            <th style={{ width: 110 }} aria-label=" " />
            {review.sides.map((side) => (
              <th key={side.id} style={{ textAlign: 'start', padding: '4px 8px' }}>
                {review.state === 'open' ? (
                  <Radio checked={keep === side.id} onChange={() => setKeep(side.id)}>
                    {t('keep')}
                  </Radio>
                ) : null}
                <Link to={`/members/${side.id}`}>{side.name ?? t('nameless')}</Link>
              </th>
            ))}
            <th style={{ width: 70 }} aria-label=" " />
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <ComparedRow key={row.label} {...row} />
          ))}
        </tbody>
      </table>
    </Card>
  )
}

function ComparedRow({ label, values, judged }: Compared) {
  const t = useWords(words)
  const known = values.map(({ text }) => text).filter((text) => text !== '–')
  const [first] = known
  const same = judged && known.length > 1 && known.every((value) => value === first)
  const differs = judged && known.length > 1 && !same
  return (
    <tr style={{ borderTop: '1px solid rgba(128,128,128,.15)' }}>
      <td style={{ padding: '4px 0', opacity: 0.75 }}>{label}</td>
      {values.map(({ id, text }) => (
        <td key={id} style={{ padding: '4px 8px', fontWeight: differs ? 600 : 400, wordBreak: 'break-word' }}>
          {text}
        </td>
      ))}
      <td>
        {same ? <Tag color="green">{t('same')}</Tag> : null}
        {differs ? <Tag color="orange">{t('differs')}</Tag> : null}
      </td>
    </tr>
  )
}

function useRows(sides: readonly Side[]): Compared[] {
  const t = useWords(words)
  const { money } = useMoney()
  const lang = useLang()
  const zone = useZone()
  const row = (label: string, read: (side: Side) => string | null, judged = true): Compared => ({
    label,
    judged,
    values: sides.map((side) => ({ id: side.id, text: read(side) ?? '–' })),
  })
  return [
    row(t('gender'), (side) =>
      side.gender === 'female' || side.gender === 'male' ? t(side.gender) : side.gender,
    ),
    row(t('birthday'), (side) => side.birthday),
    row(
      t('identifiers'),
      (side) =>
        side.identifiers.map((each) => `${identifierName(each.kind, lang)} ${each.masked}`).join('；') ||
        null,
      false,
    ),
    row(t('since'), (side) => date(side.joinedAt, zone), false),
    row(t('store'), (side) => side.store),
    row(t('purchases'), (side) => t('times', { n: side.purchases, money: money(side.spentCents) }), false),
    row(t('last'), (side) => date(side.lastPurchaseAt, zone), false),
  ]
}

function Decide({ review, keep }: { review: Review; keep: string }) {
  const t = useWords(words)
  const { act, busy } = useAct()
  const [asking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const refresh = [api.members.key()]
  const join = (): void =>
    void act(() => client.members.join({ id: review.id, keep: keep as never }), {
      done: t('joined'),
      refresh,
    })
  const apart = (): void => {
    setAsking(false)
    void act(() => client.members.keepApart({ id: review.id, ...(reason.trim() === '' ? {} : { reason }) }), {
      done: t('keptApart'),
      refresh,
    })
  }
  return (
    <Space wrap>
      <Button disabled={busy} onClick={() => setAsking(true)}>
        {t('apart')}
      </Button>
      <Button type="primary" loading={busy} onClick={join}>
        {t('join')}
      </Button>
      <Modal
        open={asking}
        title={t('apart')}
        okText={t('apart')}
        onOk={apart}
        onCancel={() => setAsking(false)}
      >
        <Input
          autoFocus
          maxLength={200}
          value={reason}
          placeholder={t('reason')}
          aria-label={t('reason')}
          onChange={(event) => setReason(event.target.value)}
          onPressEnter={apart}
        />
      </Modal>
    </Space>
  )
}

/** The side with more purchases, then the one that joined first, is proposed to be kept. */
function fuller(sides: readonly Side[]): Side | undefined {
  return [...sides].sort(
    (a, b) => b.purchases - a.purchases || (a.joinedAt ?? '9').localeCompare(b.joinedAt ?? '9'),
  )[0]
}
