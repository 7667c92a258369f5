import { Button, Select, Space } from 'antd'
import { useState } from 'react'
import type { ChannelState } from '../../../../contract/reach.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useHeld } from '../../parts/use-held.ts'

const words = {
  allow: {
    zh: '测试名单（手机号或企微外部联系人 ID，保存后打码）',
    en: 'Reached in test (phones or WeCom external ids; masked once saved)',
  },
  allowSave: { zh: '保存名单', en: 'Save the list' },
  saved: { zh: '已保存', en: 'Saved' },
}

/** Who may be reached while the channel is in test. */
export function AllowList({ fresh, mayChange }: { fresh: ChannelState; mayChange: boolean }) {
  const t = useWords(words)
  const [edited, setEdited] = useState<string[]>()
  const channel = useHeld(fresh, edited !== undefined)
  const list = edited ?? channel.allowList
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  async function save(version = channel.version): Promise<void> {
    const work = () => client.reach.changeChannel({ name: channel.name, version, allowList: list })
    const done = await act(work, { done: t('saved'), refresh: [api.reach.key()], onStale: setTheirs })
    if (done) setEdited(undefined)
  }
  return (
    <>
      <div style={{ marginBottom: 6 }}>{t('allow')}</div>
      <Space.Compact style={{ width: '100%' }}>
        <Select
          mode="tags"
          open={false}
          suffixIcon={null}
          disabled={!mayChange}
          aria-label={t('allow')}
          style={{ width: '100%' }}
          tokenSeparators={[',', '，', ' ', '\n']}
          value={list}
          onChange={setEdited}
        />
        <Button disabled={!mayChange || !edited} loading={busy} onClick={() => void save()}>
          {t('allowSave')}
        </Button>
      </Space.Compact>
      <StaleAnswer
        theirs={theirs}
        compare={(now) => [
          {
            label: t('allow'),
            yours: list.join('、'),
            theirs: Array.isArray(now['allowList']) ? now['allowList'].join('、') : '',
          },
        ]}
        forget={() => setTheirs(undefined)}
        onTake={() => setEdited(undefined)}
        onKeep={(version) => void save(version)}
      />
    </>
  )
}
