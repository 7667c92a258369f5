import { useQuery } from '@tanstack/react-query'
import { Button, Card, Form, Input, Popconfirm, Segmented, Space, Typography } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { type Segment, type SegmentKind, segmentKinds } from '../../../../contract/audience.ts'
import { Rule } from '../../../../contract/rule.ts'
import { sentence } from '../../../../contract/rule-sentence.ts'
import { api, client } from '../../../client.ts'
import type { Lang } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { ExportButton } from '../../parts/export/ExportButton.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { RuleEditor } from '../../parts/rule/RuleEditor.tsx'
import { StaleDialog } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useMay } from '../../parts/use-brand.ts'
import { Growth } from './Growth.tsx'
import { Overlap } from './Overlap.tsx'
import { Preview } from './Preview.tsx'
import { kindNames, kindSays } from './segment-words.ts'
import { TakeAnew } from './TakeAnew.tsx'

const words = {
  new: { zh: '新建人群', en: 'New segment' },
  name: { zh: '名称', en: 'Name' },
  description: { zh: '说明（可不填）', en: 'Note (optional)' },
  condition: { zh: '条件', en: 'Condition' },
  save: { zh: '保存', en: 'Save' },
  delete: { zh: '删除', en: 'Delete' },
  really: {
    zh: '删除后，成员关系和进出记录的引用会失效。确定删除？',
    en: 'Its membership is dropped. Delete it?',
  },
  used: { zh: '正在用它的：{users}', en: 'Used by: {users}' },
  saved: { zh: '已保存，正在为所有会员计算', en: 'Saved; everybody is being evaluated' },
  anyway: { zh: '仍然删除', en: 'Delete it all the same' },
  deleted: { zh: '已删除', en: 'Deleted' },
  members: { zh: '查看全部成员', en: 'All members of it' },
  wake: { zh: '用于唤醒 SOP', en: 'Use it in a waking SOP' },
  needed: { zh: '请填写名称', en: 'Give it a name' },
  kind: { zh: '成员怎样保持', en: 'How members are kept' },
  wakeNot: {
    zh: '按需人群没有进出记录，不能触发 SOP；改成实时或快照后可以。',
    en: 'Nobody is told who enters a segment on demand, so it cannot trigger a SOP; a live one or a snapshot can.',
  },
}
type Fields = { name: string; description?: string; kind: SegmentKind }
const WATCH_MS = 1500

/** Makes or changes a segment, with a live count, what can be reached, and a sample. */
export function SegmentEditor() {
  const { id } = useParams()
  const [params] = useSearchParams()
  const query = useQuery(
    api.audience.segment.queryOptions({
      input: { id: Number(id) as never },
      enabled: id !== undefined,
      refetchInterval: ({ state }) => (state.data?.state === 'computing' ? WATCH_MS : false),
    }),
  )
  if (id === undefined)
    return <Editor key="new" segment={undefined} first={fromAddress(params.get('rule'))} />
  return (
    <Loaded query={query}>
      {(segment) => <Editor key={segment.id} segment={segment} first={segment.rule} />}
    </Loaded>
  )
}

function fromAddress(text: string | null): Rule {
  if (text !== null) {
    try {
      const parsed = Rule.safeParse(JSON.parse(text))
      if (parsed.success)
        return parsed.data.kind === 'all' || parsed.data.kind === 'any'
          ? parsed.data
          : { kind: 'all', rules: [parsed.data] }
    } catch {
      // An address that was cut short opens an empty editor.
    }
  }
  return { kind: 'all', rules: [] }
}

type EditorProps = { segment: Segment | undefined; first: Rule }

function Editor({ segment, first }: EditorProps) {
  const t = useWords(words)
  const [form] = Form.useForm<Fields>()
  const [rule, setRule] = useState<Rule>(first)
  const { save, drop, busy, mayChange, dialog } = useSaving(segment, {
    fields: () => form.getFieldsValue(),
    rule,
  })
  return (
    <>
      <Answer
        title={segment?.name ?? t('new')}
        actions={
          <Space wrap>
            {segment ? <Uses segment={segment} /> : null}
            {segment && mayChange ? (
              <Popconfirm title={t('really')} onConfirm={() => drop()}>
                <Button danger>{t('delete')}</Button>
              </Popconfirm>
            ) : null}
            {mayChange ? (
              <Button type="primary" loading={busy} onClick={() => form.submit()}>
                {t('save')}
              </Button>
            ) : null}
          </Space>
        }
      >
        {segment && segment.usedBy.length > 0 ? t('used', { users: segment.usedBy.join('、') }) : undefined}
      </Answer>
      {segment ? <TakeAnew segment={segment} /> : null}
      <div className="segment-page">
        <Card>
          <Form
            form={form}
            layout="vertical"
            requiredMark={false}
            initialValues={{
              name: segment?.name ?? '',
              description: segment?.description ?? '',
              kind: segment?.kind ?? 'live',
            }}
            onFinish={() => void save()}
          >
            <Form.Item
              name="name"
              label={t('name')}
              rules={[{ required: true, whitespace: true, message: t('needed') }]}
            >
              <Input maxLength={60} onPressEnter={() => form.submit()} />
            </Form.Item>
            <Form.Item name="description" label={t('description')}>
              <Input maxLength={500} onPressEnter={() => form.submit()} />
            </Form.Item>
            <KindField />
            <div style={{ marginBottom: 8 }}>{t('condition')}</div>
            <RuleEditor rule={rule} onChange={setRule} />
          </Form>
        </Card>
        <div className="segment-preview">
          <Preview rule={rule} />
        </div>
        {segment ? (
          <>
            <Growth id={segment.id} />
            <Overlap segment={segment} />
          </>
        ) : null}
      </div>
      {dialog}
    </>
  )
}

