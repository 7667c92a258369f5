/** Members as a file: which columns, in which format, how far it is, and how long it can be fetched. */
import { z } from 'zod'
import { Instant, memberReaders, route, streamRoute } from './base.ts'
import { SegmentId } from './ids.ts'
import { type Lang, lifecycleName, lifecycleStates } from './lifecycle.ts'
import { rfmGroupName, rfmGroups } from './rfm.ts'
import { valueWords } from './rule-attribute-names.ts'

type Words = Readonly<Record<string, Readonly<Record<Lang, string>>>>
type Column = Readonly<Record<Lang, string>> & {
  /** Written unless other columns are chosen. */
  usual: boolean
  /** What the codes of the column mean. */
  words?: Words
}

const side: Words = { online: { zh: '线上', en: 'online' }, offline: { zh: '线下', en: 'offline' } }
const yesNo: Words = { true: { zh: '是', en: 'yes' }, false: { zh: '否', en: 'no' } }

/** What a file can hold of a member, in the order in which it stands there. */
export const exportColumns = {
  id: { zh: '会员编号', en: 'Member id', usual: true },
  name: { zh: '姓名', en: 'Name', usual: true },
  phone: { zh: '手机号', en: 'Phone', usual: true },
  kind: {
    zh: '身份',
    en: 'Kind',
    usual: true,
    words: {
      member: { zh: '注册会员', en: 'Member' },
      customer: { zh: '买过未注册', en: 'Bought, not registered' },
      contact: { zh: '仅企微好友', en: 'WeCom contact only' },
      visitor: { zh: '访客', en: 'Visitor' },
    },
  },
  gender: {
    zh: '性别',
    en: 'Gender',
    usual: true,
    words: valueWords('female', 'male'),
  },
  birthday: { zh: '生日', en: 'Birthday', usual: true },
  lunar: { zh: '农历生日', en: 'Lunar birthday', usual: false, words: yesNo },
  city: { zh: '城市', en: 'City', usual: true },
  joined: { zh: '入会时间', en: 'Joined', usual: true },
  source: {
    zh: '会员来源',
    en: 'Source',
    usual: true,
    words: valueWords('referral_fission', 'returning', 'member_get_member', 'guide_recruited', 'organic'),
  },
  side: { zh: '来源渠道', en: 'Online or offline', usual: false, words: side },
  store: { zh: '门店', en: 'Store', usual: true },
  guide: { zh: '导购', en: 'Guide', usual: true },
  lifecycle: {
    zh: '生命周期',
    en: 'Life cycle',
    usual: true,
    words: Object.fromEntries(
      lifecycleStates.map((state) => [
        state,
        { zh: lifecycleName(state, 'zh'), en: lifecycleName(state, 'en') },
      ]),
    ),
  },
  last_purchase: { zh: '最近购买', en: 'Last purchase', usual: true },
  purchases: { zh: '购买次数', en: 'Purchases', usual: true },
  spent: { zh: '累计消费', en: 'Spent', usual: true },
  rfm: {
    zh: 'RFM 分群',
    en: 'RFM group',
    usual: false,
    words: Object.fromEntries(
      rfmGroups.map((group) => [group, { zh: rfmGroupName(group, 'zh'), en: rfmGroupName(group, 'en') }]),
    ),
  },
  tags: { zh: '标签', en: 'Tags', usual: false },
  segments: { zh: '所在人群', en: 'Segments', usual: false },
  wecom: {
    zh: '企微好友',
    en: 'WeCom',
    usual: false,
    words: {
      followed: { zh: '是', en: 'follows' },
      lost: { zh: '已流失', en: 'lost' },
      unfollowed: { zh: '未加好友', en: 'does not follow' },
      none: { zh: '否', en: 'no' },
    },
  },
  sms_consent: {
    zh: '短信授权',
    en: 'SMS consent',
    usual: false,
    words: {
      granted: { zh: '同意', en: 'granted' },
      withdrawn: { zh: '撤回', en: 'withdrawn' },
      unknown: { zh: '未知', en: 'unknown' },
    },
  },
} as const satisfies Readonly<Record<string, Column>>

