import { useQuery } from '@tanstack/react-query'
import { Button, Card, Select, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { MemberCard } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { WhySegment } from './WhySegment.tsx'

const words = {
  segments: { zh: '所在人群', en: 'Segments' },
  why: { zh: '为什么？怎样会变？', en: 'Why? What if?' },
  none: { zh: '不在任何人群里', en: 'In no segment' },
  other: { zh: '查另一个人群：为什么不在？', en: 'Another segment: why not in it?' },
}

/** The segments that the member is in, each with its why; any other can be searched. */
export function SegmentCard({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const [asked, setAsked] = useState<number>()
  const [searching, setSearching] = useState(false)
  const segments = useQuery(api.audience.segments.queryOptions({ enabled: searching }))
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
      <Select
        style={{ width: '100%', marginTop: 10 }}
        placeholder={t('other')}
        aria-label={t('other')}
        value={null}
        loading={segments.isFetching}
        showSearch={{ optionFilterProp: 'label' }}
        onOpenChange={(open) => setSearching((before) => before || open)}
        options={(segments.data?.items ?? []).map(({ id, name }) => ({ value: id as number, label: name }))}
        onChange={(id: number | null) => setAsked(id ?? undefined)}
      />
      {asked === undefined ? null : (
        <WhySegment memberId={card.id} segmentId={asked} onClose={() => setAsked(undefined)} />
      )}
    </Card>
  )
}
