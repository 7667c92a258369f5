import type { Right, Role, Scope } from '../../../../contract/base.ts'
import type { Lang } from '../../../ui/format.ts'

type Named<K extends string> = Readonly<Record<K, Readonly<Record<Lang, string>>>>

export const roleWords: Named<Role> = {
  owner: { zh: '所有者', en: 'Owner' },
  operator: { zh: '运营', en: 'Operator' },
  regional_manager: { zh: '区域经理', en: 'Regional manager' },
  store_manager: { zh: '店长', en: 'Store manager' },
  guide: { zh: '导购', en: 'Guide' },
  customer_service: { zh: '客服', en: 'Customer service' },
  analyst: { zh: '分析师', en: 'Analyst' },
  engineer: { zh: '工程师', en: 'Engineer' },
}

/** What a role is for, in one line. */
export const roleNotes: Named<Role> = {
  owner: { zh: '一切，包括员工和上线', en: 'everything, staff and going live included' },
  operator: { zh: '总部运营：人群、标签、SOP、导入', en: 'headquarters: segments, tags, SOPs, imports' },
  regional_manager: { zh: '看自己区域的门店', en: 'sees the stores of the region' },
  store_manager: { zh: '管自己门店的导购和会员', en: 'leads the guides of a store' },
  guide: { zh: '只看自己门店和自己跟进的会员', en: 'members of the own store and own contacts' },
  customer_service: { zh: '回答会员的问题', en: 'answers members' },
  analyst: { zh: '只读，看不到个人信息', en: 'reads only, no personal data' },
  engineer: { zh: 'API 密钥、技术设置', en: 'API keys and technical settings' },
}

export const rightWords: Named<Right> = {
  approve: { zh: '审批（上线、频控）', en: 'approve (going live, caps)' },
  see_personal: { zh: '看完整姓名和手机号', en: 'see full names and phones' },
  export: { zh: '导出', en: 'export' },
}

export const scopeWords: Named<Scope> = {
  'org:read': { zh: '读组织', en: 'read the organisation' },
  'org:write': { zh: '改组织', en: 'change the organisation' },
  'events:write': { zh: '写事件', en: 'send events' },
  'orders:write': { zh: '写订单', en: 'send orders' },
  'import:write': { zh: '导入', en: 'import' },
  'members:read': { zh: '读会员', en: 'read members' },
  'members:write': { zh: '改会员', en: 'change members' },
  'personal:read': { zh: '看完整个人信息', en: 'see personal data in full' },
  'audience:read': { zh: '读人群与标签', en: 'read segments and tags' },
  'audience:write': { zh: '改人群与标签', en: 'change segments and tags' },
  'reach:read': { zh: '读触达', en: 'read touches' },
  'reach:write': { zh: '改渠道', en: 'change channels' },
  'tasks:read': { zh: '读任务', en: 'read tasks' },
  'tasks:write': { zh: '改任务', en: 'change tasks' },
  'journeys:read': { zh: '读 SOP', en: 'read SOPs' },
  'journeys:write': { zh: '改 SOP', en: 'change SOPs' },
  'insight:read': { zh: '读数据', en: 'read insight' },
  'metrics:read': { zh: '读运行指标', en: 'read metrics' },
}
