import { useInfiniteQuery } from '@tanstack/react-query'
import { Empty, Progress, Table, Tag, Tooltip } from 'antd'
import { Link } from 'react-router'
import type { ImportRun } from '../../../../contract/import.ts'
import { api } from '../../../client.ts'
import { bytes, minute, relative, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useZone } from '../../parts/use-brand.ts'
import { DropFile } from './DropFile.tsx'
import { kindWords, stateColours, stateWords } from './import-words.ts'

const words = {
  title: { zh: '导入数据', en: 'Import' },
  answer: {
    zh: '拖入会员、订单或企微客户的文件：自动认列，先试运行看结果，再导入。导入历史数据不会触发任何消息；30 天内可以整批撤销。',
    en: 'Drop a file of members, orders or WeCom contacts: its columns are understood, a dry run shows what would happen, then it goes in. History never sends a message; an import can be undone for 30 days.',
  },
  past: { zh: '导入记录', en: 'Past imports' },
  none: {
    zh: '还没有导入过。把第一份文件拖到上面即可。',
    en: 'Nothing imported yet: drop the first file above.',
  },
  file: { zh: '文件', en: 'File' },
  kind: { zh: '内容', en: 'Content' },
  state: { zh: '状态', en: 'State' },
  read: { zh: '行数', en: 'Rows' },
  accepted: { zh: '进入', en: 'Went in' },
  rejected: { zh: '被拒', en: 'Rejected' },
  when: { zh: '时间', en: 'When' },
  undo: { zh: '可撤销至', en: 'Can be undone until' },
}
const RUNNING = new Set(['checking', 'importing', 'undoing'])
const WATCH_MS = 2000

/** Drop a file, and every file that came in before. */
export function Imports() {
  const t = useWords(words)
  const query = useInfiniteQuery(
    api.imports.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ cursor, limit: 30 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
      refetchInterval: ({ state }) =>
        state.data?.pages.some((page) => page.items.some((run) => RUNNING.has(run.state))) ? WATCH_MS : false,
    }),
  )
  const runs = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <Answer title={t('title')}>{t('answer')}</Answer>
      <DropFile />
      <h3 style={{ margin: '24px 0 12px' }}>{t('past')}</h3>
      <Loaded query={query as never}>
        {() => (
          <>
            <RunTable runs={runs} />
            <More query={query} shown={runs.length} />
          </>
        )}
      </Loaded>
    </>
  )
}

function RunTable({ runs }: { runs: readonly ImportRun[] }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  return (
    <Table<ImportRun>
      size="middle"
      rowKey="id"
      pagination={false}
      scroll={{ x: 960 }}
      dataSource={[...runs]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      columns={[
        {
          title: t('file'),
          ellipsis: true,
          render: (_, run) => (
            <Link to={`/import/${run.id}`} title={`${run.fileName} · ${bytes(run.bytes)}`}>
              {run.fileName}
            </Link>
          ),
        },
        { title: t('kind'), width: 110, render: (_, run) => kindWords[run.kind][lang] },
        { title: t('state'), width: 190, render: (_, run) => <RunState run={run} /> },
        { title: t('read'), width: 100, align: 'right', render: (_, run) => whole(countsOf(run).read) },
        {
          title: t('accepted'),
          width: 100,
          align: 'right',
          render: (_, run) => whole(countsOf(run).accepted),
        },
        {
          title: t('rejected'),
          width: 90,
          align: 'right',
          render: (_, run) => whole(countsOf(run).rejected),
        },
        {
          title: t('when'),
          width: 130,
          render: (_, run) => (
            <Tooltip title={minute(run.createdAt, zone)}>{relative(run.createdAt, lang, Date.now())}</Tooltip>
          ),
        },
        {
          title: t('undo'),
          width: 150,
          render: (_, run) => (run.state === 'imported' ? minute(run.undoUntil, zone) : '–'),
        },
      ]}
    />
  )
}

function RunState({ run }: { run: ImportRun }) {
  const lang = useLang()
  if (RUNNING.has(run.state))
    return (
      <Progress percent={Math.floor(run.done * 100)} size="small" aria-label={stateWords[run.state][lang]} />
    )
  return <Tag color={stateColours[run.state]}>{stateWords[run.state][lang]}</Tag>
}

/** What was counted: by the dry run until the import has begun. */
function countsOf(run: ImportRun): ImportRun['counts'] {
  return run.state === 'checked' ? (run.forecast ?? run.counts) : run.counts
}
