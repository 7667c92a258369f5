/** A picture from data: ECharts with our colours, a table view and a CSV of the same data. */
import { BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, SankeyChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { useDark } from './dark.ts'
import { fontFamily, series } from './tokens.ts'

use([
  BarChart,
  FunnelChart,
  HeatmapChart,
  LineChart,
  PieChart,
  SankeyChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
])

export type ChartProps = {
  option: EChartsCoreOption
  height: number
  /** What the picture shows, for screen readers. */
  label: string
  /** A click on a mark, with its series, name and data. */
  onMark?: (mark: { seriesName?: string | undefined; name: string; data: unknown }) => void
}

export function Chart({ option, height, label, onMark }: ChartProps) {
  const { dark } = useDark()
  const box = useRef<HTMLDivElement>(null)
  const marked = useRef(onMark)
  marked.current = onMark
  useEffect(() => {
    if (!box.current) return undefined
    const chart = init(box.current, dark ? 'dark' : undefined, { renderer: 'canvas' })
    chart.setOption({
      color: series,
      textStyle: { fontFamily },
      backgroundColor: 'transparent',
      animationDuration: 300,
      ...option,
    })
    chart.on('click', (event) =>
      marked.current?.({ seriesName: event.seriesName, name: String(event.name), data: event.data }),
    )
    const observer = new ResizeObserver(() => chart.resize())
    observer.observe(box.current)
    return () => {
      observer.disconnect()
      chart.dispose()
    }
  }, [option, dark])
  return (
    <div
      ref={box}
      role="img"
      aria-label={label}
      style={{ height, width: '100%', cursor: onMark ? 'pointer' : undefined }}
    />
  )
}
