import { useQuery } from '@tanstack/react-query'
import { Typography } from 'antd'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'

const words = {
  title: { zh: '短信回执推送地址', en: 'Address for receipts' },
  says: {
    zh: '在阿里云短信控制台的通用设置里，作为回执消息（HTTP 批量推送）的地址填写，送达结果才会实时回来。地址里含密钥，请勿外传。',
    en: 'Enter it in the Aliyun SMS console (general settings, receipts by HTTP batch push), so that results come back at once. It holds a key: keep it to yourself.',
  },
  local: {
    zh: '现在的地址只有这台电脑能访问，服务商推送不到：请先为部署配置对外的网址。',
    en: 'As it stands only this machine can reach it, the provider cannot: give the program its public address first.',
  },
}

const LOOPBACK = /^(localhost|127[.].*|\[::1\])$/

/** Where the SMS provider pushes what became of each message; for whoever connects it. */
export function ReceiptAddress() {
  const t = useWords(words)
  const query = useQuery(api.reach.receiptAddress.queryOptions())
  if (!query.data) return null
  const url = new URL(query.data.address, window.location.origin)
  const address = url.href
  return (
    <div style={{ marginTop: 12 }}>
      <div style={{ marginBottom: 6 }}>{t('title')}</div>
      <Typography.Text
        code
        copyable={{ text: address }}
        data-testid="receipt-address"
        style={{ wordBreak: 'break-all' }}
      >
        {address}
      </Typography.Text>
      <div style={{ marginTop: 6, opacity: 0.75 }}>{t('says')}</div>
      {LOOPBACK.test(url.hostname) && <div style={{ marginTop: 6, opacity: 0.75 }}>{t('local')}</div>}
    </div>
  )
}
