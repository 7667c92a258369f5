import { Alert, Modal, Typography } from 'antd'
import { useWords } from '../../ui/language.ts'

const words = {
  once: {
    zh: '只显示这一次。关闭后无法再看到，请现在复制并妥善保管。',
    en: 'Shown this once. After closing it cannot be seen again: copy it now and keep it safe.',
  },
  kept: { zh: '我已保存', en: 'I have kept it' },
}

export type Secret = { title: string; says: string; secret: string }

/** A password or key that is shown once; a click beside it does not close it. */
export function SecretOnce({ shown, onClose }: { shown: Secret | undefined; onClose: () => void }) {
  const t = useWords(words)
  return (
    <Modal
      open={shown !== undefined}
      title={shown?.title}
      mask={{ closable: false }}
      closable={false}
      okText={t('kept')}
      cancelButtonProps={{ style: { display: 'none' } }}
      onOk={onClose}
    >
      <Typography.Paragraph>{shown?.says}</Typography.Paragraph>
      <Typography.Paragraph
        copyable={{ text: shown?.secret ?? '' }}
        code
        style={{ fontSize: 16, wordBreak: 'break-all' }}
        data-testid="secret"
      >
        {shown?.secret}
      </Typography.Paragraph>
      <Alert type="warning" showIcon title={t('once')} />
    </Modal>
  )
}
