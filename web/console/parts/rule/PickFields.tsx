import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import type { Leaf } from '../../../../contract/rule.ts'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'

export function Tags({
  leaf,
  onChange,
}: {
  leaf: Extract<Leaf, { kind: 'tag' }>
  onChange: (leaf: Leaf) => void
}) {
  const t = useWords(leafWords)
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  return (
    <>
      <Select
        style={{ width: 90 }}
        aria-label={t('match')}
        value={leaf.match}
        options={[
          { value: 'any', label: t('any') },
          { value: 'all', label: t('all') },
        ]}
        onChange={(match) => onChange({ ...leaf, match })}
      />
      <Select
        mode="multiple"
        style={{ minWidth: 200 }}
        aria-label={t('tags')}
        placeholder={t('tags')}
        value={[...leaf.tags]}
        showSearch={{ optionFilterProp: 'label' }}
        options={(tags.data?.items ?? [])
          .filter((tag) => tag.level === 'business')
          .map((tag) => ({ value: tag.id as number, label: `${tag.group} · ${tag.name}` }))}
        onChange={(chosen: number[]) => onChange({ ...leaf, tags: chosen })}
      />
    </>
  )
}

export function STag({
  leaf,
  onChange,
}: {
  leaf: Extract<Leaf, { kind: 's_tag' }>
  onChange: (leaf: Leaf) => void
}) {
  const t = useWords(leafWords)
  const groups = useQuery(api.audience.tagGroups.queryOptions())
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  const inGroup = (tags.data?.items ?? []).filter((tag) => (tag.groupId as number) === leaf.group)
  return (
    <>
      <Select
        style={{ width: 140 }}
        aria-label={t('group')}
        value={leaf.group}
        options={(groups.data?.items ?? [])
          .filter((group) => group.level === 'S')
          .map((group) => ({ value: group.id as number, label: group.name }))}
        onChange={(group) => onChange({ ...leaf, group, values: [null] })}
      />
      <Select
        mode="multiple"
        style={{ minWidth: 200 }}
        aria-label={t('values')}
        value={leaf.values.map((value) => value ?? 0)}
        options={[
          { value: 0, label: t('unknown') },
          ...inGroup.map((tag) => ({ value: tag.id as number, label: tag.name })),
        ]}
        onChange={(chosen: number[]) =>
          chosen.length > 0 &&
          onChange({ ...leaf, values: chosen.map((value) => (value === 0 ? null : value)) })
        }
      />
    </>
  )
}

export function SegmentChoice({
  leaf,
  onChange,
}: {
  leaf: Extract<Leaf, { kind: 'segment' }>
  onChange: (leaf: Leaf) => void
}) {
  const t = useWords(leafWords)
  const segments = useQuery(api.audience.segments.queryOptions())
  return (
    <Select
      style={{ minWidth: 220 }}
      aria-label={t('segment')}
      placeholder={t('segment')}
      value={leaf.segment === 0 ? null : leaf.segment}
      showSearch={{ optionFilterProp: 'label' }}
      options={(segments.data?.items ?? [])
        .filter(({ kind }) => kind !== 'on_demand')
        .map((segment) => ({ value: segment.id as number, label: segment.name }))}
      onChange={(segment) => onChange({ ...leaf, segment })}
    />
  )
}
