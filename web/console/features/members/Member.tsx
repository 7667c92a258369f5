import { CheckCircleTwoTone, CloseCircleTwoTone, EyeOutlined, QuestionCircleTwoTone } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import {
  App,
  Button,
  Card,
  Col,
  Descriptions,
  Empty,
  Row,
  Space,
  Table,
  Tabs,
  Tag,
  Timeline,
  Tooltip,
  Typography,
} from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import {
  type AiplStage,
  aiplName,
  type LifecycleState,
  lifecycleName,
  type OrderStage,
  type OwnCycleState,
  orderStageName,
  ownCycleName,
} from '../../../../contract/lifecycle.ts'
import type { MemberCard } from '../../../../contract/members.ts'
import { type RfmGroup, rfmGroupName } from '../../../../contract/rfm.ts'
import { api, client, faultOf } from '../../../client.ts'
import { date, minute, money } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { sideName, sourceName } from '../../../ui/source-words.ts'
import { colourOf } from '../../../ui/tokens.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { WhySegment } from './WhySegment.tsx'

const ZONE = 'Asia/Shanghai'
const words = {
  nameless: { zh: '（无姓名）', en: '(no name)' },
  answer: {
    zh: '{state}，{days}共 {n} 次购买，累计 {money}。',
    en: '{state}; {days}{n} purchases, {money} in all.',
  },
  daysAgo: { zh: '{d} 天前买过，', en: 'bought {d} days ago, ' },
  profile: { zh: '档案', en: 'Profile' },
  identifiers: { zh: '身份标识', en: 'Identifiers' },
  show: { zh: '查看完整号码（会记录）', en: 'Show in full (the look is recorded)' },
  reach: { zh: '能否联系上', en: 'Can be reached?' },
  state: { zh: '生命周期', en: 'Life cycle' },
  own: { zh: '按自己的周期', en: 'By own cycle' },
  median: { zh: '购买间隔中位数', en: 'Median gap' },
  daysUnit: { zh: '{d} 天', en: '{d} days' },
  stage: { zh: '订单阶段', en: 'Order stage' },
  aipl: { zh: '关系阶段', en: 'Stage' },
  rfm: { zh: 'RFM', en: 'RFM' },
  nextChange: { zh: '下次自动变化', en: 'Changes by itself' },
  tags: { zh: '标签', en: 'Tags' },
  noTags: { zh: '还没有标签', en: 'No tags yet' },
  unknown: { zh: '未知', en: 'unknown' },
  segments: { zh: '所在人群', en: 'Segments' },
  why: { zh: '为什么在这里？', en: 'Why?' },
  noSegments: { zh: '不在任何人群里', en: 'In no segment' },
  relations: { zh: '导购关系', en: 'Guides' },
  orders: { zh: '订单', en: 'Orders' },
  timeline: { zh: '时间线', en: 'Timeline' },
  noOrders: { zh: '还没有订单', en: 'No orders yet' },
  noEvents: { zh: '还没有记录', en: 'Nothing yet' },
  more: { zh: '更早', en: 'Earlier' },
  paid: { zh: '付款', en: 'Paid' },
  amount: { zh: '金额', en: 'Amount' },
  refunded: { zh: '已退', en: 'Refunded' },
  items: { zh: '商品', en: 'Items' },
  store: { zh: '门店', en: 'Store' },
  number: { zh: '订单号', en: 'Order' },
  source: { zh: '来源', en: 'Source' },
  joined: { zh: '入会', en: 'Joined' },
  gender: { zh: '性别', en: 'Gender' },
  female: { zh: '女', en: 'Female' },
  male: { zh: '男', en: 'Male' },
  birthday: { zh: '生日', en: 'Birthday' },
  lunar: { zh: '农历', en: 'lunar' },
  guide: { zh: '导购', en: 'Guide' },
  merged: { zh: '合并记录', en: 'Merges' },
  ended: { zh: '已解除', en: 'ended' },
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
  const { state } = card
  const says = state
    ? t('answer', {
        state: lifecycleName(state.lifecycle as LifecycleState, lang),
        days: state.daysSincePurchase === null ? '' : t('daysAgo', { d: state.daysSincePurchase }),
        n: card.purchases,
        money: money(card.spentCents),
      })
    : undefined
  return (
    <>
      <Answer title={card.name ?? t('nameless')}>{says}</Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} lg={9} xxl={7}>
          <Space orientation="vertical" size={12} style={{ width: '100%' }}>
            <Profile card={card} />
            <States card={card} />
            <TagCard card={card} />
            <SegmentCard card={card} />
          </Space>
        </Col>
        <Col xs={24} lg={15} xxl={17}>
          <Card>
            <Tabs
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

function Profile({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <Card title={t('profile')} size="small">
      <Descriptions column={1} size="small">
        <Descriptions.Item label={t('source')}>
          {sourceName(card.source, lang)} {sideName(card.sourceSide, lang)}
        </Descriptions.Item>
        <Descriptions.Item label={t('joined')}>{date(card.joinedAt, ZONE)}</Descriptions.Item>
        <Descriptions.Item label={t('gender')}>
          {card.gender === 'female' || card.gender === 'male' ? t(card.gender) : t('unknown')}
        </Descriptions.Item>
        <Descriptions.Item label={t('birthday')}>
          {card.birthday ? `${card.birthday}${card.birthdayLunar ? `（${t('lunar')}）` : ''}` : '–'}
        </Descriptions.Item>
        <Descriptions.Item label={t('store')}>{card.store ?? '–'}</Descriptions.Item>
        <Descriptions.Item label={t('guide')}>{card.guide ?? '–'}</Descriptions.Item>
      </Descriptions>
      <Typography.Title level={5}>{t('identifiers')}</Typography.Title>
      {card.identifiers.map((identifier) => (
        <IdentifierLine key={`${identifier.kind}${identifier.masked}`} id={card.id} {...identifier} />
      ))}
      <Typography.Title level={5}>{t('reach')}</Typography.Title>
      {card.reachability.map((each) => (
        <div key={each.channel} style={{ display: 'flex', gap: 8, marginBottom: 4 }}>
          {each.state === 'reachable' ? <CheckCircleTwoTone twoToneColor="#0f766e" /> : null}
          {each.state === 'unreachable' ? <CloseCircleTwoTone twoToneColor="#8c2d4f" /> : null}
          {each.state === 'unknown' ? <QuestionCircleTwoTone twoToneColor="#8f9eab" /> : null}
          <span style={{ width: 72 }}>{channelName(each.channel, lang)}</span>
          <Typography.Text type="secondary">{reasonName(each.reason, lang)}</Typography.Text>
        </div>
      ))}
      {card.relations.length > 0 ? <Typography.Title level={5}>{t('relations')}</Typography.Title> : null}
      {card.relations.map((relation) => (
        <div key={`${relation.guide}${relation.addedAt}`}>
          {relation.guide} {relation.store ? `· ${relation.store}` : ''}{' '}
          <Typography.Text type="secondary">
            {date(relation.addedAt, ZONE)}
            {relation.lostAt ? ` · ${t('ended')} ${date(relation.lostAt, ZONE)}` : ''}
          </Typography.Text>
        </div>
      ))}
    </Card>
  )
}

function IdentifierLine({
  id,
  kind,
  masked,
  valid,
  revealable,
}: { id: string } & MemberCard['identifiers'][number]) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const { message } = App.useApp()
  const [full, setFull] = useState<string>()
  async function reveal(): Promise<void> {
    try {
      setFull((await client.members.reveal({ id: id as never, kind })).value)
    } catch (error) {
      void message.error(say(faultOf(error).code))
    }
  }
  return (
    <div style={{ display: 'flex', gap: 8, alignItems: 'center', minHeight: 28 }}>
      <Typography.Text type="secondary" style={{ width: 110 }}>
        {kind}
      </Typography.Text>
      <Typography.Text {...(valid ? {} : { type: 'danger' as const })} copyable={full !== undefined}>
        {full ?? masked}
      </Typography.Text>
      {revealable && full === undefined ? (
        <Tooltip title={t('show')}>
          <Button
            size="small"
            type="text"
            aria-label={t('show')}
            icon={<EyeOutlined />}
            onClick={() => void reveal()}
          />
        </Tooltip>
      ) : null}
    </div>
  )
}