/** The three kinds, with what the chosen one means. */
function KindField() {
  const t = useWords(words)
  const lang = useLang()
  const kind = Form.useWatch<SegmentKind>('kind') ?? 'live'
  return (
    <Form.Item label={t('kind')} extra={kindSays[kind][lang]}>
      <Form.Item name="kind" noStyle>
        <Segmented options={segmentKinds.map((value) => ({ value, label: kindNames[value][lang] }))} />
      </Form.Item>
    </Form.Item>
  )
}

/** What can be done with the members of a segment that is saved. */
function Uses({ segment }: { segment: Segment }) {
  const t = useWords(words)
  return (
    <Space wrap>
      <Link to={`/members?segmentId=${segment.id}`}>
        <Button>{t('members')}</Button>
      </Link>
      <ExportButton segment={{ id: segment.id, name: segment.name }} />
      {segment.kind === 'on_demand' ? (
        <Typography.Text type="secondary">{t('wakeNot')}</Typography.Text>
      ) : (
        <Link to={`/journeys?new=wake_sleeping&segment=${segment.id}`}>
          <Button>{t('wake')}</Button>
        </Link>
      )}
    </Space>
  )
}

type Edited = { fields: () => Fields; rule: Rule }

/** Writes what was edited under the version that was seen; a lost write shows both sides. */
function useSaving(segment: Segment | undefined, edited: Edited) {
  const t = useWords(words)
  const lang = useLang()
  const navigate = useNavigate()
  const mayChange = useMay(['owner', 'operator'])
  const { act, busy } = useAct()
  const [stale, setStale] = useState<{ theirs: Shared; again: (version: number) => void; keep?: string }>()
  const [version, setVersion] = useState(segment?.version ?? 0)
  const refresh = [api.audience.key()]
  async function save(at = version): Promise<void> {
    const { name, description = '', kind } = edited.fields()
    const input = { name, description, kind, rule: edited.rule }
    const work = () =>
      segment
        ? client.audience.changeSegment({ ...input, id: segment.id, version: at })
        : client.audience.createSegment(input)
    const onStale = (theirs: Shared): void => setStale({ theirs, again: (next) => void save(next) })
    const saved = await act(work, { done: t('saved'), refresh, onStale })
    if (!saved) return
    setVersion(saved.version)
    void navigate(`/segments/${saved.id}`, { replace: true })
  }
  async function drop(at = version): Promise<void> {
    if (!segment) return
    const work = () => client.audience.deleteSegment({ id: segment.id, version: at })
    const onStale = (theirs: Shared): void =>
      setStale({ theirs, again: (next) => void drop(next), keep: t('anyway') })
    if (await act(work, { done: t('deleted'), refresh, onStale }))
      void navigate('/segments', { replace: true })
  }
  const dialog = (
    <StaleDialog
      rows={
        stale ? differences({ t, lang }, { ...edited.fields(), rule: edited.rule }, stale.theirs) : undefined
      }
      {...(stale?.keep === undefined ? {} : { keep: stale.keep })}
      onTake={() => window.location.reload()}
      onKeep={() => {
        const next = Number(stale?.theirs['version'] ?? version)
        setStale(undefined)
        setVersion(next)
        stale?.again(next)
      }}
      onClose={() => setStale(undefined)}
    />
  )
  return { save, drop, busy, mayChange, dialog }
}

function differences(
  { t, lang }: { t: (key: keyof typeof words) => string; lang: Lang },
  yours: Fields & { rule: Rule },
  theirs: Shared,
) {
  const rule = Rule.safeParse(theirs['rule'])
  return [
    { label: t('name'), yours: yours.name, theirs: String(theirs['name'] ?? '') },
    { label: t('description'), yours: yours.description ?? '', theirs: String(theirs['description'] ?? '') },
    {
      label: t('condition'),
      yours: sentence(yours.rule, lang),
      theirs: rule.success ? sentence(rule.data, lang) : '',
    },
  ]
}
