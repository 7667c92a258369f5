import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Col, Row, Tabs } from 'antd'
import { useState } from 'react'
import type { Tag, TagGroup } from '../../../../contract/audience.ts'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay } from '../../parts/use-brand.ts'
import { GroupForm } from './GroupForm.tsx'
import { Groups } from './Groups.tsx'
import { LostSyncs } from './LostSyncs.tsx'
import { TagForm } from './TagForm.tsx'
import { TagTable } from './TagTable.tsx'

const words = {
  title: { zh: '标签', en: 'Tags' },
  answer: {
    zh: '{groups} 个标签组，{tags} 个标签；{waste} 个没有任何人群、SOP 或任务在用，可以一起停用。',
    en: '{groups} groups, {tags} tags; {waste} are used by no segment, SOP or task and could be retired together.',
  },
  newGroup: { zh: '新建标签组', en: 'New group' },
  newTag: { zh: '新建标签', en: 'New tag' },
  tags: { zh: '标签', en: 'Tags' },
  lost: { zh: '落选的同步值', en: 'Synced values that lost' },
}

/** Groups with what they cover, tags with what they are for, and what is waste. */
export function Tags() {
  const t = useWords(words)
  const address = useAddress()
  const mayChange = useMay(['owner', 'operator'])
  const mayTag = useMay(['owner', 'operator', 'store_manager'])
  const groups = useQuery(api.audience.tagGroups.queryOptions())
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  const [group, setGroup] = useState<TagGroup | 'new'>()
  const [tag, setTag] = useState<Tag | 'new'>()
  const all = tags.data?.items ?? []
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          <>
            {mayChange ? <Button onClick={() => setGroup('new')}>{t('newGroup')}</Button> : null}
            {mayTag ? (
              <Button type="primary" icon={<PlusOutlined />} onClick={() => setTag('new')}>
                {t('newTag')}
              </Button>
            ) : null}
          </>
        }
      >
        {tags.data && groups.data
          ? t('answer', {
              groups: groups.data.items.length,
              tags: all.length,
              waste: all.filter((each) => each.waste).length,
            })
          : undefined}
      </Answer>
      <Tabs
        activeKey={address.get('tab') ?? 'tags'}
        destroyOnHidden
        onChange={(tab) => address.set({ tab: tab === 'tags' ? undefined : tab })}
        items={[
          {
            key: 'tags',
            label: t('tags'),
            children: (
              <Loaded query={groups}>
                {({ items }) => (
                  <Row gutter={[12, 12]}>
                    <Col xs={24} xl={6}>
                      <Groups groups={items} onEdit={mayChange ? setGroup : undefined} />
                    </Col>
                    <Col xs={24} xl={18}>
                      <TagTable onEdit={mayChange ? setTag : undefined} />
                    </Col>
                  </Row>
                )}
              </Loaded>
            ),
          },
          ...(mayChange ? [{ key: 'lost', label: t('lost'), children: <LostSyncs /> }] : []),
        ]}
      />
      {group ? (
        <GroupForm group={group === 'new' ? undefined : group} onClose={() => setGroup(undefined)} />
      ) : null}
      {tag ? <TagForm tag={tag === 'new' ? undefined : tag} onClose={() => setTag(undefined)} /> : null}
    </>
  )
}
