import { useQuery } from '@tanstack/react-query'
import { Form, Input, Modal, Segmented, Select } from 'antd'
import { useState } from 'react'
import type { Region, Store } from '../../../../contract/places.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'

export type Place =
  | { kind: 'store'; store: (Store & { version: number }) | undefined }
  | { kind: 'region'; region: (Region & { version: number }) | undefined }

const words = {
  store: { zh: '门店', en: 'Store' },
  region: { zh: '区域', en: 'Region' },
  code: { zh: '编码（导入文件用它认门店）', en: 'Code (by which files name it)' },
  name: { zh: '名称', en: 'Name' },
  in: { zh: '所属区域', en: 'In region' },
  city: { zh: '城市', en: 'City' },
  side: { zh: '线上/线下', en: 'Online or offline' },
  state: { zh: '状态', en: 'State' },
  online: { zh: '线上', en: 'online' },
  offline: { zh: '线下', en: 'offline' },
  open: { zh: '营业', en: 'open' },
  closed: { zh: '已关店', en: 'closed' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
}
type Fields = Pick<Store, 'code' | 'name' | 'regionId' | 'city' | 'side' | 'state'>

/** Makes or changes a store or a region. */
export function PlaceForm({ place, onClose }: { place: Place; onClose: () => void }) {
  const t = useWords(words)
  const [form] = Form.useForm<Fields>()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<Shared>()
  const here = place.kind === 'store' ? place.store : place.region
  async function save(fields: Fields, version = here?.version ?? 0): Promise<void> {
    const refresh = [place.kind === 'store' ? api.stores.key() : api.regions.key()]
    const done = await act(() => write(place, fields, version), {
      done: t('saved'),
      refresh,
      onStale: setTheirs,
    })
    if (done) onClose()
  }
  const compared =
    place.kind === 'store'
      ? (['code', 'name', 'city', 'side', 'state'] as const)
      : (['code', 'name'] as const)
  return (
    <Modal
      open
      title={t(place.kind)}
      okText={t('save')}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={here ?? { regionId: null, city: null, side: 'offline', state: 'open' }}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="code"
          label={t('code')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={60} />
        </Form.Item>
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input maxLength={100} />
        </Form.Item>
        {place.kind === 'store' ? <StoreFields /> : null}
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          compared.map((key) => ({
            label: t(key),
            yours: String(form.getFieldValue(key) ?? ''),
            theirs: String(now[key] ?? ''),
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(), version)}
      />
    </Modal>
  )
}

function StoreFields() {
  const t = useWords(words)
  const regions = useQuery(api.regions.list.queryOptions())
  return (
    <>
      <Form.Item name="regionId" label={t('in')}>
        <Select
          allowClear
          options={(regions.data?.items ?? []).map((region) => ({ value: region.id, label: region.name }))}
        />
      </Form.Item>
      <Form.Item name="city" label={t('city')}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="side" label={t('side')}>
        <Segmented
          options={(['offline', 'online'] as const).map((side) => ({ value: side, label: t(side) }))}
        />
      </Form.Item>
      <Form.Item name="state" label={t('state')}>
        <Segmented
          options={(['open', 'closed'] as const).map((state) => ({ value: state, label: t(state) }))}
        />
      </Form.Item>
    </>
  )
}

function write(place: Place, fields: Fields, version: number): Promise<unknown> {
  if (place.kind === 'region') {
    const { code, name } = fields
    return place.region
      ? client.regions.change({ id: place.region.id, version, code, name })
      : client.regions.create({ code, name })
  }
  const input = { ...fields, regionId: fields.regionId ?? null, city: fields.city?.trim() || null }
  return place.store
    ? client.stores.change({ ...input, id: place.store.id, version })
    : client.stores.create(input)
}
