import { useQuery } from '@tanstack/react-query'
import { Empty, Table } from 'antd'
import type { z } from 'zod'
import type { RefusedEvents } from '../../../../contract/intake.ts'
import { api } from '../../../client.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useZone } from '../../parts/use-brand.ts'
import { refusedWords } from './tracking-words.ts'

const words = {
  source: { zh: '来源', en: 'Source' },
  name: { zh: '事件', en: 'Event' },
  reason: { zh: '原因', en: 'Why' },
  count: { zh: '次数（30 天）', en: 'Times (30 days)' },
  last: { zh: '最近', en: 'Last' },
  none: { zh: '最近 30 天没有被拒收的记录。', en: 'Nothing was refused in the last 30 days.' },
}

/** Records that were not taken in the last 30 days, and why. */
export function Refused() {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const query = useQuery(api.intake.seen.queryOptions({ refetchInterval: 15_000 }))
  return (
    <Loaded query={query}>
      {({ refused }) => (
        <Table<z.infer<typeof RefusedEvents>>
          size="middle"
          rowKey={({ source, reason, name }) => `${source} ${reason} ${name}`}
          pagination={false}
          scroll={{ x: 700 }}
          dataSource={refused}
          locale={{ emptyText: <Empty description={t('none')} /> }}
          columns={[
            { title: t('source'), width: 160, render: (_, { source }) => source.replace(/^sdk:/, '') },
            { title: t('name'), dataIndex: 'name' },
            { title: t('reason'), render: (_, { reason }) => refusedWords[reason][lang] },
            { title: t('count'), width: 140, align: 'right', render: (_, { count }) => whole(count) },
            { title: t('last'), width: 160, render: (_, { lastAt }) => minute(lastAt, zone) },
          ]}
        />
      )}
    </Loaded>
  )
}
