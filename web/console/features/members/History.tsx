import { useInfiniteQuery } from '@tanstack/react-query'
import { Empty, Timeline, Typography } from 'antd'
import type { z } from 'zod'
import { type LifecycleState, lifecycleName, lifecycleStates } from '../../../../contract/lifecycle.ts'
import type { TimelineItem } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { type Lang, minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  none: { zh: '还没有记录', en: 'Nothing yet' },
}

/** What happened to the member, the latest first. */
export function History({ id }: { id: string }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const query = useInfiniteQuery(
    api.members.timeline.infiniteOptions({
      input: (cursor: string | undefined) => ({ id: id as never, cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Loaded query={query as never}>
      {() => (
        <>
          {items.length === 0 ? (
            <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />
          ) : (
            <Timeline
              items={items.map((item) => ({
                key: item.id,
                content: (
                  <>
                    <Typography.Text type="secondary">{minute(item.at, zone)}</Typography.Text> ·{' '}
                    {titleOf(item, lang)}
                    <Properties given={item.details['properties']} />
                  </>
                ),
              }))}
            />
          )}
          <More query={query} shown={items.length} />
        </>
      )}
    </Loaded>
  )
}

const MOST_SHOWN = 8

/** What a tracked event told, its own words first; not what its SDK added of page and device. */
function Properties({ given }: { given: unknown }) {
  if (typeof given !== 'object' || given === null) return null
  const own = Object.entries(given).filter(([name]) => !/^[$_]|^context\./.test(name))
  if (own.length === 0) return null
  const text = own.slice(0, MOST_SHOWN).map(([name, value]) => `${name}: ${String(value)}`)
  return (
    <div translate="no">
      <Typography.Text
        type="secondary"
        ellipsis
        title={own.map(([name, value]) => `${name}: ${String(value)}`).join('\n')}
      >
        {text.join(' · ')}
        {own.length > MOST_SHOWN ? ' …' : ''}
      </Typography.Text>
    </div>
  )
}

/** What happened in words, with the codes that an event carries as pages name them elsewhere. */
function titleOf(item: z.infer<typeof TimelineItem>, lang: Lang): string {
  const detail = typeof item.details['detail'] === 'string' ? item.details['detail'] : ''
  const title = item.title[lang]
  if (item.type === 'lifecycle_changed' && (lifecycleStates as readonly string[]).includes(detail))
    return title.replace(detail, lifecycleName(detail as LifecycleState, lang))
  if (item.type === 'touch_decided') {
    const reason = detail.split(':')[1] ?? ''
    return reason === '' ? title : title.replace(reason, reasonName(reason, lang))
  }
  return title
}
