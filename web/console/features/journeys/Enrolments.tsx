import { useInfiniteQuery } from '@tanstack/react-query'
import { Tag } from 'antd'
import { Link } from 'react-router'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { ListTable } from '../../parts/ListPage.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  name: { zh: '会员', en: 'Member' },
  entered: { zh: '进入', en: 'Entered' },
  node: { zh: '所在步骤', en: 'At' },
  due: { zh: '下一步', en: 'Next' },
  state: { zh: '状态', en: 'State' },
  active: { zh: '在途', en: 'in it' },
  finished: { zh: '走完', en: 'finished' },
  left: { zh: '离开', en: 'left' },
  held: { zh: '对照组', en: 'held out' },
  none: { zh: '还没有人进入', en: 'Nobody has entered yet' },
}

/** Everybody who entered, the latest first, and where each stands. */
export function Enrolments({ id }: { id: string }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const query = useInfiniteQuery(
    api.journeys.enrolments.infiniteOptions({
      input: (cursor: string | undefined) => ({ id, cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  return (
    <ListTable
      query={query}
      none={t('none')}
      width={760}
      columns={[
        {
          title: t('name'),
          render: (_, row) => <Link to={`/members/${row.memberId}`}>{row.name ?? '–'}</Link>,
        },
        { title: t('entered'), width: 150, render: (_, row) => minute(row.enteredAt, zone) },
        { title: t('node'), render: (_, row) => row.node[lang] },
        { title: t('due'), width: 150, render: (_, row) => minute(row.dueAt, zone) },
        {
          title: t('state'),
          render: (_, row) => (
            <>
              {t(row.state)}
              {row.reason ? ` · ${reasonName(row.reason, lang)}` : ''}
              {row.heldOut ? <Tag style={{ marginInlineStart: 6 }}>{t('held')}</Tag> : null}
            </>
          ),
        },
      ]}
    />
  )
}
