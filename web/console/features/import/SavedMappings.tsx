import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Input, Modal, Popconfirm, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import type { Mapping, SavedMapping } from '../../../../contract/import.ts'
import type { ImportKind } from '../../../../contract/import-fields.ts'
import { api, client } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  open: { zh: '模板', en: 'Templates' },
  used: { zh: '已套用模板“{name}”', en: 'Template “{name}” was used' },
  title: { zh: '保存过的对应关系', en: 'Saved mappings' },
  none: { zh: '还没有模板。试运行前起个名字就会保存。', en: 'None yet: give one a name before the dry run.' },
  name: { zh: '名称', en: 'Name' },
  last: { zh: '最近使用', en: 'Last used' },
  use: { zh: '套用', en: 'Use' },
  remove: { zh: '删除', en: 'Remove' },
  really: {
    zh: '删除这个模板？已完成的导入不受影响。',
    en: 'Remove it? Imports that are done are not touched.',
  },
  renamed: { zh: '已改名', en: 'Renamed' },
}

type Props = {
  kind: ImportKind
  used: { id: string; name: string } | null
  onUse: (mapping: Mapping) => void
}

/** Saved mappings: which one was used, use another, rename, remove. */
export function SavedMappings({ kind, used, onUse }: Props) {
  const t = useWords(words)
  const zone = useZone()
  const [open, setOpen] = useState(false)
  const { act } = useAct()
  const query = useQuery(api.imports.mappings.queryOptions({ input: { kind }, enabled: open }))
  const refresh = [api.imports.mappings.key()]
  return (
    <>
      {used ? <Tag color="green">{t('used', { name: used.name })}</Tag> : null}
      <Button onClick={() => setOpen(true)}>{t('open')}</Button>
      <Modal open={open} title={t('title')} footer={null} width={680} onCancel={() => setOpen(false)}>
        <Table<SavedMapping>
          size="small"
          rowKey="id"
          loading={query.isLoading}
          pagination={false}
          dataSource={[...(query.data ?? [])]}
          locale={{ emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} /> }}
          columns={[
            {
              title: t('name'),
              render: (_, saved) => (
                <Name
                  key={saved.version}
                  saved={saved}
                  onSave={(name) =>
                    void act(
                      () => client.imports.renameMapping({ id: saved.id, version: saved.version, name }),
                      { done: t('renamed'), refresh },
                    )
                  }
                />
              ),
            },
            { title: t('last'), width: 150, render: (_, saved) => minute(saved.usedAt, zone) },
            {
              width: 150,
              render: (_, saved) => (
                <Space>
                  <Button
                    size="small"
                    type="primary"
                    onClick={() => {
                      onUse(saved.mapping)
                      setOpen(false)
                    }}
                  >
                    {t('use')}
                  </Button>
                  <Popconfirm
                    title={t('really')}
                    onConfirm={() => act(() => client.imports.removeMapping({ id: saved.id }), { refresh })}
                  >
                    <Button size="small" danger>
                      {t('remove')}
                    </Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      </Modal>
    </>
  )
}

function Name({ saved, onSave }: { saved: SavedMapping; onSave: (name: string) => void }) {
  const [name, setName] = useState(saved.name)
  const finish = (): void => {
    if (name.trim() !== '' && name !== saved.name) onSave(name.trim())
  }
  return (
    <Input
      variant="borderless"
      value={name}
      maxLength={80}
      onChange={(event) => setName(event.target.value)}
      onBlur={finish}
      onPressEnter={finish}
    />
  )
}
