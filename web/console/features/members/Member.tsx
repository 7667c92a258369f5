import { useQuery } from '@tanstack/react-query'
import { Card, Col, Row, Space, Tabs, Tag } from 'antd'
import { useParams } from 'react-router'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import type { MemberCard } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMoney } from '../../parts/use-brand.ts'
import { Erase } from './Erase.tsx'
import { History } from './History.tsx'
import { kindWords } from './kind-words.ts'
import { Orders } from './Orders.tsx'
import { Profile } from './Profile.tsx'
import { SegmentCard } from './SegmentCard.tsx'
import { States } from './States.tsx'
import { TagCard } from './TagCard.tsx'

const words = {
  nameless: { zh: '（无姓名）', en: '(no name)' },
  answer: {
    zh: '{state}，{days}共 {n} 次购买，累计 {money}。',
    en: '{state}; {days}{n} purchases, {money} in all.',
  },
  daysAgo: { zh: '{d} 天前买过，', en: 'bought {d} days ago, ' },
  today: { zh: '今天买过，', en: 'bought today, ' },
  orders: { zh: '订单', en: 'Orders' },
  timeline: { zh: '时间线', en: 'Timeline' },
  demo: { zh: '演示', en: 'demo' },
}

/** One member: the answer, who it is, what the member bought, what happened, why in which segment. */
export function Member() {
  const { id = '' } = useParams()
  const query = useQuery(api.members.card.queryOptions({ input: { id: id as never } }))
  return (
    <Loaded query={query} rows={12}>
      {(card) => <CardPage card={card} />}
    </Loaded>
  )
}

function CardPage({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const lang = useLang()
  const address = useAddress()
  return (
    <>
      <Answer title={card.name ?? t('nameless')}>
        <Tag>{kindWords[card.kind][lang]}</Tag> {card.demo ? <Tag color="gold">{t('demo')}</Tag> : null}{' '}
        <Said card={card} />
      </Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} lg={9} xxl={7}>
          <Space orientation="vertical" size={12} style={{ display: 'flex' }}>
            <Profile card={card} />
            <States card={card} />
            <TagCard card={card} />
            <SegmentCard card={card} />
            <Erase card={card} />
          </Space>
        </Col>
        <Col xs={24} lg={15} xxl={17}>
          <Card>
            <Tabs
              activeKey={address.get('tab') ?? 'timeline'}
              onChange={(tab) => address.set({ tab: tab === 'timeline' ? undefined : tab })}
              items={[
                { key: 'timeline', label: t('timeline'), children: <History id={card.id} /> },
                { key: 'orders', label: t('orders'), children: <Orders id={card.id} /> },
              ]}
            />
          </Card>
        </Col>
      </Row>
    </>
  )
}

/** The member in one sentence; nothing until the member was evaluated. */
function Said({ card: { state, purchases, spentCents } }: { card: MemberCard }) {
  const t = useWords(words)
  const { money } = useMoney()
  const lang = useLang()
  if (!state) return null
  const days = state.daysSincePurchase
  const since = days === 0 ? t('today') : t('daysAgo', { d: days ?? 0 })
  return t('answer', {
    state: lifecycleName(state.lifecycle as LifecycleState, lang),
    days: days === null ? '' : since,
    n: purchases,
    money: money(spentCents),
  })
}
