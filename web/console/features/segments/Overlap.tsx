import { useQuery } from '@tanstack/react-query'
import { Card, Empty, Flex, Select, Typography } from 'antd'
import type { Segment, SegmentOverlap } from '../../../../contract/audience.ts'
import { api } from '../../../client.ts'
import { percent, whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { accent, series } from '../../../ui/tokens.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'

const words = {
  title: { zh: '与另一个人群的重叠', en: 'Overlap with another segment' },
  choose: { zh: '选择另一个人群', en: 'Choose another segment' },
  none: {
    zh: '选一个人群，看有多少人同时在两边：避免同一批会员被重复触达。',
    en: 'Choose a segment to see how many are in both, so that nobody is reached twice.',
  },
  onlyFirst: { zh: '只在“{name}”', en: 'Only in “{name}”' },
  both: { zh: '同时在两边', en: 'In both' },
  onlySecond: { zh: '只在“{name}”', en: 'Only in “{name}”' },
  line: { zh: '{n} 人 · 占全部 {share}', en: '{n} members · {share} of all' },
  share: {
    zh: '“{first}”里有 {a} 也在“{second}”，反过来是 {b}。',
    en: '{a} of “{first}” are also in “{second}”; the other way round {b}.',
  },
}

/** Another segment beside this one: who is in one alone and in both. Which one stands in the address. */
export function Overlap({ segment }: { segment: Segment }) {
  const t = useWords(words)
  const address = useAddress()
  const segments = useQuery(api.audience.segments.queryOptions())
  const others = (segments.data?.items ?? []).filter(
    ({ id, kind, takenAt }) => id !== segment.id && (kind !== 'on_demand' || takenAt !== null),
  )
  const other = others.find(({ id }) => String(id) === address.get('with'))
  const query = useQuery(
    api.audience.segmentOverlap.queryOptions({
      input: { id: segment.id, otherId: (other?.id ?? segment.id) as never },
      enabled: other !== undefined,
    }),
  )
  return (
    <Card title={t('title')} size="small">
      <Select
        allowClear
        style={{ width: '100%', marginBottom: 12 }}
        placeholder={t('choose')}
        aria-label={t('choose')}
        value={other?.id as number | undefined}
        showSearch={{ optionFilterProp: 'label' }}
        options={others.map(({ id, name }) => ({ value: id as number, label: name }))}
        onChange={(id: number | undefined) =>
          address.set({ with: id === undefined ? undefined : String(id) })
        }
      />
      {other ? (
        <Loaded query={query} rows={3}>
          {(overlap) => <Found overlap={overlap} names={[segment.name, other.name]} />}
        </Loaded>
      ) : (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />
      )}
    </Card>
  )
}

function Found({ overlap, names: [first, second] }: { overlap: SegmentOverlap; names: [string, string] }) {
  const t = useWords(words)
  const { onlyFirst, both, onlySecond, of } = overlap
  const parts = [
    { key: 'onlyFirst', label: t('onlyFirst', { name: first }), persons: onlyFirst, colour: accent },
    { key: 'both', label: t('both'), persons: both, colour: series[4] ?? accent },
    {
      key: 'onlySecond',
      label: t('onlySecond', { name: second }),
      persons: onlySecond,
      colour: series[2] ?? accent,
    },
  ]
  const share = (part: number, whole: number): string => percent(whole === 0 ? 0 : part / whole)
  return (
    <>
      <Flex gap={2} style={{ height: 24, borderRadius: 6, overflow: 'hidden', marginBottom: 10 }} aria-hidden>
        {parts
          .filter(({ persons }) => persons > 0)
          .map(({ key, persons, colour }) => (
            <div key={key} style={{ flexGrow: persons, flexBasis: 6, background: colour }} />
          ))}
      </Flex>
      {parts.map(({ key, label, persons, colour }) => (
        <Flex key={key} gap={8} align="baseline" data-testid={`overlap-${key}`} style={{ marginBottom: 4 }}>
          <span style={{ width: 10, height: 10, borderRadius: 3, background: colour, flex: 'none' }} />
          <span style={{ flex: 1, minWidth: 0 }}>{label}</span>
          <span>{t('line', { n: whole(persons), share: share(persons, of) })}</span>
        </Flex>
      ))}
      <Typography.Paragraph type="secondary" style={{ marginTop: 8, marginBottom: 0 }}>
        {t('share', {
          first,
          second,
          a: share(both, onlyFirst + both),
          b: share(both, onlySecond + both),
        })}
      </Typography.Paragraph>
    </>
  )
}
