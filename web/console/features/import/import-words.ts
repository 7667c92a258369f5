import type { ImportCounts, ImportState, RejectReason } from '../../../../contract/import.ts'
import type { ImportKind } from '../../../../contract/import-fields.ts'
import type { Lang } from '../../../ui/format.ts'

type Named<K extends string> = Readonly<Record<K, Readonly<Record<Lang, string>>>>

export const kindWords: Named<ImportKind> = {
  members: { zh: '会员', en: 'Members' },
  orders: { zh: '订单', en: 'Orders' },
  contacts: { zh: '企微客户', en: 'WeCom contacts' },
}

export const stateWords: Named<ImportState> = {
  uploaded: { zh: '待对应列', en: 'Columns to be mapped' },
  checking: { zh: '试运行中', en: 'Dry run under way' },
  checked: { zh: '试运行完成', en: 'Dry run done' },
  importing: { zh: '导入中', en: 'Importing' },
  imported: { zh: '已导入', en: 'Imported' },
  cancelled: { zh: '已停止', en: 'Stopped' },
  failed: { zh: '中断', en: 'Failed' },
  undoing: { zh: '撤销中', en: 'Being undone' },
  undone: { zh: '已撤销', en: 'Undone' },
}

export const stateColours: Readonly<Record<ImportState, string>> = {
  uploaded: 'default',
  checking: 'processing',
  checked: 'blue',
  importing: 'processing',
  imported: 'success',
  cancelled: 'warning',
  failed: 'error',
  undoing: 'processing',
  undone: 'default',
}

export const reasonWords: Named<RejectReason> = {
  bad_bytes: { zh: '无法识别的字符', en: 'Bytes that are no text' },
  bad_quotes: { zh: '引号没有闭合', en: 'Quotes that do not close' },
  bad_record: { zh: '这一行的格式不对', en: 'Not a record' },
  too_many_columns: { zh: '列数多于表头', en: 'More columns than headings' },
  missing: { zh: '必填但为空', en: 'Needed, but empty' },
  too_long: { zh: '内容太长', en: 'Too long' },
  not_a_date: { zh: '不是日期', en: 'Not a date' },
  date_order: {
    zh: '分不清月和日，请在列设置里选择日期顺序',
    en: 'Month or day? Choose the order at the column',
  },
  date_range: { zh: '日期不在 1970 年至今的范围内', en: 'A date outside 1970 until now' },
  not_money: { zh: '不是金额', en: 'Not an amount of money' },
  not_a_number: { zh: '不是数字', en: 'Not a number' },
  not_yes_or_no: { zh: '不是“是/否”', en: 'Neither yes nor no' },
  unknown_word: { zh: '没有见过的取值', en: 'A value that is not known here' },
  scientific_notation: {
    zh: '被 Excel 写成科学计数法，号码已残缺',
    en: 'In scientific notation: the number has lost digits',
  },
  lost_digits: {
    zh: '号码超过 15 位，被 Excel 截成了 0',
    en: 'Longer than 15 digits: the end was lost in Excel',
  },
  not_a_phone: { zh: '不是手机号', en: 'Not a phone number' },
  spreadsheet_error: { zh: '单元格公式出错', en: 'The cell holds a spreadsheet error' },
  no_identity: { zh: '没有任何能认出人的号码', en: 'Nothing that tells who it is' },
  order_disagrees: { zh: '同一订单的各行互相矛盾', en: 'Rows of one order disagree' },
  too_many_lines: { zh: '订单行数过多', en: 'Too many lines in one order' },
  refund_of_unknown_order: { zh: '找不到退款对应的原订单', en: 'The order that is refunded is not known' },
  refund_exceeds_order: { zh: '退款超过订单金额', en: 'More is refunded than was paid' },
  store_ambiguous: {
    zh: '有多家同名门店，请改用门店编码',
    en: 'Several stores have this name: use the code',
  },
  person_erased: {
    zh: '该会员的资料已按本人要求删除',
    en: 'This member was erased at their own request',
  },
  staff_ambiguous: { zh: '有多位同名员工，请改用工号', en: 'Several staff have this name: use the code' },
  refused: { zh: '系统规则不允许', en: 'Refused by a rule of the program' },
}

type Count = Exclude<keyof ImportCounts, 'reasons' | 'read' | 'accepted' | 'rejected'>

export const countWords: Named<Count> = {
  people: { zh: '涉及人数', en: 'Persons concerned' },
  peopleCreated: { zh: '新建的人', en: 'New persons' },
  created: { zh: '新建档案或单据', en: 'Records created' },
  changed: { zh: '更新', en: 'Changed' },
  unchanged: { zh: '没有变化', en: 'Unchanged' },
  merged: { zh: '自动合并', en: 'Merged' },
  reviews: { zh: '待核对的身份', en: 'Identities to review' },
  orders: { zh: '订单', en: 'Orders' },
  ordersWithoutBuyer: { zh: '没有买家的订单', en: 'Orders without a buyer' },
  rowsWithoutBuyer: { zh: '没有买家的行', en: 'Rows without a buyer' },
  storesCreated: { zh: '新建门店', en: 'Stores created' },
  staffUnknown: { zh: '不认识的员工', en: 'Unknown staff' },
  invalidPhones: { zh: '无效手机号', en: 'Invalid phones' },
  kept: { zh: '撤销时保留（之后有更新）', en: 'Kept by the undo (newer)' },
}
export const countNames = Object.keys(countWords) as Count[]
