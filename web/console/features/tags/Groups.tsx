import { EditOutlined } from '@ant-design/icons'
import { Button, Card, Progress, Tag, Tooltip, Typography } from 'antd'
import type { TagGroup } from '../../../../contract/audience.ts'
import { percent, whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { tagWords } from '../../parts/tag-words.ts'
import { useAddress } from '../../parts/use-address.ts'

const words = {
  ...tagWords,
  all: { zh: '全部标签组', en: 'All groups' },
  sLevel: { zh: 'S 级：每人有且只有一个值', en: 'Level S: everybody has exactly one value' },
  others: { zh: '业务标签组', en: 'Business groups' },
  covered: { zh: '{share} 已知 · {n} 人未知', en: '{share} known · {n} unknown' },
  nobody: { zh: '还没有会员', en: 'nobody yet' },
  count: { zh: '{n} 个标签', en: '{n} tags' },
  open: { zh: '门店可加', en: 'open to stores' },
  seeded: { zh: '内置', en: 'built in' },
  change: { zh: '修改', en: 'Change' },
}

type Props = { groups: readonly TagGroup[]; onEdit: ((group: TagGroup) => void) | undefined }

/** Groups of level S with how many are known, then the others; a click shows the tags of one. */
export function Groups({ groups, onEdit }: Props) {
  const t = useWords(words)
  const { get, set } = useAddress()
  const chosen = get('groupId')
  const list = (level: TagGroup['level']) =>
    groups
      .filter((group) => group.level === level)
      .map((group) => (
        <GroupLine
          key={group.id}
          group={group}
          chosen={chosen === String(group.id)}
          onEdit={onEdit}
          onChoose={() => set({ groupId: chosen === String(group.id) ? undefined : String(group.id) })}
        />
      ))
  return (
    <Card size="small">
      <Button
        type="link"
        style={{ padding: 0 }}
        disabled={!chosen}
        onClick={() => set({ groupId: undefined })}
      >
        {t('all')}
      </Button>
      <Typography.Title level={5}>{t('sLevel')}</Typography.Title>
      {list('S')}
      <Typography.Title level={5}>{t('others')}</Typography.Title>
      {list('business')}
    </Card>
  )
}

type LineProps = { group: TagGroup; chosen: boolean; onEdit: Props['onEdit']; onChoose: () => void }

function GroupLine({ group, chosen, onEdit, onChoose }: LineProps) {
  const t = useWords(words)
  const { covered, unknown } = group
  const total = (covered ?? 0) + (unknown ?? 0)
  return (
    <div
      style={{
        padding: '6px 8px',
        marginInline: -8,
        borderRadius: 8,
        background: chosen ? 'rgba(15,118,110,.10)' : undefined,
      }}
    >
      <div style={{ display: 'flex', alignItems: 'center', gap: 6 }}>
        <Button
          type="text"
          size="small"
          aria-pressed={chosen}
          style={{ padding: 0, fontWeight: chosen ? 600 : 400 }}
          onClick={onChoose}
        >
          {group.name}
        </Button>
        {group.seeded ? <Tag>{t('seeded')}</Tag> : null}
        {group.openToStores ? <Tag color="blue">{t('open')}</Tag> : null}
        <span style={{ flex: 1 }} />
        <small style={{ opacity: 0.75 }}>{t('count', { n: group.tags })}</small>
        {onEdit ? (
          <Button
            type="text"
            size="small"
            icon={<EditOutlined />}
            aria-label={`${t('change')} ${group.name}`}
            onClick={() => onEdit(group)}
          />
        ) : null}
      </div>
      {covered === null || unknown === null ? null : (
        <Tooltip title={`${whole(covered)} / ${whole(total)}`}>
          <Progress
            aria-label={group.name}
            size="small"
            showInfo={false}
            percent={total === 0 ? 0 : (covered / total) * 100}
          />
          <small style={{ opacity: 0.75 }}>
            {total === 0 ? t('nobody') : t('covered', { share: percent(covered / total), n: whole(unknown) })}
          </small>
        </Tooltip>
      )}
    </div>
  )
}