function States({ card: { state } }: { card: MemberCard }) {
  const t = useWords(words)
  const lang = useLang()
  if (!state) return null
  return (
    <Card title={t('state')} size="small">
      <Descriptions column={1} size="small">
        <Descriptions.Item label={t('state')}>
          <Tag color={colourOf(state.lifecycle)}>
            {lifecycleName(state.lifecycle as LifecycleState, lang)}
          </Tag>
        </Descriptions.Item>
        {state.ownCycle ? (
          <Descriptions.Item label={t('own')}>
            {ownCycleName(state.ownCycle as OwnCycleState, lang)}
            {state.medianGapDays === null
              ? ''
              : ` · ${t('median')} ${t('daysUnit', { d: Math.round(state.medianGapDays) })}`}
          </Descriptions.Item>
        ) : null}
        <Descriptions.Item label={t('stage')}>
          {orderStageName(state.orderStage as OrderStage, lang)}
        </Descriptions.Item>
        <Descriptions.Item label={t('aipl')}>{aiplName(state.aipl as AiplStage, lang)}</Descriptions.Item>
        <Descriptions.Item label={t('rfm')}>
          {state.recency === null ? '–' : `${state.recency} ${state.frequency} ${state.monetary}`}
          {state.rfmGroup ? ` · ${rfmGroupName(state.rfmGroup as RfmGroup, lang)}` : ''}
        </Descriptions.Item>
        <Descriptions.Item label={t('nextChange')}>{minute(state.nextChangeAt, ZONE)}</Descriptions.Item>
      </Descriptions>
    </Card>
  )
}

