import { Button, Modal, Table, Typography } from 'antd'
import { useWords } from '../../ui/language.ts'
import type { Shared } from './use-act.ts'

const words = {
  title: { zh: '其他人刚刚改过', en: 'Somebody else has just changed this' },
  why: {
    zh: '两边的内容如下，不同之处已标出。请选择保留哪一个。',
    en: 'Both stand below; what differs is marked. Choose which one to keep.',
  },
  field: { zh: '项目', en: 'Field' },
  yours: { zh: '您的修改', en: 'Yours' },
  theirs: { zh: '现在的内容', en: 'What stands now' },
  take: { zh: '用现在的内容', en: 'Take what stands now' },
  keep: { zh: '用我的覆盖', en: 'Keep mine' },
  differs: { zh: '不同', en: 'differs' },
}

export type Difference = { label: string; yours: string; theirs: string }

/**
 * The dialog over what `useAct` was told by `onStale`: `compare` says both sides, `onKeep` writes one's own over the version
 * that stands, `forget` is called with each choice.
 */
export function StaleAnswer({
  theirs,
  compare,
  forget,
  onTake,
  onKeep,
}: {
  theirs: Shared | undefined
  compare: (theirs: Shared) => readonly Difference[]
  forget: () => void
  onTake: () => void
  onKeep: (version: number) => void
}) {
  return (
    <StaleDialog
      rows={theirs ? compare(theirs) : undefined}
      onTake={() => {
        forget()
        onTake()
      }}
      onKeep={() => {
        const version = Number(theirs?.['version'])
        forget()
        onKeep(version)
      }}
      onClose={forget}
    />
  )
}

/** A lost write shows both sides, field by field, and asks which one is meant. */
export function StaleDialog({
  rows,
  onTake,
  onKeep,
  onClose,
  keep,
}: {
  rows: readonly Difference[] | undefined
  onTake: () => void
  onKeep: () => void
  onClose: () => void
  /** What keeping one's own means, where it is not to write what stands in the form. */
  keep?: string
}) {
  const t = useWords(words)
  return (
    <Modal
      open={rows !== undefined}
      title={t('title')}
      width={720}
      onCancel={onClose}
      footer={[
        <Button key="take" onClick={onTake}>
          {t('take')}
        </Button>,
        <Button key="keep" type="primary" onClick={onKeep}>
          {keep ?? t('keep')}
        </Button>,
      ]}
    >
      <Typography.Paragraph type="secondary">{t('why')}</Typography.Paragraph>
      <Table
        size="small"
        rowKey="label"
        pagination={false}
        dataSource={[...(rows ?? [])]}
        columns={[
          { title: t('field'), dataIndex: 'label', width: 160 },
          {
            title: t('yours'),
            dataIndex: 'yours',
            render: (text: string, row) => (
              <Side text={text} differs={row.yours !== row.theirs} note={t('differs')} />
            ),
          },
          { title: t('theirs'), dataIndex: 'theirs' },
        ]}
      />
    </Modal>
  )
}

function Side({ text, differs, note }: { text: string; differs: boolean; note: string }) {
  return differs ? (
    <Typography.Text mark>
      {text} <small>({note})</small>
    </Typography.Text>
  ) : (
    <span>{text}</span>
  )
}
