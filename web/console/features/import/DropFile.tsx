import { InboxOutlined } from '@ant-design/icons'
import { Alert, Button, Card, Upload as Drop, Progress, Segmented } from 'antd'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import type { ImportKind } from '../../../../contract/import-fields.ts'
import { type Fault, faultOf } from '../../../client.ts'
import { bytes, duration } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { sentenceOf } from '../../parts/use-act.ts'
import { kindWords } from './import-words.ts'
import { type Upload, type UploadProgress, UploadStopped, uploadFile } from './upload.ts'

const words = {
  drop: { zh: '把文件拖到这里，或点击选择', en: 'Drop a file here, or click to choose one' },
  types: {
    zh: 'CSV、TXT、XLSX、NDJSON，也可以是 .gz；UTF-8 或 GBK；最大 4 GB',
    en: 'CSV, TXT, XLSX, NDJSON, also as .gz; UTF-8 or GBK; up to 4 GB',
  },
  content: { zh: '文件内容', en: 'It holds' },
  auto: { zh: '自动判断', en: 'find out' },
  sending: { zh: '正在上传 {name}', en: 'Uploading {name}' },
  speed: {
    zh: '{sent} / {total}，每秒 {rate}，还需约 {left}',
    en: '{sent} of {total}, {rate} a second, about {left} left',
  },
  reading: { zh: '已上传，正在读取表头和样例…', en: 'Uploaded; reading headings and samples…' },
  stop: { zh: '停止', en: 'Stop' },
  failed: { zh: '没有上传成功，文件未被保存', en: 'The upload failed; nothing was kept' },
}
const KINDS = ['auto', 'members', 'orders', 'contacts'] as const

/** Takes a file by drop or choice, shows how far it is, and goes on to its preview. */
export function DropFile() {
  const t = useWords(words)
  const lang = useLang()
  const say = useWords(problemWords)
  const navigate = useNavigate()
  const [kind, setKind] = useState<(typeof KINDS)[number]>('auto')
  const [sending, setSending] = useState<{ name: string; progress: UploadProgress | undefined }>()
  const [fault, setFault] = useState<Fault>()
  const upload = useRef<Upload>(undefined)
  async function send(file: File): Promise<void> {
    setFault(undefined)
    setSending({ name: file.name, progress: undefined })
    const chosen: ImportKind | undefined = kind === 'auto' ? undefined : kind
    upload.current = uploadFile(file, chosen, (progress) => setSending({ name: file.name, progress }))
    try {
      const preview = await upload.current.preview
      await navigate(`/import/${preview.run.id}`)
    } catch (error) {
      setSending(undefined)
      if (!(error instanceof UploadStopped)) setFault(faultOf(error))
    }
  }
  return (
    <Card>
      {fault ? (
        <Alert
          type="error"
          showIcon
          style={{ marginBottom: 12 }}
          title={t('failed')}
          description={sentenceOf(fault, say(fault.code))}
        />
      ) : null}
      {sending ? (
        <Sending name={sending.name} progress={sending.progress} onStop={() => upload.current?.stop()} />
      ) : (
        <>
          <div style={{ display: 'flex', gap: 12, alignItems: 'center', marginBottom: 12, flexWrap: 'wrap' }}>
            <span>{t('content')}</span>
            <Segmented<(typeof KINDS)[number]>
              style={{ maxWidth: '100%', overflowX: 'auto' }}
              value={kind}
              onChange={setKind}
              options={KINDS.map((each) => ({
                value: each,
                label: each === 'auto' ? t('auto') : kindWords[each][lang],
              }))}
            />
          </div>
          <Drop.Dragger
            showUploadList={false}
            multiple={false}
            accept=".csv,.txt,.tsv,.xlsx,.ndjson,.jsonl,.gz"
            beforeUpload={(file) => {
              void send(file)
              return false
            }}
          >
            <p className="ant-upload-drag-icon">
              <InboxOutlined />
            </p>
            <p className="ant-upload-text">{t('drop')}</p>
            <p className="ant-upload-hint">{t('types')}</p>
          </Drop.Dragger>
        </>
      )}
    </Card>
  )
}

type SendingProps = { name: string; progress: UploadProgress | undefined; onStop: () => void }

function Sending({ name, progress, onStop }: SendingProps) {
  const t = useWords(words)
  const lang = useLang()
  const all = progress !== undefined && progress.sent >= progress.total
  const says =
    progress && !all
      ? t('speed', {
          sent: bytes(progress.sent),
          total: bytes(progress.total),
          rate: bytes(progress.bytesPerSecond),
          left: duration(progress.secondsLeft, lang),
        })
      : t('reading')
  return (
    <div style={{ display: 'flex', gap: 16, alignItems: 'center', padding: '28px 12px' }}>
      <div style={{ flex: 1, minWidth: 0 }}>
        <b style={{ wordBreak: 'break-all' }}>{t('sending', { name })}</b>
        <Progress
          aria-label={t('sending', { name })}
          percent={progress ? Math.floor((progress.sent / Math.max(progress.total, 1)) * 100) : 0}
        />
        <span style={{ opacity: 0.75 }}>{progress ? says : ' '}</span>
      </div>
      {all ? null : <Button onClick={onStop}>{t('stop')}</Button>}
    </div>
  )
}