function TagCard({ card }: { card: MemberCard }) {
  const t = useWords(words)
  return (
    <Card title={t('tags')} size="small">
      {card.sTags.map((tag) => (
        <div key={tag.groupId}>
          <Typography.Text type="secondary">{tag.group}：</Typography.Text>
          {tag.tagId === null ? t('unknown') : tag.value}
        </div>
      ))}
      <div style={{ marginTop: 8 }}>
        {card.tagList.length === 0 ? <Typography.Text type="secondary">{t('noTags')}</Typography.Text> : null}
        {card.tagList.map((tag) => (
          <Tooltip
            key={tag.tagId}
            title={`${tag.group ?? ''} · ${tag.producer} · ${tag.origin} · ${minute(tag.at, ZONE)}`}
          >
            <Tag style={{ marginBottom: 4 }}>{tag.name}</Tag>
          </Tooltip>
        ))}
      </div>
    </Card>
  )
}

function SegmentCard({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const [asked, setAsked] = useState<number>()
  return (
    <Card title={t('segments')} size="small">
      {card.segments.length === 0 ? (
        <Typography.Text type="secondary">{t('noSegments')}</Typography.Text>
      ) : null}
      {card.segments.map((segment) => (
        <div key={segment.segmentId} style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
          <Link to={`/segments/${segment.segmentId}`} style={{ flex: 1 }}>
            {segment.name}
          </Link>
          <Button size="small" type="link" onClick={() => setAsked(segment.segmentId)}>
            {t('why')}
          </Button>
        </div>
      ))}
      {asked === undefined ? null : (
        <WhySegment memberId={card.id} segmentId={asked} onClose={() => setAsked(undefined)} />
      )}
    </Card>
  )
}

function History({ id }: { id: string }) {
  const t = useWords(words)
  const lang = useLang()
  const query = useInfiniteQuery(
    api.members.timeline.infiniteOptions({
      input: (cursor: string | undefined) => ({ id: id as never, cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Loaded query={query as never}>
      {() =>
        items.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noEvents')} />
        ) : (
          <>
            <Timeline
              items={items.map((item) => ({
                key: item.id,
                content: (
                  <>
                    <Typography.Text type="secondary">{minute(item.at, ZONE)}</Typography.Text> ·{' '}
                    {item.title[lang]}
                  </>
                ),
              }))}
            />
            {query.hasNextPage ? (
              <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
                {t('more')}
              </Button>
            ) : null}
          </>
        )
      }
    </Loaded>
  )
}

function Orders({ id }: { id: string }) {
  const t = useWords(words)
  const query = useQuery(api.members.orders.queryOptions({ input: { id: id as never } }))
  return (
    <Loaded query={query}>
      {({ items }) => (
        <Table
          size="small"
          rowKey="id"
          dataSource={[...items]}
          pagination={false}
          locale={{ emptyText: t('noOrders') }}
          expandable={{
            expandedRowRender: (order) =>
              order.lines
                .map((line) => `${line.name} × ${line.quantity} · ${money(line.priceCents)}`)
                .join('；'),
          }}
          columns={[
            { title: t('paid'), dataIndex: 'paidAt', render: (at: string | null) => minute(at, ZONE) },
            { title: t('number'), dataIndex: 'externalId', ellipsis: true },
            { title: t('store'), dataIndex: 'store', render: (store: string | null) => store ?? '–' },
            {
              title: t('items'),
              render: (_, order) =>
                order.lines
                  .map((line) => line.name)
                  .slice(0, 2)
                  .join('、'),
              ellipsis: true,
            },
            {
              title: t('amount'),
              dataIndex: 'totalCents',
              align: 'right',
              render: (cents: number) => money(cents),
            },
            {
              title: t('refunded'),
              dataIndex: 'refundedCents',
              align: 'right',
              render: (cents: number) => (cents === 0 ? '' : money(cents)),
            },
          ]}
        />
      )}
    </Loaded>
  )
}

const channels: Record<string, { zh: string; en: string }> = {
  wecom: { zh: '企业微信', en: 'WeCom' },
  sms: { zh: '短信', en: 'SMS' },
  phone: { zh: '电话', en: 'Phone' },
}
function channelName(channel: string, lang: 'zh' | 'en'): string {
  return channels[channel]?.[lang] ?? channel
}

const reasons: Record<string, { zh: string; en: string }> = {
  consent_granted: { zh: '已同意', en: 'consented' },
  consent_withdrawn: { zh: '已退订', en: 'withdrew consent' },
  consent_unknown: { zh: '未确认是否同意', en: 'consent not known' },
  no_phone: { zh: '没有手机号', en: 'no phone' },
  invalid_phone: { zh: '手机号无效', en: 'invalid phone' },
  followed: { zh: '导购好友', en: 'a guide’s contact' },
  lost: { zh: '好友关系已解除', en: 'contact lost' },
  not_in_wecom: { zh: '没有添加企业微信', en: 'not in WeCom' },
}
function reasonName(reason: string, lang: 'zh' | 'en'): string {
  return reasons[reason]?.[lang] ?? reason
}
