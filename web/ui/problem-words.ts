import type { ProblemCode } from '../../contract/problem.ts'
import type { Lang } from './format.ts'

/** What each code of the contract means to a person, and what to do. */
export const problemWords: Readonly<Record<ProblemCode | 'network', Readonly<Record<Lang, string>>>> = {
  bad_input: {
    zh: '填写的内容有误，请检查标出的字段',
    en: 'Something in the input is wrong: check the field that is marked',
  },
  bad_row: { zh: '文件中有一行无法读取', en: 'A row of the file cannot be read' },
  not_signed_in: { zh: '登录已过期，请重新登录', en: 'You are signed out: sign in again' },
  wrong_credentials: { zh: '账号或密码不正确', en: 'Login or password is wrong' },
  must_change_password: { zh: '请先设置新密码', en: 'Set a new password first' },
  not_allowed: { zh: '您没有这项权限，请联系管理员', en: 'You may not do this: ask an owner' },
  csrf: { zh: '页面已过期，请刷新后重试', en: 'This page is out of date: reload it' },
  not_found: { zh: '没有找到，可能已被删除', en: 'Not found: it may have been deleted' },
  conflict: { zh: '当前状态不允许这样做', en: 'This cannot be done in the present state' },
  stale_version: {
    zh: '其他人刚刚修改过，请比较后再保存',
    en: 'Somebody else changed this meanwhile: compare and save again',
  },
  in_use: { zh: '仍在被使用，请先解除引用', en: 'It is in use: remove the uses first' },
  idempotency_mismatch: {
    zh: '重复的请求内容不同，请刷新后重试',
    en: 'The repeated request differs: reload and try again',
  },
  already_running: { zh: '已经在进行中', en: 'It is running already' },
  gone: { zh: '已经不在了', en: 'It is gone' },
  too_large: { zh: '文件太大', en: 'The file is too large' },
  unsupported_file: {
    zh: '不支持这种文件，请使用 CSV、XLSX 或 NDJSON',
    en: 'This kind of file is not supported: use CSV, XLSX or NDJSON',
  },
  rule_invalid: { zh: '条件设置有误', en: 'The rule is not valid' },
  rule_cycle: { zh: '人群互相引用成环', en: 'The segments refer to each other in a circle' },
  s_level_broken: {
    zh: 'S 级标签必须且只能有一个值',
    en: 'A group of level S has exactly one value for everybody',
  },
  needs_reason: { zh: '请填写原因', en: 'Give a reason' },
  not_ready: { zh: '还没有准备好', en: 'Not ready yet' },
  too_many: { zh: '操作太频繁，请稍后再试', en: 'Too many requests: wait a little' },
  internal: { zh: '程序出错，数据没有改变', en: 'The program failed; nothing was changed' },
  unavailable: { zh: '服务暂不可用，请稍后再试', en: 'Not available at the moment: try again soon' },
  clock_behind: {
    zh: '服务器时钟落后，已暂停发送',
    en: 'The clock of the server is behind: sending has stopped',
  },
  disk_full: { zh: '磁盘空间不足', en: 'The disk is full' },
  network: { zh: '连接不上服务器，请检查网络', en: 'The server cannot be reached: check the connection' },
}
