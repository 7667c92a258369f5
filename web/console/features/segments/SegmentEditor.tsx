import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import {
  Alert,
  App,
  Button,
  Card,
  Col,
  Form,
  Input,
  Modal,
  Popconfirm,
  Row,
  Space,
  Table,
  Tag,
  Typography,
} from 'antd'
import { useEffect, useState } from 'react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import type { Segment } from '../../../../contract/audience.ts'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import { Rule } from '../../../../contract/rule.ts'
import { api, faultOf } from '../../../client.ts'
import { date, money, percent, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { LifecycleRibbon } from '../../parts/LifecycleRibbon.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { RuleEditor } from '../../parts/rule/RuleEditor.tsx'

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
  count: { zh: '{n} 人', en: '{n} persons' },
  of: { zh: '占全部 {share}', en: '{share} of all' },
  sampled: { zh: '按 1/16 抽样估算', en: 'estimated from a 1/16 sample' },
  counting: { zh: '正在数…', en: 'Counting…' },
  sample: { zh: '其中一些会员', en: 'Some of them' },
  reach: { zh: '能联系上', en: 'Can be reached' },
  wecom: { zh: '企业微信', en: 'WeCom' },
  sms: { zh: '短信', en: 'SMS' },
  stale: { zh: '其他人刚刚改过这个人群', en: 'Somebody else changed this segment' },
  theirs: { zh: '现在的版本', en: 'What stands now' },
  yours: { zh: '您的修改', en: 'Yours' },
  take: { zh: '用现在的版本', en: 'Take theirs' },
  keep: { zh: '用我的覆盖', en: 'Keep mine' },
  used: { zh: '正在用它的：{users}', en: 'Used by: {users}' },
  saved: { zh: '已保存，正在为所有会员计算', en: 'Saved; everybody is being evaluated' },
  members: { zh: '查看全部成员', en: 'All members of it' },
  wake: { zh: '用于唤醒 SOP', en: 'Use it in a waking SOP' },
  needed: { zh: '请填写名称', en: 'Give it a name' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  last: { zh: '最近购买', en: 'Last purchase' },
  spent: { zh: '累计消费', en: 'Spent' },
}

/** Makes or changes a segment, with a live count, what can be reached, and a sample. */
export function SegmentEditor() {
  const { id } = useParams()
  const [params] = useSearchParams()
  const query = useQuery(
    api.audience.segment.queryOptions({ input: { id: Number(id) as never }, enabled: id !== undefined }),
  )
  if (id === undefined) return <Editor segment={undefined} first={fromAddress(params.get('rule'))} />
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

function Editor({ segment, first }: { segment: Segment | undefined; first: Rule }) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const { message } = App.useApp()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [name, setName] = useState(segment?.name ?? '')
  const [description, setDescription] = useState(segment?.description ?? '')
  const [rule, setRule] = useState<Rule>(first)
  const [stale, setStale] = useState<{ theirs: Record<string, unknown> }>()
  const [version, setVersion] = useState(segment?.version ?? 0)
  const create = useMutation(api.audience.createSegment.mutationOptions())
  const change = useMutation(api.audience.changeSegment.mutationOptions())
  const remove = useMutation(api.audience.deleteSegment.mutationOptions())
  async function save(at = version): Promise<void> {
    if (name.trim() === '') {
      void message.warning(t('needed'))
      return
    }
    try {
      const saved = segment
        ? await change.mutateAsync({ id: segment.id, version: at, name, description, rule })
        : await create.mutateAsync({ name, description, rule })
      void message.success(t('saved'))
      await queries.invalidateQueries({ queryKey: api.audience.key() })
      setVersion(saved.version)
      void navigate(`/segments/${saved.id}`, { replace: true })
    } catch (error) {
      const fault = faultOf(error)
      if (fault.code === 'stale_version')
        setStale({ theirs: (fault.data?.details?.['theirs'] ?? {}) as Record<string, unknown> })
      else void message.error(`${say(fault.code)}：${fault.message}`)
    }
  }
  async function drop(): Promise<void> {
    if (!segment) return
    try {
      await remove.mutateAsync({ id: segment.id, version })
      await queries.invalidateQueries({ queryKey: api.audience.key() })
      void navigate('/segments', { replace: true })
    } catch (error) {
      void message.error(`${say(faultOf(error).code)}：${faultOf(error).message}`)
    }
  }
  return (
    <>
      <Answer
        title={segment?.name ?? t('new')}
        actions={
          <Space wrap>
            {segment ? (
              <Link to={`/members?segmentId=${segment.id}`}>
                <Button>{t('members')}</Button>
              </Link>
            ) : null}
            {segment ? (
              <Link to={`/journeys?new=wake_sleeping&segment=${segment.id}`}>
                <Button>{t('wake')}</Button>
              </Link>
            ) : null}
            {segment ? (
              <Popconfirm title={t('really')} onConfirm={() => void drop()}>
                <Button danger>{t('delete')}</Button>
              </Popconfirm>
            ) : null}
            <Button type="primary" loading={create.isPending || change.isPending} onClick={() => void save()}>
              {t('save')}
            </Button>
          </Space>
        }
      >
        {segment && segment.usedBy.length > 0 ? t('used', { users: segment.usedBy.join('、') }) : undefined}
      </Answer>
      <Row gutter={[12, 12]}>
        <Col xs={24} xl={14}>
          <Card>
            <Form layout="vertical">
              <Form.Item label={t('name')}>
                <Input value={name} maxLength={60} onChange={(event) => setName(event.target.value)} />
              </Form.Item>
              <Form.Item label={t('description')}>
                <Input
                  value={description}
                  maxLength={500}
                  onChange={(event) => setDescription(event.target.value)}
                />
              </Form.Item>
              <Form.Item label={t('condition')} style={{ marginBottom: 0 }}>
                <RuleEditor rule={rule} onChange={setRule} />
              </Form.Item>
            </Form>
          </Card>
        </Col>
        <Col xs={24} xl={10}>
          <Preview rule={rule} />
        </Col>
      </Row>
      <Modal
        open={stale !== undefined}
        title={t('stale')}
        onCancel={() => setStale(undefined)}
        footer={
          <Space>
            <Button onClick={() => window.location.reload()}>{t('take')}</Button>
            <Button
              type="primary"
              onClick={() => {
                const next = Number(stale?.theirs['version'] ?? version)
                setVersion(next)
                setStale(undefined)
                void save(next)
              }}
            >
              {t('keep')}
            </Button>
          </Space>
        }
      >
        <Typography.Title level={5}>{t('theirs')}</Typography.Title>
        <Typography.Paragraph>{String(stale?.theirs['name'] ?? '')}</Typography.Paragraph>
        <pre style={{ whiteSpace: 'pre-wrap', maxHeight: 160, overflow: 'auto' }}>
          {JSON.stringify(stale?.theirs['rule'], null, 1)}
        </pre>
        <Typography.Title level={5}>{t('yours')}</Typography.Title>
        <Typography.Paragraph>{name}</Typography.Paragraph>
      </Modal>
    </>
  )
}

const PREVIEW_DELAY_MS = 350

function Preview({ rule }: { rule: Rule }) {
  const t = useWords(words)
  const lang = useLang()
  const say = useWords(problemWords)
  const settled = useSettled(rule, PREVIEW_DELAY_MS)
  const valid = Rule.safeParse(settled).success
  const query = useQuery(
    api.audience.preview.queryOptions({
      input: { rule: settled },
      enabled: valid,
      placeholderData: (before) => before,
    }),
  )
  const data = query.data
  return (
    <Card loading={!data && !query.error} style={{ opacity: query.isFetching ? 0.75 : 1 }}>
      {query.error ? (
        <Alert
          type="warning"
          showIcon
          title={say(faultOf(query.error).code)}
          description={faultOf(query.error).message}
        />
      ) : null}
      {data ? (
        <>
          <Typography.Title level={2} style={{ margin: 0 }} data-testid="preview-count">
            {t('count', { n: whole(data.persons) })}
          </Typography.Title>
          <Typography.Text type="secondary">
            {t('of', { share: percent(data.of === 0 ? 0 : data.persons / data.of) })}
            {data.exact ? '' : ` · ${t('sampled')}`}
          </Typography.Text>
          <Typography.Paragraph style={{ marginTop: 12 }}>{data.sentence[lang]}</Typography.Paragraph>
          {data.warnings.map((warning) => (
            <Alert
              key={warning.en}
              type="warning"
              showIcon
              title={warning[lang]}
              style={{ marginBottom: 8 }}
            />
          ))}
          <LifecycleRibbon bands={data.byLifecycle} height={24} />
          <p>
            {t('reach')}：
            {data.reachable.map((each) => (
              <Tag key={each.channel}>
                {each.channel === 'wecom' || each.channel === 'sms' ? t(each.channel) : each.channel}{' '}
                {whole(each.persons)}
              </Tag>
            ))}
          </p>
          <Typography.Title level={5}>{t('sample')}</Typography.Title>
          <Table
            size="small"
            rowKey="id"
            pagination={false}
            dataSource={[...data.sample]}
            columns={[
              {
                title: t('name'),
                render: (_, row) => <Link to={`/members/${row.id}`}>{row.name ?? '–'}</Link>,
                ellipsis: true,
              },
              {
                title: t('lifecycle'),
                render: (_, row) =>
                  row.lifecycle ? lifecycleName(row.lifecycle as LifecycleState, lang) : '–',
              },
              { title: t('last'), render: (_, row) => date(row.lastPurchaseAt, 'Asia/Shanghai') },
              { title: t('spent'), align: 'right', render: (_, row) => money(row.spentCents) },
            ]}
          />
        </>
      ) : null}
    </Card>
  )
}

/** The value once it has stood still for so long. */
function useSettled<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])
  return settled
}
