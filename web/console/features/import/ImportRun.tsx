import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Steps } from 'antd'
import { Link, useParams } from 'react-router'
import type { ImportRun as Run } from '../../../../contract/import.ts'
import { api } from '../../../client.ts'
import { bytes, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { Forecast } from './Forecast.tsx'
import { kindWords, stateWords } from './import-words.ts'
import { MapColumns } from './MapColumns.tsx'
import { Result } from './Result.tsx'
import { RunProgress } from './RunProgress.tsx'

const words = {
  upload: { zh: '上传', en: 'Upload' },
  map: { zh: '对应列', en: 'Columns' },
  check: { zh: '试运行', en: 'Dry run' },
  import: { zh: '导入', en: 'Import' },
  result: { zh: '结果', en: 'Result' },
  before: {
    zh: '同样的文件导入过。再导入一次不会产生重复，只会更新有变化的内容。',
    en: 'The same file was imported before. Importing it again makes no doubles.',
  },
  earlier: { zh: '查看那一次', en: 'Show that one' },
  mapSays: {
    zh: '{kind} · {size}。看一眼每列对应得对不对，然后试运行；试运行不会写入任何数据。',
    en: '{kind}, {size}. Look whether each column is understood, then run it dry; a dry run writes nothing.',
  },
  checkFailed: {
    zh: '试运行中断，没有写入任何数据。改好列的对应，或换一个文件，再试运行。',
    en: 'The dry run broke off; nothing was written. Correct the columns, or take another file, and run it dry again.',
  },
  checkSays: {
    zh: '试运行完成：{accepted} 行可以进入，{rejected} 行会被拒。还没有写入任何数据。',
    en: 'Dry run done: {accepted} rows would go in, {rejected} would be rejected. Nothing was written yet.',
  },
  runs: {
    zh: '{state}。可以离开这个页面，工作会在后台继续。',
    en: '{state}. You can leave this page; the work goes on.',
  },
  importedSays: {
    zh: '{accepted} 行已进入，{rejected} 行被拒并可下载；涉及 {people} 人，其中新建 {created} 人。',
    en: '{accepted} rows went in, {rejected} were rejected and can be downloaded; {people} persons, {created} of them new.',
  },
  undoneSays: {
    zh: '已撤销：这次导入新建的会员和订单已移除，改动已恢复；之后又被修改过的 {kept} 项予以保留。',
    en: 'Undone: what it created is gone, what it changed is as before; {kept} that were changed later stay.',
  },
}
const RUNNING = new Set(['checking', 'importing', 'undoing'])
const WATCH_MS = 1000
const PLACE: Readonly<Record<Run['state'], number>> = {
  uploaded: 1,
  checking: 2,
  checked: 2,
  importing: 3,
  imported: 4,
  cancelled: 4,
  failed: 4,
  undoing: 4,
  undone: 4,
}

/** One import from its columns to its result. */
export function ImportRun() {
  const { id = '' } = useParams()
  const query = useQuery(
    api.imports.get.queryOptions({
      input: { id },
      refetchInterval: ({ state }) => (state.data && RUNNING.has(state.data.state) ? WATCH_MS : false),
    }),
  )
  return <Loaded query={query}>{(run) => <RunPage run={run} />}</Loaded>
}

function RunPage({ run }: { run: Run }) {
  const t = useWords(words)
  const address = useAddress()
  const mapping = run.state === 'uploaded' || (run.state === 'checked' && address.get('step') === 'columns')
  return (
    <>
      <Answer title={run.fileName}>{useSentence(run, mapping)}</Answer>
      <Steps
        size="small"
        current={mapping ? 1 : PLACE[run.state]}
        status={run.failure === null ? 'process' : 'error'}
        items={(['upload', 'map', 'check', 'import', 'result'] as const).map((step) => ({ title: t(step) }))}
        style={{ marginBottom: 16 }}
      />
      {mapping && run.failure !== null ? (
        <Alert
          type="error"
          showIcon
          style={{ marginBottom: 12 }}
          title={t('checkFailed')}
          description={run.failure}
        />
      ) : null}
      {run.importedBefore && (run.state === 'uploaded' || run.state === 'checked') ? (
        <Alert
          type="info"
          showIcon
          style={{ marginBottom: 12 }}
          title={t('before')}
          action={<Link to={`/import/${run.importedBefore}`}>{t('earlier')}</Link>}
        />
      ) : null}
      <Stage run={run} mapping={mapping} />
    </>
  )
}

function Stage({ run, mapping }: { run: Run; mapping: boolean }) {
  if (mapping) return <MapColumns run={run} />
  if (RUNNING.has(run.state))
    return (
      <Card>
        <RunProgress run={run} />
      </Card>
    )
  return run.state === 'checked' ? <Forecast run={run} /> : <Result run={run} />
}

function useSentence(run: Run, mapping: boolean): string {
  const t = useWords(words)
  const lang = useLang()
  if (mapping) return t('mapSays', { kind: kindWords[run.kind][lang], size: bytes(run.bytes) })
  switch (run.state) {
    case 'uploaded':
    case 'checked': {
      const counts = run.forecast ?? run.counts
      return t('checkSays', { accepted: whole(counts.accepted), rejected: whole(counts.rejected) })
    }
    case 'checking':
    case 'importing':
    case 'undoing':
      return t('runs', { state: stateWords[run.state][lang] })
    case 'imported':
    case 'cancelled':
    case 'failed':
      return t('importedSays', {
        accepted: whole(run.counts.accepted),
        rejected: whole(run.counts.rejected),
        people: whole(run.counts.people),
        created: whole(run.counts.peopleCreated),
      })
    case 'undone':
      return t('undoneSays', { kept: whole(run.counts.kept) })
  }
}
