import type { SegmentKind } from '../../../../contract/audience.ts'
import type { Lang } from '../../../ui/format.ts'

type Said = Readonly<Record<SegmentKind, Readonly<Record<Lang, string>>>>

/** How a segment keeps its members. */
export const kindNames: Said = {
  live: { zh: '实时', en: 'Live' },
  snapshot: { zh: '快照', en: 'Snapshot' },
  on_demand: { zh: '按需', en: 'On demand' },
}
export const kindSays: Said = {
  live: {
    zh: '随事件和时间自动进出，SOP 可以用它触发。',
    en: 'Follows what happens and time; SOPs can be triggered by it.',
  },
  snapshot: {
    zh: '保存某一刻的成员，之后不再变化，可以重新拍摄；规则和 SOP 都能用。',
    en: 'Keeps who was in it at a moment, until it is taken anew; rules and SOPs can use it.',
  },
  on_demand: {
    zh: '需要时才计算，平时不占资源。没有进出记录，所以不能触发 SOP，也不能被其他规则引用。',
    en: 'Computed when you ask, and costs nothing meanwhile. Nobody is told who enters or leaves, so it cannot trigger SOPs nor stand in other rules.',
  },
}
