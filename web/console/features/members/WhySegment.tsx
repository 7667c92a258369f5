import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Modal, Table, Typography } from 'antd'
import { api } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  in: { zh: '在“{name}”里，因为', en: 'In “{name}”, because' },
  out: { zh: '不在“{name}”里，因为', en: 'Not in “{name}”, because' },
  condition: { zh: '条件', en: 'Condition' },
  value: { zh: '现在的值', en: 'Value now' },
  changes: { zh: '何时会自动变化', en: 'Changes by itself' },
  yes: { zh: '符合', en: 'holds' },
  no: { zh: '不符合', en: 'does not hold' },
}

/** Every condition of the segment with this member's value, the verdict, and when it would change by itself. */
export function WhySegment({
  memberId,
  segmentId,
  onClose,
}: {
  memberId: string
  segmentId: number
  onClose: () => void
}) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const query = useQuery(
    api.audience.why.queryOptions({ input: { id: memberId, segmentId: segmentId as never } }),
  )
  return (
    <Modal
      open
      footer={null}
      width={760}
      onCancel={onClose}
      title={query.data ? t(query.data.member ? 'in' : 'out', { name: query.data.name }) : ' '}
    >
      <Loaded query={query}>
        {(why) => (
          <>
            <Typography.Paragraph type="secondary">{why.sentence[lang]}</Typography.Paragraph>
            <Table
              size="small"
              pagination={false}
              rowKey={(leaf) => leaf.sentence.en}
              dataSource={[...why.leaves]}
              columns={[
                {
                  title: '',
                  width: 40,
                  render: (_, leaf) =>
                    leaf.verdict ? (
                      <CheckOutlined aria-label={t('yes')} style={{ color: '#0f766e' }} />
                    ) : (
                      <CloseOutlined aria-label={t('no')} style={{ color: '#8c2d4f' }} />
                    ),
                },
                { title: t('condition'), render: (_, leaf) => leaf.sentence[lang] },
                { title: t('value'), dataIndex: 'value' },
                {
                  title: t('changes'),
                  dataIndex: 'changesAt',
                  render: (at: string | null) => minute(at, zone),
                },
              ]}
            />
          </>
        )}
      </Loaded>
    </Modal>
  )
}
