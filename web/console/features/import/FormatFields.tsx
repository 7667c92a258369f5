import { InputNumber, Select, Space, Tag } from 'antd'
import { encodings, type FileFormat, separators } from '../../../../contract/import.ts'
import { useWords } from '../../../ui/language.ts'
import { useAddress } from '../../parts/use-address.ts'

const words = {
  encoding: { zh: '编码', en: 'Encoding' },
  separator: { zh: '分隔符', en: 'Separator' },
  headings: { zh: '表头在第', en: 'Headings in row' },
  row: { zh: '行', en: '' },
  sheet: { zh: '工作表', en: 'Sheet' },
  comma: { zh: '逗号', en: 'comma' },
  semicolon: { zh: '分号', en: 'semicolon' },
  tab: { zh: '制表符', en: 'tab' },
  bar: { zh: '竖线', en: 'bar' },
  blank: { zh: '空格', en: 'blank' },
}
const names = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar', ' ': 'blank' } as const

/** How the bytes are read. A change stands in the address and the preview is read again; nothing is settled by it. */
export function FormatFields({ format, sheets }: { format: FileFormat; sheets: readonly string[] }) {
  const t = useWords(words)
  const { set } = useAddress()
  return (
    <Space wrap>
      <Tag>
        {format.container.toUpperCase()}
        {format.gzip ? '.GZ' : ''}
      </Tag>
      {format.container === 'xlsx' && sheets.length > 1 ? (
        <Select
          aria-label={t('sheet')}
          style={{ minWidth: 140 }}
          value={format.sheet ?? sheets[0] ?? null}
          options={sheets.map((sheet) => ({ value: sheet, label: sheet }))}
          onChange={(sheet) => set({ sheet: sheet ?? undefined })}
        />
      ) : null}
      {format.container === 'csv' ? (
        <>
          <Select
            aria-label={t('encoding')}
            style={{ width: 120 }}
            value={format.encoding}
            options={encodings.map((encoding) => ({ value: encoding, label: encoding.toUpperCase() }))}
            onChange={(encoding) => set({ encoding })}
          />
          <Select
            aria-label={t('separator')}
            style={{ width: 100 }}
            value={format.separator}
            options={separators.map((separator) => ({ value: separator, label: t(names[separator]) }))}
            onChange={(separator) => set({ separator })}
          />
        </>
      ) : null}
      {format.container === 'ndjson' ? null : (
        <span>
          {t('headings')}{' '}
          <InputNumber
            aria-label={t('headings')}
            style={{ width: 64 }}
            min={0}
            max={50}
            value={format.headingRow}
            onChange={(row) => row !== null && set({ headingRow: String(row) })}
          />{' '}
          {t('row')}
        </span>
      )}
    </Space>
  )
}
