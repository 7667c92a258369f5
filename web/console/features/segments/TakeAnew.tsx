import { Alert, Button } from 'antd'
import type { Segment } from '../../../../contract/audience.ts'
import { api, client } from '../../../client.ts'
import { minute, percent, whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'

const words = {
  taken: { zh: '成员为 {time} 拍摄时的 {n} 人', en: '{n} members, as taken on {time}' },
  computed: { zh: '{time} 计算：{n} 人', en: 'Computed on {time}: {n} members' },
  never: { zh: '还没有计算过', en: 'Not computed yet' },
  taking: { zh: '正在计算 {share}', en: 'Computing, {share}' },
  anew: { zh: '重新拍摄', en: 'Take it anew' },
  compute: { zh: '立即计算', en: 'Compute now' },
  begun: { zh: '已开始，完成前保留原来的成员', en: 'Begun; the members stay until it is done' },
}

/** Of which moment the members are, and the way to another one; nothing for a live segment. */
export function TakeAnew({ segment }: { segment: Segment }) {
  const t = useWords(words)
  const zone = useZone()
  const mayTake = useMay(['owner', 'operator'])
  const { act, busy } = useAct()
  if (segment.kind === 'live') return null
  const snapshot = segment.kind === 'snapshot'
  const taking = segment.state === 'computing'
  const take = (): void => {
    void act(() => client.audience.takeSegment({ id: segment.id }), {
      done: t('begun'),
      refresh: [api.audience.key()],
    })
  }
  const said = { time: minute(segment.takenAt, zone), n: whole(segment.persons) }
  const title = segment.takenAt === null ? t('never') : t(snapshot ? 'taken' : 'computed', said)
  return (
    <Alert
      type={segment.takenAt === null ? 'warning' : 'info'}
      showIcon
      style={{ marginBottom: 12 }}
      title={title}
      description={taking ? t('taking', { share: percent(segment.computedShare, 0) }) : undefined}
      action={
        mayTake ? (
          <Button size="small" loading={busy || taking} onClick={take}>
            {t(snapshot ? 'anew' : 'compute')}
          </Button>
        ) : undefined
      }
      data-testid="take"
    />
  )
}
