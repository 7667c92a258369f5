import { Table, Typography } from 'antd'
import { useLang, useWords } from '../../ui/language.ts'
import { fieldName } from './field-words.ts'

const words = {
  field: { zh: '项目', en: 'Field' },
  before: { zh: '之前', en: 'Before' },
  after: { zh: '之后', en: 'After' },
}

type Line = { field: string; before: string; after: string }

/** What stood there and what stands there now, field by field; what did not change is left out. */
export function BeforeAfter({ before, after }: { before: unknown; after: unknown }) {
  const t = useWords(words)
  const lang = useLang()
  const lines = flatLines(before, after)
  return (
    <Table<Line>
      size="small"
      rowKey="field"
      pagination={false}
      dataSource={lines}
      columns={[
        { title: t('field'), width: 220, render: (_, line) => fieldName(line.field, lang) },
        {
          title: t('before'),
          dataIndex: 'before',
          render: (text: string) => (
            <Typography.Text delete={text !== ''} type="secondary">
              {text}
            </Typography.Text>
          ),
        },
        {
          title: t('after'),
          dataIndex: 'after',
          render: (text: string) => <Typography.Text strong>{text}</Typography.Text>,
        },
      ]}
    />
  )
}

/** Both values field by field ('brand.silent'); only what differs unless `all`. */
export function flatLines(before: unknown, after: unknown, all = false): Line[] {
  const [old, fresh] = [leaves(before), leaves(after)]
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((field) => ({ field, before: old.get(field) ?? '', after: fresh.get(field) ?? '' }))
    .filter((line) => all || line.before !== line.after)
}

function leaves(value: unknown, path = ''): Map<string, string> {
  if (value === null || value === undefined) return new Map()
  if (typeof value !== 'object' || Array.isArray(value)) return new Map([[path, shown(value)]])
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, path === '' ? key : `${path}.${key}`)]),
  )
}

function shown(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join('、')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
