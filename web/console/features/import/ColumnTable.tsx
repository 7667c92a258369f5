import { useQuery } from '@tanstack/react-query'
import { Select, Space, Table, Tag, Typography } from 'antd'
import type { ColumnGuess, ColumnMapping, DateOrder } from '../../../../contract/import.ts'
import { type ImportKind, importFields } from '../../../../contract/import-fields.ts'
import { api } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'

const words = {
  heading: { zh: '文件里的列', en: 'Column of the file' },
  samples: { zh: '样例', en: 'Samples' },
  field: { zh: '对应到', en: 'Means' },
  because: { zh: '依据', en: 'Because' },
  leave: { zh: '不导入', en: 'left out' },
  own: { zh: '会员自定义属性：{heading}', en: 'own attribute: {heading}' },
  byHeading: { zh: '表头', en: 'its heading' },
  bySaved: { zh: '模板', en: 'a template' },
  byValues: { zh: '内容', en: 'its values' },
  byYou: { zh: '您的选择', en: 'your choice' },
  ymd: { zh: '年/月/日', en: 'year/month/day' },
  mdy: { zh: '月/日/年', en: 'month/day/year' },
  dmy: { zh: '日/月/年', en: 'day/month/year' },
  ask: { zh: '月日顺序分不清，请选择', en: 'Month or day first? Choose' },
  nameless: { zh: '（无表头）', en: '(no heading)' },
}
const ORDERS: readonly DateOrder[] = ['ymd', 'mdy', 'dmy']
const LEAVE = ''

type Props = {
  kind: ImportKind
  guesses: readonly ColumnGuess[]
  columns: readonly ColumnMapping[]
  onChange: (columns: ColumnMapping[]) => void
}

/** Each column of the file with samples of what stands in it, and what it means. */
export function ColumnTable({ kind, guesses, columns, onChange }: Props) {
  const t = useWords(words)
  const put = (index: number, next: ColumnMapping): void =>
    onChange(columns.map((column, at) => (at === index ? next : column)))
  return (
    <Table
      size="small"
      style={{ marginTop: 12 }}
      rowKey="index"
      pagination={false}
      sticky
      dataSource={guesses.map((guess, index) => ({
        guess,
        index,
        column: columns[index] ?? { heading: guess.heading, field: null },
      }))}
      columns={[
        {
          title: t('heading'),
          width: 220,
          render: (_, { guess }) => <b>{guess.heading === '' ? t('nameless') : guess.heading}</b>,
        },
        {
          title: t('samples'),
          ellipsis: true,
          render: (_, { guess }) => (
            <Typography.Text type="secondary" ellipsis={{ tooltip: guess.samples.join('、') }}>
              {guess.samples.slice(0, 3).join('、')}
            </Typography.Text>
          ),
        },
        {
          title: t('field'),
          width: 420,
          render: (_, { guess, column, index }) => (
            <FieldChoice kind={kind} guess={guess} column={column} onChange={(next) => put(index, next)} />
          ),
        },
        {
          title: t('because'),
          width: 110,
          render: (_, { guess, column }) => <Because guess={guess} column={column} />,
        },
      ]}
    />
  )
}

type ChoiceProps = {
  kind: ImportKind
  guess: ColumnGuess
  column: ColumnMapping
  onChange: (column: ColumnMapping) => void
}

function FieldChoice({ kind, guess, column, onChange }: ChoiceProps) {
  const t = useWords(words)
  const lang = useLang()
  const fields = useQuery(
    api.imports.fields.queryOptions({
      input: { kind },
      staleTime: Number.POSITIVE_INFINITY,
      placeholderData: [...importFields[kind]],
    }),
  )
  const value = fields.data?.find((field) => field.key === column.field)?.value
  const own = `attribute:${guess.heading.slice(0, 60)}`
  const options = [
    { value: LEAVE, label: t('leave') },
    ...(fields.data ?? []).map((field) => ({ value: field.key, label: field[lang] })),
    ...(kind === 'members' && guess.heading !== ''
      ? [{ value: own, label: t('own', { heading: guess.heading }) }]
      : []),
  ]
  const dated =
    (value === 'instant' || value === 'day') && (guess.ambiguousDates || column.dateOrder !== undefined)
  return (
    <Space wrap>
      <Select
        aria-label={`${t('field')} ${guess.heading}`}
        style={{ width: 250, ...(column.field === null ? { opacity: 0.75 } : {}) }}
        showSearch={{ optionFilterProp: 'label' }}
        value={column.field ?? LEAVE}
        options={options}
        onChange={(field: string) => onChange({ ...column, field: field === LEAVE ? null : field })}
      />
      {dated ? (
        <Select
          aria-label={t('ask')}
          style={{ width: 150 }}
          {...(guess.ambiguousDates && column.dateOrder === undefined ? { status: 'warning' as const } : {})}
          placeholder={t('ask')}
          value={column.dateOrder ?? null}
          options={ORDERS.map((order) => ({ value: order, label: t(order) }))}
          onChange={(dateOrder: DateOrder | null) => dateOrder && onChange({ ...column, dateOrder })}
        />
      ) : null}
    </Space>
  )
}

function Because({ guess, column }: { guess: ColumnGuess; column: ColumnMapping }) {
  const t = useWords(words)
  if (column.field !== guess.field) return <Tag color="blue">{t('byYou')}</Tag>
  if (column.field === null || guess.because === null) return null
  const reasons = { heading: t('byHeading'), saved: t('bySaved'), values: t('byValues') }
  return <Tag>{reasons[guess.because]}</Tag>
}
