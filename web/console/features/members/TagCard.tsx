import { Card, Tag, Tooltip, Typography } from 'antd'
import type { MemberCard } from '../../../../contract/members.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { tagWords } from '../../parts/tag-words.ts'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  ...tagWords,
  tags: { zh: '标签', en: 'Tags' },
  none: { zh: '还没有标签', en: 'No tags yet' },
  unknown: { zh: '未知', en: 'unknown' },
}

/** The one value of each group of level S, then the other tags with who set them and when. */
export function TagCard({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const zone = useZone()
  return (
    <Card title={t('tags')} size="small">
      {card.sTags.map((tag) => (
        <div key={tag.groupId} style={{ display: 'flex', gap: 8 }}>
          <Typography.Text type="secondary" style={{ width: 110 }}>
            {tag.group}
          </Typography.Text>
          {tag.tagId === null ? t('unknown') : tag.value}
        </div>
      ))}
      <div style={{ marginTop: 8 }}>
        {card.tagList.length === 0 ? <Typography.Text type="secondary">{t('none')}</Typography.Text> : null}
        {card.tagList.map((tag) => (
          <Tooltip
            key={tag.tagId}
            title={[tag.group, t(tag.producer), t(tag.origin), minute(tag.at, zone)]
              .filter((part) => part !== null)
              .join(' · ')}
          >
            <Tag style={{ marginBottom: 4 }}>{tag.name}</Tag>
          </Tooltip>
        ))}
      </div>
    </Card>
  )
}
