import { useQuery } from '@tanstack/react-query'
import { Card } from 'antd'
import { useMemo } from 'react'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import { api } from '../../../client.ts'
import { Chart } from '../../../ui/Chart.tsx'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { colourOf, series } from '../../../ui/tokens.ts'
import { Loaded } from '../../parts/Loaded.tsx'

const words = { title: { zh: '会员从哪里来，到哪里去', en: 'Where members come from and where they go' } }

type Link = { source: string; state: string; persons: number }

/** P-02: from the five sources to the states of the life cycle. */
export function SourceFlow({ asOf }: { asOf: string | undefined }) {
  const t = useWords(words)
  const query = useQuery(api.audience.flow.queryOptions({ input: { asOf } }))
  return (
    <Loaded query={query}>
      {({ links }) =>
        links.length === 0 ? null : (
          <Card title={t('title')} style={{ marginTop: 12 }}>
            <Flow links={links} label={t('title')} />
          </Card>
        )
      }
    </Loaded>
  )
}

function Flow({ links, label }: { links: readonly Link[]; label: string }) {
  const lang = useLang()
  const option = useMemo(() => {
    const bySource = new Map<string, number>()
    for (const link of links)
      bySource.set(
        `${link.source} ${link.state}`,
        (bySource.get(`${link.source} ${link.state}`) ?? 0) + link.persons,
      )
    const flows = [...bySource].map(([key, value]) => {
      const [source = '', state = ''] = key.split(' ')
      return { source: `s:${source}`, target: state, value }
    })
    const sources = [...new Set(flows.map((flow) => flow.source))]
    const states = [...new Set(flows.map((flow) => flow.target))]
    return {
      tooltip: { trigger: 'item' },
      series: [
        {
          type: 'sankey',
          left: 8,
          right: 185,
          top: 8,
          bottom: 8,
          nodeGap: 16,
          data: [
            ...sources.map((name, index) => ({ name, itemStyle: { color: series[index % series.length] } })),
            ...states.map((name) => ({ name, itemStyle: { color: colourOf(name) } })),
          ],
          links: flows,
          lineStyle: { color: 'gradient', opacity: 0.35 },
          label: {
            formatter: ({ name }: { name: string }) =>
              name.startsWith('s:')
                ? sourceName(name.slice(2) as Parameters<typeof sourceName>[0], lang)
                : lifecycleName(name as LifecycleState, lang),
          },
        },
      ],
    }
  }, [links, lang])
  return <Chart option={option} height={360} label={label} />
}
