import { Alert, Form, Input, Modal, Typography } from 'antd'
import type { ChannelCredentials, ChannelState } from '../../../../contract/reach.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'

const words = {
  title: { zh: '接入“{name}”的服务商', en: 'Connect {name} to its provider' },
  says: {
    zh: '接入后先处于测试模式，只发给测试名单里的人；正式上线要另外确认。',
    en: 'It starts in test mode and reaches the test list only; going live is confirmed on its own.',
  },
  kept: {
    zh: '密钥加密保存，保存后任何人都看不到，只能重新填写。',
    en: 'Secrets are sealed; nobody can read them again, only replace them.',
  },
  corpId: { zh: '企业 ID（corpid）', en: 'Corporation id (corpid)' },
  secret: { zh: '应用 Secret', en: 'Secret of the application' },
  accessKeyId: { zh: 'AccessKey ID', en: 'AccessKey ID' },
  accessKeySecret: { zh: 'AccessKey Secret', en: 'AccessKey Secret' },
  callbackToken: { zh: '回调 Token（可不填）', en: 'Callback token (may stay empty)' },
  callbackKey: { zh: '回调 EncodingAESKey（可不填）', en: 'Callback EncodingAESKey (may stay empty)' },
  callbackSays: {
    zh: '填写后，企业微信会把新增和流失的客户实时告诉 {address}。',
    en: 'With these WeCom tells {address} of contacts as they come and go.',
  },
  callbackWrong: {
    zh: 'Token 最多 32 位、EncodingAESKey 43 位，只含字母和数字',
    en: 'Letters and digits only: up to 32 for the token, 43 for the EncodingAESKey',
  },
  save: { zh: '接入', en: 'Connect' },
  saved: { zh: '已接入，处于测试模式', en: 'Connected, in test mode' },
  needed: { zh: '请填写', en: 'Needed' },
}
const FIELDS = { wecom: ['corpId', 'secret'], sms: ['accessKeyId', 'accessKeySecret'] } as const

/** Both or none: where WeCom tells of contacts. */
const CALLBACK = { callbackToken: /^[A-Za-z0-9]{1,32}$/, callbackKey: /^[A-Za-z0-9]{43}$/ }

type Props = { channel: ChannelState; name: string; onClose: () => void }

/** Takes what the real provider asks for; it goes in and never comes out again. */
export function Connect({ channel, name, onClose }: Props) {
  const t = useWords(words)
  const { act, busy } = useAct()
  async function connect(given: Record<string, string>): Promise<void> {
    const filled = Object.fromEntries(Object.entries(given).filter(([, text]) => text))
    const credentials = { channel: channel.name, ...filled } as ChannelCredentials
    const work = () =>
      client.reach.connectChannel({ name: channel.name, version: channel.version, credentials })
    if (await act(work, { done: t('saved'), refresh: [api.reach.key()] })) onClose()
  }
  return (
    <Modal
      open
      title={t('title', { name })}
      okText={t('save')}
      okButtonProps={{ htmlType: 'submit', form: 'connect', loading: busy }}
      onCancel={onClose}
    >
      <Typography.Paragraph>{t('says')}</Typography.Paragraph>
      <Form
        id="connect"
        layout="vertical"
        requiredMark={false}
        autoComplete="off"
        onFinish={(given: Record<string, string>) => void connect(given)}
      >
        {FIELDS[channel.name].map((field, index) => (
          <Form.Item
            key={field}
            name={field}
            label={t(field)}
            rules={[{ required: true, whitespace: true, message: t('needed') }]}
          >
            {index === 0 ? (
              <Input autoFocus maxLength={200} />
            ) : (
              <Input.Password maxLength={200} autoComplete="new-password" />
            )}
          </Form.Item>
        ))}
        {channel.name === 'wecom' ? (
          <>
            <Typography.Paragraph type="secondary">
              {t('callbackSays', { address: `${window.location.origin}/api/callbacks/wecom` })}
            </Typography.Paragraph>
            {(['callbackToken', 'callbackKey'] as const).map((field) => (
              <Form.Item
                key={field}
                name={field}
                label={t(field)}
                rules={[{ pattern: CALLBACK[field], message: t('callbackWrong') }]}
              >
                <Input.Password maxLength={43} autoComplete="new-password" />
              </Form.Item>
            ))}
          </>
        ) : null}
      </Form>
      <Alert type="info" showIcon title={t('kept')} />
    </Modal>
  )
}
