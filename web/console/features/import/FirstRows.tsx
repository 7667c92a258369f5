import { Card, Table } from 'antd'
import type { ColumnMapping, ImportPreview } from '../../../../contract/import.ts'
import { type ImportKind, importField } from '../../../../contract/import-fields.ts'
import { useLang, useWords } from '../../../ui/language.ts'

const words = {
  title: { zh: '文件的前 {n} 行', en: 'The first {n} rows of the file' },
  row: { zh: '行', en: 'Row' },
}

/** The first rows as they will be read, under what each column means. */
export function FirstRows({
  preview,
  columns,
  kind,
}: {
  preview: ImportPreview
  columns: readonly ColumnMapping[]
  kind: ImportKind
}) {
  const t = useWords(words)
  const lang = useLang()
  const meaning = (column: ColumnMapping | undefined): string => {
    if (!column?.field) return ''
    return importField(kind, column.field)?.[lang] ?? column.field.replace('attribute:', '')
  }
  return (
    <Card size="small" title={t('title', { n: preview.rows.length })} style={{ marginTop: 12 }}>
      <Table
        size="small"
        rowKey="number"
        pagination={false}
        scroll={{ x: 'max-content', y: 320 }}
        dataSource={[...preview.rows]}
        columns={[
          { title: t('row'), dataIndex: 'number', fixed: 'left', width: 56, align: 'right' },
          ...preview.columns.map((guess, index) => ({
            key: index,
            title: (
              <>
                <div>{guess.heading}</div>
                <small style={{ color: '#0f766e', fontWeight: 400 }}>{meaning(columns[index]) || ' '}</small>
              </>
            ),
            ellipsis: true,
            width: 150,
            render: (_: unknown, row: ImportPreview['rows'][number]) => row.cells[index] ?? '',
          })),
        ]}
      />
    </Card>
  )
}
