import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Empty, Popconfirm, Table, Tag } from 'antd'
import { Link } from 'react-router'
import { api, client } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { causeName } from '../../parts/identifier-words.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  none: {
    zh: '还没有合并过。导入或企微同步时，强标识一致的档案会自动合并并记在这里。',
    en: 'No merge yet. Profiles that share a strong identifier are joined on import or sync and listed here.',
  },
  when: { zh: '时间', en: 'When' },
  kept: { zh: '保留', en: 'Kept' },
  absorbed: { zh: '并入', en: 'Joined into it' },
  profiles: { zh: '档案数', en: 'Profiles' },
  cause: { zh: '原因', en: 'Cause' },
  who: { zh: '谁', en: 'By' },
  program: { zh: '系统', en: 'the program' },
  undo: { zh: '撤销', en: 'Undo' },
  undoSays: {
    zh: '两个人会重新分开：标识、标签、订单、SOP 都回到合并前，合并之后发生的也各归各。',
    en: 'They become two persons again: identifiers, tags, orders and SOPs as if never joined, also what came after.',
  },
  undone: { zh: '已撤销', en: 'Undone' },
  undoneAt: { zh: '{at} 已撤销', en: 'undone {at}' },
  nameless: { zh: '（无姓名）', en: '(no name)' },
}

/** Every merge with its cause, and the way back. */
export function Merges() {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { act, busy } = useAct()
  const query = useInfiniteQuery(
    api.members.merges.infiniteOptions({
      input: (cursor: string | undefined) => ({ cursor, limit: 50 }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  const undo = (id: string): void =>
    void act(() => client.members.undoMerge({ id }), { done: t('undone'), refresh: [api.members.key()] })
  return (
    <Loaded query={query as never}>
      {() => (
        <>
          <Table
            size="middle"
            rowKey="id"
            pagination={false}
            dataSource={items}
            scroll={{ x: 900 }}
            locale={{ emptyText: <Empty description={t('none')} /> }}
            columns={[
              { title: t('when'), width: 150, render: (_, merge) => minute(merge.at, zone) },
              {
                title: t('kept'),
                ellipsis: true,
                render: (_, merge) => (
                  <Link to={`/members/${merge.kept}`}>{merge.keptName ?? t('nameless')}</Link>
                ),
              },
              {
                title: t('absorbed'),
                ellipsis: true,
                render: (_, merge) => merge.absorbedName ?? t('nameless'),
              },
              { title: t('profiles'), dataIndex: 'profiles', width: 90, align: 'right' },
              { title: t('cause'), width: 200, render: (_, merge) => causeName(merge.cause, lang) },
              {
                title: t('who'),
                width: 120,
                ellipsis: true,
                render: (_, merge) => merge.actor ?? t('program'),
              },
              {
                width: 190,
                render: (_, merge) =>
                  merge.undoneAt ? (
                    <Tag>{t('undoneAt', { at: minute(merge.undoneAt, zone) })}</Tag>
                  ) : (
                    <Popconfirm
                      title={t('undo')}
                      description={<div style={{ maxWidth: 320 }}>{t('undoSays')}</div>}
                      onConfirm={() => undo(merge.id)}
                    >
                      <Button size="small" disabled={busy}>
                        {t('undo')}
                      </Button>
                    </Popconfirm>
                  ),
              },
            ]}
          />
          <More query={query} shown={items.length} />
        </>
      )}
    </Loaded>
  )
}
