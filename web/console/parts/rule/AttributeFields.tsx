import { Select } from 'antd'
import { memberSources } from '../../../../contract/members.ts'
import type { Leaf } from '../../../../contract/rule.ts'
import { attributeName } from '../../../../contract/rule-attribute-names.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { useStores } from '../use-stores.ts'
import { CustomName } from './DateFields.tsx'
import { leafWords } from './leaf-words.ts'
import { Comparison, Many } from './small-fields.tsx'

type AttributeLeaf = Extract<Leaf, { kind: 'attribute' }>

const CUSTOM = 'custom.'
const chosenFrom = ['gender', 'source', 'kind', 'register_channel', 'home_store'] as const
const written = ['city', 'occupation', 'source_channel'] as const
const chosenOps = ['in', 'not_in', 'known', 'unknown'] as const
const writtenOps = [
  ...chosenOps.slice(0, 2),
  'contains',
  'starts_with',
  'ends_with',
  'known',
  'unknown',
] as const
const ownOps = [...writtenOps, 'compare'] as const
type Op = (typeof ownOps)[number]

/** An attribute of the member: one of known values, a text, or a number of the brand's own. */
export function Attribute({ leaf, onChange }: { leaf: AttributeLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(leafWords)
  const lang = useLang()
  const choices = useChoices()
  const own = leaf.attribute.startsWith(CUSTOM)
  const values = 'values' in leaf ? leaf.values : []
  const known = choices[leaf.attribute]
  const ops = own ? ownOps : writtenOps
  const { attribute } = leaf
  const withOp = (op: Op): Leaf => {
    if (op === 'known' || op === 'unknown') return { kind: 'attribute', attribute, op }
    if (op === 'compare') return { kind: 'attribute', attribute, op, compare: { op: 'ge', value: 0 } }
    return { kind: 'attribute', attribute, op, values }
  }
  return (
    <>
      <Select
        style={{ width: 130 }}
        aria-label={t('attribute')}
        value={own ? CUSTOM : attribute}
        options={[
          ...chosenFrom.map((name) => ({ value: name as string, label: t(name) })),
          ...written.map((name) => ({ value: name as string, label: attributeName(name, lang) })),
          { value: CUSTOM, label: t('ownAttribute') },
        ]}
        onChange={(name: string) =>
          onChange({
            kind: 'attribute',
            attribute: name,
            op: 'in',
            values: choices[name]?.[0]?.slice(0, 1) ?? [],
          })
        }
      />
      {own ? (
        <CustomName name={attribute} onChange={(name) => onChange({ ...leaf, attribute: name })} />
      ) : null}
      <Select
        style={{ width: 92 }}
        aria-label={t('test')}
        value={leaf.op}
        options={(known ? chosenOps : ops).map((op) => ({ value: op, label: t(`op_${op}`) }))}
        onChange={(op) => onChange(withOp(op))}
      />
      {'values' in leaf && known ? (
        <Many
          name={t('values')}
          value={values}
          options={known}
          onChange={(next) => onChange({ ...leaf, values: next })}
        />
      ) : null}
      {'values' in leaf && !known ? (
        <Select
          mode="tags"
          style={{ minWidth: 140 }}
          aria-label={t('values')}
          value={values}
          onChange={(next: string[]) => onChange({ ...leaf, values: next })}
        />
      ) : null}
      {leaf.op === 'compare' ? (
        <Comparison value={leaf.compare} onChange={(compare) => onChange({ ...leaf, compare })} />
      ) : null}
    </>
  )
}

function useChoices(): Readonly<Record<string, (readonly [string, string])[]>> {
  const t = useWords(leafWords)
  const lang = useLang()
  const stores = useStores()
  return {
    gender: [
      ['female', t('female')],
      ['male', t('male')],
    ],
    source: memberSources.map((source) => [source, sourceName(source, lang)]),
    kind: (['member', 'customer', 'contact', 'visitor'] as const).map((kind) => [kind, t(kind)]),
    register_channel: [
      ['online', t('online')],
      ['offline', t('offline')],
    ],
    home_store: stores.map((store) => [store.id as string, store.name]),
  }
}