export type ExportColumnKey = keyof typeof exportColumns
export const exportColumnKeys = Object.keys(exportColumns) as ExportColumnKey[]
export const ExportColumnKey = z.enum(exportColumnKeys as [ExportColumnKey, ...ExportColumnKey[]])

/** The column in the language, and what its codes mean. */
export function exportColumn(
  key: ExportColumnKey,
  lang: Lang,
): { heading: string; words?: Record<string, string> } {
  const column: Column = exportColumns[key]
  if (!column.words) return { heading: column[lang] }
  const words = Object.entries(column.words).map(([code, said]) => [code, said[lang]])
  return { heading: column[lang], words: Object.fromEntries(words) as Record<string, string> }
}

/** Files can be fetched for this long. */
export const EXPORT_KEPT_HOURS = 24

export const exportStates = ['waiting', 'writing', 'done', 'cancelled', 'failed', 'gone'] as const

export const ExportRun = z.object({
  id: z.uuid(),
  /** Null: everybody whom the asker may see. */
  segmentId: SegmentId.nullable(),
  /** The segment's name when it was asked for. */
  segment: z.string().nullable(),
  format: z.enum(['csv', 'xlsx']),
  columns: z.array(ExportColumnKey),
  fullPhones: z.boolean(),
  state: z.enum(exportStates),
  rows: z.int(),
  /** Of how many; null until that is counted. */
  total: z.int().nullable(),
  done: z.number().min(0).max(1),
  rowsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  bytes: z.int().nullable(),
  sheets: z.int().nullable(),
  failure: z.string().nullable(),
  createdAt: Instant,
  finishedAt: Instant.nullable(),
  /** Until then the file can be fetched. */
  expiresAt: Instant.nullable(),
})
export type ExportRun = z.infer<typeof ExportRun>

const shared = { tag: 'exports', who: memberReaders } as const
const ById = z.object({ id: z.uuid() })

export const exportsContract = {
  list: route({
    ...shared,
    method: 'GET',
    path: '/exports',
    summary: 'List the own exports, newest first',
  }).output(z.object({ items: z.array(ExportRun) })),
  get: route({
    ...shared,
    method: 'GET',
    path: '/exports/{id}',
    summary: 'Show an own export and how far it is',
  })
    .input(ById)
    .output(ExportRun),
  create: route({
    ...shared,
    method: 'POST',
    path: '/exports',
    summary: 'Export the members of a segment, or all, as CSV or XLSX',
    description:
      'Only members whom the caller may see are written, as of the moment at which each is read. Phones are masked unless `fullPhones` is asked for, which needs the right `export` and leaves a line in the audit trail with the number of rows. The file can be fetched by the asker alone, for 24 hours.',
    intake: true,
  })
    .input(
      z.object({
        segmentId: SegmentId.nullable().default(null),
        format: z.enum(['csv', 'xlsx']).default('csv'),
        columns: z
          .array(ExportColumnKey)
          .min(1)
          .refine((keys) => new Set(keys).size === keys.length, 'each column once')
          .default(exportColumnKeys.filter((key) => exportColumns[key].usual)),
        fullPhones: z.boolean().default(false),
        lang: z.enum(['zh', 'en']).default('zh'),
      }),
    )
    .output(ExportRun),
  cancel: route({
    ...shared,
    method: 'POST',
    path: '/exports/{id}/cancel',
    summary: 'Stop an own export, or remove its file',
  })
    .input(ById)
    .output(ExportRun),
}

/** The file. Each fetch leaves a line in the audit trail. */
export const exportFile = streamRoute({
  ...shared,
  method: 'GET',
  path: '/exports/{id}/file',
  summary: 'Fetch the file of an own export',
  maxBytes: 0,
})
