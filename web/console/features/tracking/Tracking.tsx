import { Tabs } from 'antd'
import { useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { Plan } from './Plan.tsx'
import { Refused } from './Refused.tsx'
import { Sources } from './Sources.tsx'

const words = {
  title: { zh: '埋点', en: 'Tracking' },
  answer: {
    zh: '网站、小程序和后端用现有的 Segment 或神策 SDK，把地址指到留量，行为就会出现在会员页并能用于人群。',
    en: 'Point the Segment or Sensors Analytics SDKs that you use today at Liuliang: what visitors do appears on the pages of members and can be used in segments.',
  },
  sources: { zh: '来源', en: 'Sources' },
  plan: { zh: '埋点方案', en: 'Tracking plan' },
  refused: { zh: '未接收', en: 'Not taken' },
}

/** Where events come from, what came beside the tracking plan, and what was not taken. */
export function Tracking() {
  const t = useWords(words)
  const address = useAddress()
  return (
    <>
      <Answer title={t('title')}>{t('answer')}</Answer>
      <Tabs
        activeKey={address.get('tab') ?? 'sources'}
        destroyOnHidden
        onChange={(tab) => address.set({ tab: tab === 'sources' ? undefined : tab })}
        items={[
          { key: 'sources', label: t('sources'), children: <Sources /> },
          { key: 'plan', label: t('plan'), children: <Plan /> },
          { key: 'refused', label: t('refused'), children: <Refused /> },
        ]}
      />
    </>
  )
}
