import { DatePicker, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import type { Occurrence, Window } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'
import { OccurrenceFields } from './OccurrenceFields.tsx'

/** Which part of time counts. */
export function WindowFields({ window, onChange }: { window: Window; onChange: (window: Window) => void }) {
  const t = useWords(leafWords)
  const kinds = ['ever', 'rolling', 'calendar', 'absolute', 'since'] as const
  const today = dayjs().format('YYYY-MM-DD')
  const fresh: Record<(typeof kinds)[number], Window> = {
    ever: { kind: 'ever' },
    rolling: { kind: 'rolling', days: 90 },
    calendar: { kind: 'calendar', unit: 'month', back: 0, count: 1 },
    absolute: { kind: 'absolute', from: today, to: today },
    since: { kind: 'since', anchor: { at: 'joining' } },
  }
  return (
    <>
      <Select
        style={{ width: 116 }}
        aria-label={t('window')}
        value={window.kind}
        options={kinds.map((kind) => ({ value: kind, label: t(kind) }))}
        onChange={(kind) => onChange(fresh[kind])}
      />
      {window.kind === 'rolling' ? (
        <InputNumber
          min={1}
          max={3660}
          aria-label={t('days')}
          value={window.days}
          onChange={(days) => onChange({ kind: 'rolling', days: days ?? 1 })}
        />
      ) : null}
      {window.kind === 'calendar' ? (
        <>
          <Select
            style={{ width: 76 }}
            aria-label={t('which')}
            value={window.back}
            options={[
              { value: 0, label: t('this') },
              { value: 1, label: t('before') },
            ]}
            onChange={(back) => onChange({ ...window, back })}
          />
          <Select
            style={{ width: 86 }}
            aria-label={t('unit')}
            value={window.unit}
            options={(['day', 'week', 'month', 'quarter', 'year'] as const).map((unit) => ({
              value: unit,
              label: t(unit),
            }))}
            onChange={(unit) => onChange({ ...window, unit })}
          />
        </>
      ) : null}
      {window.kind === 'absolute' ? (
        <DatePicker.RangePicker
          aria-label={t('absolute')}
          value={[dayjs(window.from), dayjs(window.to)]}
          onChange={(range) =>
            range?.[0] &&
            range[1] &&
            onChange({
              kind: 'absolute',
              from: range[0].format('YYYY-MM-DD'),
              to: range[1].format('YYYY-MM-DD'),
            })
          }
        />
      ) : null}
      {window.kind === 'since' ? <SinceFields window={window} onChange={onChange} /> : null}
    </>
  )
}

type Since = Extract<Window, { kind: 'since' }>

/** Where the window begins, and how long it is where it ends. */
function SinceFields({ window, onChange }: { window: Since; onChange: (window: Since) => void }) {
  const t = useWords(leafWords)
  const { anchor, days } = window
  const first: Occurrence = { of: 'purchase', filter: {} }
  return (
    <>
      <Select
        style={{ width: 120 }}
        aria-label={t('begin')}
        value={anchor.at}
        options={(['joining', 'first', 'last'] as const).map((at) => ({ value: at, label: t(at) }))}
        onChange={(at) =>
          onChange({
            ...window,
            anchor: at === 'joining' ? { at } : { at, what: anchor.at === 'joining' ? first : anchor.what },
          })
        }
      />
      {anchor.at === 'joining' ? null : (
        <OccurrenceFields
          what={anchor.what}
          onChange={(what) => onChange({ ...window, anchor: { ...anchor, what } })}
        />
      )}
      <InputNumber
        min={1}
        max={3660}
        aria-label={t('length')}
        placeholder={t('length')}
        value={days ?? null}
        suffix={t('within')}
        onChange={(next) =>
          onChange(next === null ? { kind: 'since', anchor } : { kind: 'since', anchor, days: next })
        }
      />
    </>
  )
}
