import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Input, Segmented, Space } from 'antd'
import { useState } from 'react'
import type { FileFormat, ImportPreview, ImportRun } from '../../../../contract/import.ts'
import { type ImportKind, importKinds } from '../../../../contract/import-fields.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { type Difference, StaleDialog } from '../../parts/StaleDialog.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useAddress } from '../../parts/use-address.ts'
import { ColumnTable } from './ColumnTable.tsx'
import { DefaultFields } from './DefaultFields.tsx'
import { FirstRows } from './FirstRows.tsx'
import { FormatFields } from './FormatFields.tsx'
import { kindWords } from './import-words.ts'
import { faultsOf, firstColumns, withSaved } from './mapping.ts'
import { SavedMappings } from './SavedMappings.tsx'

const words = {
  kind: { zh: '这是', en: 'This is' },
  check: { zh: '试运行', en: 'Run it dry' },
  saveAs: {
    zh: '存为模板，下次同样表头自动套用（可不填）',
    en: 'Save as a template for the same headings (optional)',
  },
  twice: { zh: '有两列对应了同一个字段，请改掉一个。', en: 'Two columns mean the same field: change one.' },
  order_time: {
    zh: '订单需要时间：请对应下单时间或付款时间。',
    en: 'An order needs a time: map when it was placed or paid.',
  },
  order_amount: {
    zh: '订单需要金额：请对应实付金额、商品金额或单价。',
    en: 'An order needs an amount: map a total, a line total or a price.',
  },
  member_key: {
    zh: '会员需要能认出人的列：编号、卡号、手机号或姓名。',
    en: 'A member needs a number, a card, a phone or a name.',
  },
  contact_key: {
    zh: '企微客户需要外部联系人 ID 或 UnionID。',
    en: 'A contact needs its external user id or UnionID.',
  },
  file: { zh: '文件', en: 'File' },
  source: { zh: '号码属于哪个系统', en: 'System that the numbers belong to' },
}

/** What each column means: guessed, shown with samples, to be corrected; then a dry run. */
export function MapColumns({ run }: { run: ImportRun }) {
  const { get } = useAddress()
  const kind = importKinds.find((each) => each === get('kind')) ?? run.kind
  const heading = get('headingRow')
  const tried = {
    ...(get('encoding') ? { encoding: get('encoding') as FileFormat['encoding'] } : {}),
    ...(get('separator') ? { separator: get('separator') as FileFormat['separator'] } : {}),
    ...(heading === undefined ? {} : { headingRow: Number(heading) }),
    ...(get('sheet') ? { sheet: get('sheet') } : {}),
  }
  const input = { id: run.id, kind, ...tried }
  const query = useQuery(api.imports.preview.queryOptions({ input, staleTime: Number.POSITIVE_INFINITY }))
  return (
    <Loaded query={query} rows={12}>
      {(preview) => <MapForm key={JSON.stringify(input)} run={run} kind={kind} preview={preview} />}
    </Loaded>
  )
}

type FormProps = { run: ImportRun; kind: ImportKind; preview: ImportPreview }

function MapForm({ run, kind, preview }: FormProps) {
  const t = useWords(words)
  const lang = useLang()
  const address = useAddress()
  const [columns, setColumns] = useState(() => firstColumns(run, kind, preview))
  const [defaults, setDefaults] = useState(run.mapping?.defaults ?? {})
  const [source, setSource] = useState(run.source)
  const [saveAs, setSaveAs] = useState('')
  const said = { kind, source, columns, defaults, saveAs, format: preview.run.format }
  const { check, busy, stale, takeTheirs, keepMine, forget } = useCheck(run, said)
  const faults = faultsOf(kind, columns)
  return (
    <>
      <Card
        size="small"
        styles={{ body: { display: 'flex', justifyContent: 'space-between', alignItems: 'center', gap: 16 } }}
      >
        <Space wrap size={[16, 8]}>
          <Space>
            {t('kind')}
            <Segmented<ImportKind>
              value={kind}
              onChange={(next) => address.set({ kind: next })}
              options={importKinds.map((each) => ({ value: each, label: kindWords[each][lang] }))}
            />
          </Space>
          <SavedMappings
            kind={kind}
            used={preview.savedMapping}
            onUse={(saved) => setColumns((now) => withSaved(now, saved))}
          />
          <FormatFields format={preview.run.format} sheets={preview.sheets} />
        </Space>
        <Button
          type="primary"
          size="large"
          loading={busy}
          disabled={faults.length > 0}
          onClick={() => void check(run.version)}
        >
          {t('check')}
        </Button>
      </Card>
      {faults.map((fault) => (
        <Alert key={fault} type="warning" showIcon title={t(fault)} style={{ marginTop: 12 }} />
      ))}
      <ColumnTable kind={kind} guesses={preview.columns} columns={columns} onChange={setColumns} />
      <Card size="small" style={{ marginTop: 12 }}>
        <DefaultFields kind={kind} value={defaults} onChange={setDefaults} />
        <Space wrap style={{ marginTop: 12 }}>
          <span>
            {t('source')}{' '}
            <Input
              aria-label={t('source')}
              style={{ width: 160 }}
              value={source}
              maxLength={60}
              onChange={(event) => setSource(event.target.value)}
            />
          </span>
          <Input
            style={{ width: 380 }}
            value={saveAs}
            maxLength={80}
            placeholder={t('saveAs')}
            aria-label={t('saveAs')}
            onChange={(event) => setSaveAs(event.target.value)}
          />
        </Space>
      </Card>
      <FirstRows preview={preview} columns={columns} kind={kind} />
      <StaleDialog rows={stale} onTake={takeTheirs} onKeep={keepMine} onClose={forget} />
    </>
  )
}

type Said = {
  kind: ImportKind
  source: string
  columns: ReturnType<typeof firstColumns>
  defaults: NonNullable<ImportRun['mapping']>['defaults']
  saveAs: string
  format: FileFormat
}

/** Settles the mapping and starts the dry run; a lost write shows both mappings. */
function useCheck(run: ImportRun, said: Said) {
  const address = useAddress()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<ImportRun>()
  async function check(version: number): Promise<void> {
    const { columns, defaults, saveAs, ...rest } = said
    const input = {
      ...rest,
      id: run.id,
      version,
      mapping: { columns, defaults },
      ...(saveAs.trim() === '' ? {} : { saveAs }),
    }
    const done = await act(
      async () => {
        await client.imports.map(input)
        return client.imports.check({ id: run.id })
      },
      { refresh: [api.imports.key()], onStale: (now) => setTheirs(now as unknown as ImportRun) },
    )
    if (done) address.clear()
  }
  const stale = theirs
    ? said.columns.map(
        ({ heading, field }, index): Difference => ({
          label: heading,
          yours: field ?? '–',
          theirs: theirs.mapping?.columns[index]?.field ?? '–',
        }),
      )
    : undefined
  return {
    check,
    busy,
    stale,
    takeTheirs: () => window.location.reload(),
    keepMine: () => {
      const version = theirs?.version ?? run.version
      setTheirs(undefined)
      void check(version)
    },
    forget: () => setTheirs(undefined),
  }
}
