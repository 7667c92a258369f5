import '@xyflow/react/dist/style.css'
import {
  BranchesOutlined,
  ClockCircleOutlined,
  LogoutOutlined,
  MessageOutlined,
  PlayCircleOutlined,
  SolutionOutlined,
} from '@ant-design/icons'
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react'
import { Tooltip } from 'antd'
import { type ReactNode, useMemo } from 'react'
import type { JourneyDetail } from '../../../../contract/journeys.ts'
import { useDark } from '../../../ui/dark.ts'
import { compact, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'

const words = {
  waiting: { zh: '{n} 人在此', en: '{n} here' },
  passed: { zh: '{n} 人经过', en: '{n} passed' },
  label: { zh: 'SOP 画布', en: 'Canvas of the SOP' },
}

type CanvasNode = JourneyDetail['nodes'][number]
const icons: Record<CanvasNode['kind'], ReactNode> = {
  trigger: <PlayCircleOutlined />,
  wait: <ClockCircleOutlined />,
  branch: <BranchesOutlined />,
  split: <BranchesOutlined />,
  touch: <MessageOutlined />,
  task: <SolutionOutlined />,
  tag: <SolutionOutlined />,
  webhook: <SolutionOutlined />,
  exit: <LogoutOutlined />,
}
const colours: Partial<Record<CanvasNode['kind'], string>> = {
  trigger: '#0f766e',
  touch: '#3b6fb6',
  task: '#c0662c',
  exit: '#697887',
}
const STEP = { width: 216, height: 84 }
/** Of the canvas, in pixels: as high as its steps are at full size, within what a page can bear. */
const LEAST_HEIGHT = 420
const MOST_HEIGHT = 960
const MARGIN = 120
const nodeTypes = { step: Step }

/** The steps of a SOP, read only, with how many stand at each and how many passed. */
export function Canvas({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const lang = useLang()
  const { dark } = useDark()
  const nodes = useMemo<Node[]>(
    () =>
      journey.nodes.map((node) => ({
        id: node.id,
        type: 'step',
        position: { x: node.x, y: node.y },
        data: { node },
        // Known before it is drawn, so that nothing waits for a measurement.
        width: STEP.width,
        height: STEP.height,
        draggable: false,
        connectable: false,
      })),
    [journey.nodes],
  )
  const lowest = Math.max(0, ...journey.nodes.map((node) => node.y))
  const height = Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, lowest + STEP.height + MARGIN))
  const edges = useMemo<Edge[]>(
    () =>
      journey.edges.map((edge) => ({
        id: `${edge.from} ${edge.to} ${edge.label?.en ?? ''}`,
        source: edge.from,
        target: edge.to,
        label: edge.label?.[lang],
        type: 'smoothstep',
        markerEnd: { type: MarkerType.ArrowClosed },
      })),
    [journey.edges, lang],
  )
  return (
    <section style={{ height }} aria-label={t('label')}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        fitView
        fitViewOptions={{ maxZoom: 1, minZoom: 0.45 }}
        minZoom={0.2}
        nodesConnectable={false}
        colorMode={dark ? 'dark' : 'light'}
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        <Controls showInteractive={false} />
      </ReactFlow>
    </section>
  )
}

function Step({ data }: NodeProps) {
  const t = useWords(words)
  const lang = useLang()
  const node = (data as { node: CanvasNode }).node
  const colour = colours[node.kind] ?? '#8f9eab'
  return (
    <Tooltip title={node.sentence[lang]} placement="right">
      <div
        style={{
          ...STEP,
          boxSizing: 'border-box',
          overflow: 'hidden',
          borderRadius: 8,
          border: `1px solid ${colour}`,
          borderInlineStart: `5px solid ${colour}`,
          background: 'var(--xy-node-background-color-default, #fff)',
          padding: '8px 10px',
          fontSize: 13,
        }}
      >
        <Handle type="target" position={Position.Top} style={{ opacity: 0 }} />
        <div style={{ fontWeight: 600, display: 'flex', gap: 6 }}>
          <span style={{ color: colour }}>{icons[node.kind]}</span>
          {node.title[lang]}
        </div>
        <div
          translate="no"
          style={{ opacity: 0.75, whiteSpace: 'nowrap', overflow: 'hidden', textOverflow: 'ellipsis' }}
        >
          {node.sentence[lang]}
        </div>
        <div style={{ display: 'flex', gap: 10, marginTop: 4 }}>
          <b title={whole(node.waiting)}>{t('waiting', { n: compact(node.waiting, lang) })}</b>
          <span style={{ opacity: 0.75 }} title={whole(node.passed)}>
            {t('passed', { n: compact(node.passed, lang) })}
          </span>
        </div>
        <Handle type="source" position={Position.Bottom} style={{ opacity: 0 }} />
      </div>
    </Tooltip>
  )
}
