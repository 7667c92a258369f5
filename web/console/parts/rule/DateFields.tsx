import { DatePicker, Input, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import type { Leaf } from '../../../../contract/rule.ts'
import { attributeName } from '../../../../contract/rule-attribute-names.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'
import { Comparison } from './small-fields.tsx'

type DateLeaf = Extract<Leaf, { kind: 'date' }>
const CUSTOM = 'custom.'

/** A date of the member: since, coming, or on one of some days. */
export function DateFields({ leaf, onChange }: { leaf: DateLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(leafWords)
  const lang = useLang()
  const { test } = leaf
  const custom = leaf.attribute.startsWith(CUSTOM)
  const fresh: Record<DateLeaf['test']['op'], DateLeaf['test']> = {
    days_since: { op: 'days_since', compare: { op: 'ge', value: 30 } },
    coming: { op: 'coming', withinDays: 30 },
    within: { op: 'within', from: dayjs().format('YYYY-MM-DD'), to: null },
  }
  return (
    <>
      <Select
        style={{ width: 140 }}
        aria-label={t('attribute')}
        value={custom ? CUSTOM : leaf.attribute}
        options={[
          ...['joined', 'birthday'].map((name) => ({ value: name, label: attributeName(name, lang) })),
          { value: CUSTOM, label: t('ownAttribute') },
        ]}
        onChange={(attribute) => onChange({ ...leaf, attribute })}
      />
      {custom ? (
        <CustomName name={leaf.attribute} onChange={(attribute) => onChange({ ...leaf, attribute })} />
      ) : null}
      <Select
        style={{ width: 140 }}
        aria-label={t('test')}
        value={test.op}
        options={(['days_since', 'coming', 'within'] as const).map((op) => ({
          value: op,
          label: t(`date_${op}`),
        }))}
        onChange={(op) => onChange({ ...leaf, test: fresh[op] })}
      />
      {test.op === 'days_since' ? (
        <Comparison
          value={test.compare}
          onChange={(compare) => onChange({ ...leaf, test: { ...test, compare } })}
        />
      ) : null}
      {test.op === 'coming' ? (
        <InputNumber
          min={0}
          max={3660}
          aria-label={t('days')}
          value={test.withinDays}
          suffix={t('within')}
          onChange={(days) => onChange({ ...leaf, test: { op: 'coming', withinDays: days ?? 0 } })}
        />
      ) : null}
      {test.op === 'within' ? (
        <DatePicker.RangePicker
          allowEmpty
          aria-label={t('absolute')}
          value={[test.from ? dayjs(test.from) : null, test.to ? dayjs(test.to) : null]}
          onChange={(range) =>
            onChange({
              ...leaf,
              test: {
                op: 'within',
                from: range?.[0]?.format('YYYY-MM-DD') ?? null,
                to: range?.[1]?.format('YYYY-MM-DD') ?? null,
              },
            })
          }
        />
      ) : null}
    </>
  )
}

/** The name of an attribute that an import or the API brought, without what stands before it in rules. */
export function CustomName({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  const t = useWords(leafWords)
  return (
    <Input
      style={{ width: 130 }}
      maxLength={80}
      aria-label={t('ownAttribute')}
      placeholder={t('ownAttribute')}
      value={name.slice(CUSTOM.length)}
      onChange={(event) => onChange(`${CUSTOM}${event.target.value}`)}
    />
  )
}
