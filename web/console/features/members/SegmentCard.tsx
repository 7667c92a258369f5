import { Button, Card, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { MemberCard } from '../../../../contract/members.ts'
import { useWords } from '../../../ui/language.ts'
import { WhySegment } from './WhySegment.tsx'

const words = {
  segments: { zh: '所在人群', en: 'Segments' },
  why: { zh: '为什么在这里？', en: 'Why?' },
  none: { zh: '不在任何人群里', en: 'In no segment' },
}

/** The segments that the member is in, each with its why. */
export function SegmentCard({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const [asked, setAsked] = useState<number>()
  return (
    <Card title={t('segments')} size="small">
      {card.segments.length === 0 ? <Typography.Text type="secondary">{t('none')}</Typography.Text> : null}
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
