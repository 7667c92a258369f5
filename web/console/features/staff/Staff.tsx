import { Tabs } from 'antd'
import { useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay } from '../../parts/use-brand.ts'
import { ApiKeys } from './ApiKeys.tsx'
import { Places } from './Places.tsx'
import { StaffList } from './StaffList.tsx'

const words = {
  title: { zh: '员工与密钥', en: 'Staff and keys' },
  answer: {
    zh: '谁能登录、能做什么、能看哪些门店的会员；程序用 API 密钥，只给它需要的范围。',
    en: 'Who signs in, what they may do and whose members they see; programs use API keys with the scopes they need.',
  },
  staff: { zh: '员工', en: 'Staff' },
  keys: { zh: 'API 密钥', en: 'API keys' },
  places: { zh: '门店与区域', en: 'Stores and regions' },
}

/** People, keys and places. */
export function Staff() {
  const t = useWords(words)
  const address = useAddress()
  const mayKeys = useMay(['owner', 'engineer'])
  return (
    <>
      <Answer title={t('title')}>{t('answer')}</Answer>
      <Tabs
        activeKey={address.get('tab') ?? 'staff'}
        destroyOnHidden
        onChange={(tab) => address.set({ tab: tab === 'staff' ? undefined : tab, text: undefined })}
        items={[
          { key: 'staff', label: t('staff'), children: <StaffList /> },
          ...(mayKeys ? [{ key: 'keys', label: t('keys'), children: <ApiKeys /> }] : []),
          { key: 'places', label: t('places'), children: <Places /> },
        ]}
      />
    </>
  )
}
