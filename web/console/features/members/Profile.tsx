import { CheckCircleTwoTone, CloseCircleTwoTone, EyeOutlined, QuestionCircleTwoTone } from '@ant-design/icons'
import { App, Button, Card, Descriptions, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import type { MemberCard } from '../../../../contract/members.ts'
import { client, faultOf } from '../../../client.ts'
import { channelName } from '../../../ui/channel-words.ts'
import { date } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { sideName, sourceName } from '../../../ui/source-words.ts'
import { identifierName } from '../../parts/identifier-words.ts'
import { useZone } from '../../parts/use-brand.ts'
import { reachName } from './reach-words.ts'

const words = {
  profile: { zh: '档案', en: 'Profile' },
  identifiers: { zh: '身份标识', en: 'Identifiers' },
  show: { zh: '查看完整号码（会记录）', en: 'Show in full (the look is recorded)' },
  invalid: { zh: '无效', en: 'not valid' },
  reach: { zh: '能否联系上', en: 'Can be reached?' },
  reachable: { zh: '能', en: 'yes' },
  unreachable: { zh: '不能', en: 'no' },
  uncertain: { zh: '不确定', en: 'not known' },
  unknown: { zh: '未知', en: 'unknown' },
  relations: { zh: '导购关系', en: 'Guides' },
  store: { zh: '门店', en: 'Store' },
  source: { zh: '来源', en: 'Source' },
  registered: { zh: '注册渠道', en: 'Registered' },
  joined: { zh: '入会', en: 'Joined' },
  gender: { zh: '性别', en: 'Gender' },
  female: { zh: '女', en: 'Female' },
  male: { zh: '男', en: 'Male' },
  birthday: { zh: '生日', en: 'Birthday' },
  lunar: { zh: '{day}（农历）', en: '{day} (lunar)' },
  guide: { zh: '导购', en: 'Guide' },
  ended: { zh: '已解除', en: 'ended' },
}

/** Who it is: details, identifiers, whether each channel reaches, whose contact. */
export function Profile({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  return (
    <Card title={t('profile')} size="small">
      <Descriptions column={1} size="small">
        <Descriptions.Item label={t('source')}>
          {sourceName(card.source, lang)} {sideName(card.sourceSide, lang)}
        </Descriptions.Item>
        {card.registerChannel === 'online' || card.registerChannel === 'offline' ? (
          <Descriptions.Item label={t('registered')}>
            {sideName(card.registerChannel, lang)}
          </Descriptions.Item>
        ) : null}
        <Descriptions.Item label={t('joined')}>{date(card.joinedAt, zone)}</Descriptions.Item>
        <Descriptions.Item label={t('gender')}>
          {card.gender === 'female' || card.gender === 'male' ? t(card.gender) : t('unknown')}
        </Descriptions.Item>
        <Descriptions.Item label={t('birthday')}>
          {card.birthday && card.birthdayLunar ? t('lunar', { day: card.birthday }) : (card.birthday ?? '–')}
        </Descriptions.Item>
        <Descriptions.Item label={t('store')}>{card.store ?? '–'}</Descriptions.Item>
        <Descriptions.Item label={t('guide')}>{card.guide ?? '–'}</Descriptions.Item>
      </Descriptions>
      <Typography.Title level={5}>{t('identifiers')}</Typography.Title>
      {card.identifiers.map((identifier) => (
        <IdentifierLine key={identifier.id} member={card.id} {...identifier} />
      ))}
      <Typography.Title level={5}>{t('reach')}</Typography.Title>
      {card.reachability.map((each) => (
        <div key={each.channel} style={{ display: 'flex', gap: 8, marginBottom: 4 }}>
          <Verdict state={each.state} />
          <span style={{ width: lang === 'zh' ? 72 : 120 }}>{channelName(each.channel, lang)}</span>
          <Typography.Text type="secondary">{reachName(each.reason, lang)}</Typography.Text>
        </div>
      ))}
      {card.relations.length > 0 ? <Typography.Title level={5}>{t('relations')}</Typography.Title> : null}
      {card.relations.map((relation) => (
        <div key={`${relation.guide}${relation.addedAt}`}>
          {relation.guide} {relation.store ? `· ${relation.store}` : ''}{' '}
          <Typography.Text type="secondary">
            {date(relation.addedAt, zone)}
            {relation.lostAt ? ` · ${t('ended')} ${date(relation.lostAt, zone)}` : ''}
          </Typography.Text>
        </div>
      ))}
    </Card>
  )
}

function Verdict({ state }: { state: MemberCard['reachability'][number]['state'] }) {
  const t = useWords(words)
  switch (state) {
    case 'reachable':
      return <CheckCircleTwoTone twoToneColor="#0f766e" aria-label={t('reachable')} />
    case 'unreachable':
      return <CloseCircleTwoTone twoToneColor="#8c2d4f" aria-label={t('unreachable')} />
    case 'unknown':
      return <QuestionCircleTwoTone twoToneColor="#8f9eab" aria-label={t('uncertain')} />
  }
}

function IdentifierLine({
  member,
  id,
  kind,
  masked,
  valid,
  revealable,
}: { member: MemberCard['id'] } & MemberCard['identifiers'][number]) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const lang = useLang()
  const { message } = App.useApp()
  const [full, setFull] = useState<string>()
  async function reveal(): Promise<void> {
    try {
      setFull((await client.members.reveal({ id: member, kind, identifier: id })).value)
    } catch (error) {
      void message.error(say(faultOf(error).code))
    }
  }
  return (
    <div style={{ display: 'flex', gap: 8, alignItems: 'center', minHeight: 28 }}>
      <Typography.Text type="secondary" style={{ width: 110 }}>
        {identifierName(kind, lang)}
      </Typography.Text>
      <Typography.Text {...(valid ? {} : { type: 'danger' as const })} copyable={full !== undefined}>
        {full ?? masked}
        {valid ? '' : `（${t('invalid')}）`}
      </Typography.Text>
      {revealable && full === undefined ? (
        <Tooltip title={t('show')}>
          <Button
            size="small"
            type="text"
            aria-label={`${t('show')} ${identifierName(kind, lang)}`}
            icon={<EyeOutlined />}
            onClick={() => void reveal()}
          />
        </Tooltip>
      ) : null}
    </div>
  )
}
