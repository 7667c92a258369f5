import { Alert, Button, Card, Form, Input, Typography } from 'antd'
import { useState } from 'react'
import { MIN_PASSWORD } from '../../../../contract/session.ts'
import { client, type Fault, faultOf } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { homeOf } from './home-of.ts'

const words = {
  title: { zh: '设置新密码', en: 'Set a new password' },
  why: {
    zh: '至少 {n} 个字符。设置后，其他设备上的登录会失效。',
    en: 'At least {n} characters. Sessions on other devices end.',
  },
  current: {
    zh: '当前密码（首次登录为一次性密码）',
    en: 'Present password (the one-time password the first time)',
  },
  next: { zh: '新密码', en: 'New password' },
  again: { zh: '再输入一次', en: 'Once more' },
  differ: { zh: '两次输入不一致', en: 'The two differ' },
  short: { zh: '至少 {n} 个字符', en: 'At least {n} characters' },
  save: { zh: '保存并进入', en: 'Save and go on' },
  needed: { zh: '请填写', en: 'Needed' },
}

export function Password() {
  const t = useWords(words)
  const say = useWords(problemWords)
  const [fault, setFault] = useState<Fault>()
  const [busy, setBusy] = useState(false)
  async function save(input: { currentPassword: string; newPassword: string }): Promise<void> {
    setBusy(true)
    setFault(undefined)
    try {
      await client.session.changePassword({
        currentPassword: input.currentPassword,
        newPassword: input.newPassword,
      })
      const me = await client.session.me()
      window.location.assign(homeOf(me.roles))
    } catch (error) {
      setFault(faultOf(error))
      setBusy(false)
    }
  }
  return (
    <div style={{ minHeight: '100%', display: 'grid', placeItems: 'center', padding: 16 }}>
      <Card style={{ width: 'min(400px, 100%)' }} styles={{ body: { padding: 32 } }}>
        <Typography.Title level={3} style={{ marginTop: 0 }}>
          {t('title')}
        </Typography.Title>
        <Typography.Paragraph type="secondary">{t('why', { n: MIN_PASSWORD })}</Typography.Paragraph>
        {fault ? <Alert type="error" showIcon title={say(fault.code)} style={{ marginBottom: 16 }} /> : null}
        <Form layout="vertical" requiredMark={false} onFinish={(input) => void save(input)}>
          <Form.Item
            name="currentPassword"
            label={t('current')}
            rules={[{ required: true, message: t('needed') }]}
          >
            <Input.Password size="large" autoFocus autoComplete="current-password" />
          </Form.Item>
          <Form.Item
            name="newPassword"
            label={t('next')}
            rules={[{ required: true, min: MIN_PASSWORD, message: t('short', { n: MIN_PASSWORD }) }]}
          >
            <Input.Password size="large" autoComplete="new-password" />
          </Form.Item>
          <Form.Item
            name="again"
            label={t('again')}
            dependencies={['newPassword']}
            rules={[
              ({ getFieldValue }) => ({
                validator: (_, value) =>
                  value === getFieldValue('newPassword')
                    ? Promise.resolve()
                    : Promise.reject(new Error(t('differ'))),
              }),
            ]}
          >
            <Input.Password size="large" autoComplete="new-password" />
          </Form.Item>
          <Button type="primary" size="large" block htmlType="submit" loading={busy}>
            {t('save')}
          </Button>
        </Form>
      </Card>
    </div>
  )
}
