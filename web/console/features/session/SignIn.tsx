import { GlobalOutlined } from '@ant-design/icons'
import { Alert, Button, Card, Form, Input, Typography } from 'antd'
import { useContext, useState } from 'react'
import { client, type Fault, faultOf } from '../../../client.ts'
import { LanguageContext, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { homeOf } from './home-of.ts'

const words = {
  slogan: { zh: '从流量到留量', en: 'From traffic to people who stay' },
  login: { zh: '账号', en: 'Login' },
  password: { zh: '密码', en: 'Password' },
  enter: { zh: '登录', en: 'Sign in' },
  first: {
    zh: '首次使用：账号与一次性密码显示在启动 Liuliang 的窗口里。',
    en: 'First time? Login and one-time password stand in the window where Liuliang was started.',
  },
  needed: { zh: '请填写', en: 'Needed' },
  language: { zh: 'English', en: '中文' },
}

export function SignIn() {
  const t = useWords(words)
  const say = useWords(problemWords)
  const { lang, setLang } = useContext(LanguageContext)
  const [fault, setFault] = useState<Fault>()
  const [busy, setBusy] = useState(false)
  async function enter(input: { login: string; password: string }): Promise<void> {
    setBusy(true)
    setFault(undefined)
    try {
      const { me } = await client.session.signIn(input)
      const to = new URLSearchParams(window.location.search).get('to') ?? '/'
      const goal = to === '/' ? homeOf(me.roles) : own(to)
      window.location.assign(me.mustChangePassword ? '/password' : goal)
    } catch (error) {
      setFault(faultOf(error))
      setBusy(false)
    }
  }
  return (
    <div
      style={{
        minHeight: '100%',
        display: 'grid',
        placeItems: 'center',
        padding: 16,
        background: 'linear-gradient(160deg, rgba(15,118,110,.12), transparent 60%)',
      }}
    >
      <Card style={{ width: 'min(400px, 100%)' }} styles={{ body: { padding: 32 } }}>
        <div style={{ display: 'flex', gap: 12, alignItems: 'center', marginBottom: 24 }}>
          <img src="/icon.svg" width={44} height={44} alt="" />
          <div style={{ flex: 1 }}>
            <Typography.Title level={3} style={{ margin: 0 }}>
              留量 Liuliang
            </Typography.Title>
            <Typography.Text type="secondary">{t('slogan')}</Typography.Text>
          </div>
          <Button
            type="text"
            aria-label={t('language')}
            title={t('language')}
            translate="no"
            icon={<GlobalOutlined />}
            onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}
          />
        </div>
        {fault ? <Alert type="error" showIcon title={say(fault.code)} style={{ marginBottom: 16 }} /> : null}
        <Form layout="vertical" requiredMark={false} onFinish={(input) => void enter(input)}>
          <Form.Item name="login" label={t('login')} rules={[{ required: true, message: t('needed') }]}>
            <Input size="large" autoFocus autoComplete="username" />
          </Form.Item>
          <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('needed') }]}>
            <Input.Password size="large" autoComplete="current-password" />
          </Form.Item>
          <Button type="primary" size="large" block htmlType="submit" loading={busy}>
            {t('enter')}
          </Button>
        </Form>
        <Typography.Paragraph type="secondary" style={{ margin: '20px 0 0', fontSize: 13 }}>
          {t('first')}
        </Typography.Paragraph>
      </Card>
    </div>
  )
}

/** Only addresses of this site: the wish comes from the address bar. */
function own(path: string): string {
  return path.startsWith('/') && !path.startsWith('//') ? path : '/'
}
