import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, DatePicker, Empty, Input, Space, Table, Tag, Tooltip } from 'antd'
import dayjs from 'dayjs'
import { Link } from 'react-router'
import type { AuditEntry } from '../../../../contract/access.ts'
import { api } from '../../../client.ts'
import { minute, relative } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { BeforeAfter } from '../../parts/BeforeAfter.tsx'
import { Choice } from '../../parts/Choice.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useZone } from '../../parts/use-brand.ts'
import { actionName, objectName } from './audit-words.ts'
import { endOfDay, startOfDay } from './day-edges.ts'

const words = {
  title: { zh: '操作记录', en: 'Audit trail' },
  answer: {
    zh: '谁、什么时候、改了什么，以及谁看过完整手机号。只增不改，任何人都不能删除。',
    en: 'Who changed what and when, and who looked at a full number. It only grows; nobody can delete from it.',
  },
  action: { zh: '操作', en: 'Action' },
  object: { zh: '对象', en: 'Object' },
  id: { zh: '对象编号', en: 'Id of the object' },
  who: { zh: '谁', en: 'Who' },
  when: { zh: '时间', en: 'When' },
  reason: { zh: '原因', en: 'Reason' },
  address: { zh: '来自', en: 'From' },
  clear: { zh: '清除条件', en: 'Clear the filters' },
  program: { zh: '系统', en: 'the program' },
  key: { zh: 'API 密钥', en: 'API key' },
  gone: { zh: '（已删除）', en: '(removed)' },
  onlyWho: { zh: '只看此人的操作', en: 'Only by this one' },
  onlyThis: { zh: '只看这个对象', en: 'Only this object' },
  none: { zh: '没有符合条件的记录', en: 'Nothing matches' },
  from: { zh: '开始', en: 'From' },
  to: { zh: '结束', en: 'To' },
}

/** What was done, latest first, by filters that stand in the address. */
export function AuditTrail() {
  const t = useWords(words)
  const { get } = useAddress()
  const zone = useZone()
  const [from, to] = [get('from'), get('to')]
  const filter = {
    ...(from ? { from: startOfDay(from, zone) } : {}),
    ...(to ? { to: endOfDay(to, zone) } : {}),
    ...(get('actorId') ? { actorId: get('actorId') } : {}),
    ...(get('action') ? { action: get('action') } : {}),
    ...(get('objectKind') ? { objectKind: get('objectKind') } : {}),
    ...(get('objectId') ? { objectId: get('objectId') } : {}),
  }
  const query = useInfiniteQuery(
    api.auditTrail.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <Answer title={t('title')}>{t('answer')}</Answer>
      <Filters actor={items.find((entry) => entry.actorId === get('actorId'))?.actorName ?? null} />
      <Loaded query={query as never} rows={10}>
        {() => (
          <>
            <Entries items={items} loading={query.isFetching && !query.isFetchingNextPage} />
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
    </>
  )
}

function Filters({ actor }: { actor: string | null }) {
  const t = useWords(words)
  const lang = useLang()
  const { get, set, clear, any } = useAddress()
  const known = useQuery(api.auditTrail.actions.queryOptions())
  const [from, to] = [get('from'), get('to')]
  return (
    <Space wrap style={{ marginBottom: 12 }}>
      <DatePicker.RangePicker
        allowEmpty={[true, true]}
        placeholder={[t('from'), t('to')]}
        value={[from ? dayjs(from) : null, to ? dayjs(to) : null]}
        onChange={(range) =>
          set({ from: range?.[0]?.format('YYYY-MM-DD'), to: range?.[1]?.format('YYYY-MM-DD') })
        }
      />
      <Choice
        label={t('action')}
        width={200}
        value={get('action')}
        onChange={(action) => set({ action })}
        options={(known.data?.actions ?? []).map((action) => [action, actionName(action, lang)])}
      />
      <Choice
        label={t('object')}
        value={get('objectKind')}
        onChange={(objectKind) => set({ objectKind })}
        options={(known.data?.objectKinds ?? []).map((kind) => [kind, objectName(kind, lang)])}
      />
      <Input.Search
        key={get('objectId')}
        allowClear
        style={{ width: 240 }}
        defaultValue={get('objectId') ?? ''}
        placeholder={t('id')}
        aria-label={t('id')}
        onSearch={(objectId) => set({ objectId: objectId.trim() })}
      />
      {get('actorId') ? (
        <Tag closable onClose={() => set({ actorId: undefined })}>
          {t('who')}：{actor ?? get('actorId')}
        </Tag>
      ) : null}
      {any ? (
        <Button type="link" onClick={clear}>
          {t('clear')}
        </Button>
      ) : null}
    </Space>
  )
}

function Entries({ items, loading }: { items: readonly AuditEntry[]; loading: boolean }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { set } = useAddress()
  return (
    <Table<AuditEntry>
      size="middle"
      rowKey="id"
      sticky
      loading={loading}
      pagination={false}
      scroll={{ x: 1000 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      expandable={{
        rowExpandable: (entry) => entry.before !== null || entry.after !== null,
        expandedRowRender: (entry) => <BeforeAfter before={entry.before} after={entry.after} />,
      }}
      columns={[
        {
          title: t('when'),
          width: 160,
          render: (_, entry) => (
            <Tooltip title={relative(entry.at, lang, Date.now())}>{minute(entry.at, zone)}</Tooltip>
          ),
        },
        {
          title: t('who'),
          width: 150,
          ellipsis: true,
          render: (_, entry) =>
            entry.actorId === null ? (
              t('program')
            ) : (
              <Button
                type="link"
                size="small"
                style={{ padding: 0 }}
                title={t('onlyWho')}
                onClick={() => set({ actorId: entry.actorId ?? undefined })}
              >
                {entry.actorKind === 'api_key' ? `${t('key')} ` : ''}
                {entry.actorName ?? t('gone')}
              </Button>
            ),
        },
        {
          title: t('action'),
          width: 220,
          render: (_, entry) => <span title={entry.action}>{actionName(entry.action, lang)}</span>,
        },
        { title: t('object'), ellipsis: true, render: (_, entry) => <ObjectOf entry={entry} /> },
        { title: t('reason'), ellipsis: true, width: 200, render: (_, entry) => entry.reason ?? '' },
        {
          title: t('address'),
          dataIndex: 'address',
          width: 130,
          ellipsis: true,
          render: (address: string | null) => address ?? '',
        },
      ]}
    />
  )
}

function ObjectOf({ entry }: { entry: AuditEntry }) {
  const t = useWords(words)
  const lang = useLang()
  const { set } = useAddress()
  const member = entry.objectKind === 'member' || entry.objectKind === 'person'
  return (
    <>
      {objectName(entry.objectKind, lang)}{' '}
      {entry.objectId === null ? null : (
        <Button
          type="link"
          size="small"
          style={{ padding: 0 }}
          title={t('onlyThis')}
          onClick={() => set({ objectKind: entry.objectKind, objectId: entry.objectId ?? undefined })}
        >
          {entry.objectId.slice(0, 13)}
        </Button>
      )}
      {member && entry.objectId ? <Link to={`/members/${entry.objectId}`}> ↗</Link> : null}
    </>
  )
}
