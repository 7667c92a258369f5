import { useQuery } from '@tanstack/react-query'
import { Collapse, Modal } from 'antd'
import type { SettingName } from '../../../../contract/settings.ts'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { BeforeAfter } from '../../parts/BeforeAfter.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  title: { zh: '{name}：历史版本', en: '{name}: earlier versions' },
  version: { zh: '第 {n} 版 · {by} · {at}', en: 'version {n} · {by} · {at}' },
  isDefault: { zh: '默认值', en: 'the default' },
  program: { zh: '系统', en: 'the program' },
  never: { zh: '从未修改过，一直是默认值。', en: 'Never changed: these are the defaults.' },
}

/** Every version with what it changed, latest first. */
export function SettingHistory({
  name,
  title,
  onClose,
}: {
  name: SettingName
  title: string
  onClose: () => void
}) {
  const t = useWords(words)
  const zone = useZone()
  const query = useQuery(api.settings.history.queryOptions({ input: { name } }))
  return (
    <Modal open width={720} footer={null} title={t('title', { name: title })} onCancel={onClose}>
      <Loaded query={query}>
        {({ items }) =>
          items.length <= 1 ? (
            <p>{t('never')}</p>
          ) : (
            <Collapse
              defaultActiveKey={[String(items[0]?.version)]}
              items={items.slice(0, -1).map((item, index) => ({
                key: String(item.version),
                label: t('version', {
                  n: item.version,
                  by: item.changedBy ?? t('program'),
                  at: minute(item.changedAt, zone),
                }),
                children: <BeforeAfter before={items[index + 1]?.value} after={item.value} />,
              }))}
            />
          )
        }
      </Loaded>
    </Modal>
  )
}
