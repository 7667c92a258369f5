import type { Lang } from '../../../ui/format.ts'

type Names = Readonly<Record<string, Readonly<Record<Lang, string>>>>

const objects: Names = {
  staff: { zh: '员工', en: 'Staff' },
  session: { zh: '会话', en: 'Session' },
  api_key: { zh: 'API 密钥', en: 'API key' },
  brand: { zh: '品牌', en: 'Brand' },
  region: { zh: '区域', en: 'Region' },
  store: { zh: '门店', en: 'Store' },
  setting: { zh: '设置', en: 'Setting' },
  product: { zh: '商品', en: 'Product' },
  calendar: { zh: '日历', en: 'Calendar' },
  member: { zh: '会员', en: 'Member' },
  person: { zh: '会员', en: 'Member' },
  merge: { zh: '合并', en: 'Merge' },
  review: { zh: '身份核对', en: 'Identity review' },
  tag: { zh: '标签', en: 'Tag' },
  tag_group: { zh: '标签组', en: 'Tag group' },
  segment: { zh: '人群', en: 'Segment' },
  journey: { zh: 'SOP', en: 'SOP' },
  channel: { zh: '渠道', en: 'Channel' },
  content: { zh: '内容', en: 'Content' },
  touch: { zh: '触达', en: 'Touch' },
  task: { zh: '任务', en: 'Task' },
  import: { zh: '导入', en: 'Import' },
  dead_letter: { zh: '异常事件', en: 'Dead letter' },
  demo: { zh: '演示数据', en: 'Demo' },
  export: { zh: '导出', en: 'Export' },
}

const verbs: Names = {
  created: { zh: '新建', en: 'created' },
  changed: { zh: '修改', en: 'changed' },
  removed: { zh: '移除', en: 'removed' },
  deleted: { zh: '删除', en: 'deleted' },
  imported: { zh: '由导入新建', en: 'created by an import' },
  opened: { zh: '登录', en: 'opened' },
  closed: { zh: '退出', en: 'closed' },
  refused: { zh: '被拒绝', en: 'refused' },
  revoked: { zh: '吊销', en: 'revoked' },
  password_changed: { zh: '修改密码', en: 'password changed' },
  password_reset: { zh: '重置密码', en: 'password reset' },
  revealed: { zh: '查看完整号码', en: 'shown in full' },
  phone_revealed: { zh: '查看完整手机号', en: 'full phone shown' },
  identifier_revealed: { zh: '查看完整标识', en: 'full identifier shown' },
  retired: { zh: '停用', en: 'retired' },
  restored: { zh: '恢复', en: 'restored' },
  tagged: { zh: '打标签', en: 'tagged' },
  untagged: { zh: '去标签', en: 'untagged' },
  joined: { zh: '合并', en: 'joined' },
  kept_apart: { zh: '确认不是同一人', en: 'kept apart' },
  undone: { zh: '撤销', en: 'undone' },
  published: { zh: '发布', en: 'published' },
  live: { zh: '正式启用', en: 'put live' },
  paused: { zh: '暂停', en: 'paused' },
  stopped: { zh: '停止', en: 'stopped' },
  started: { zh: '开始', en: 'started' },
  mapped: { zh: '对应列', en: 'mapped' },
  ended: { zh: '结束', en: 'ended' },
  resumed: { zh: '继续', en: 'resumed' },
  to_test: { zh: '退回测试', en: 'put back to test' },
  to_live: { zh: '正式上线', en: 'put live' },
  allow_list_changed: { zh: '修改测试名单', en: 'test list changed' },
  retried: { zh: '重试', en: 'tried again' },
  approval_changed: { zh: '修改短信模板', en: 'SMS template changed' },
  erased: { zh: '删除资料', en: 'erased' },
  erasure_lifted: { zh: '解除资料删除', en: 'erasure lifted' },
  discarded: { zh: '放弃', en: 'discarded' },
}

/** 'staff.created' as people say it; what is not known here stays as it is. */
export function actionName(action: string, lang: Lang): string {
  const [object = '', verb = ''] = action.split('.', 2)
  const said = verbs[verb]?.[lang] ?? verb.replaceAll('_', ' ')
  return `${objectName(object, lang)}${lang === 'zh' ? ' · ' : ' '}${said}`
}

export function objectName(kind: string, lang: Lang): string {
  return objects[kind]?.[lang] ?? kind.replaceAll('_', ' ')
}
