import type { Lang } from '../../ui/format.ts'

const names: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  phone: { zh: '手机', en: 'Phone' },
  unionid: { zh: 'UnionID', en: 'UnionID' },
  oa_openid: { zh: '公众号', en: 'Official account' },
  mp_openid: { zh: '小程序', en: 'Mini program' },
  external_userid: { zh: '企微', en: 'WeCom' },
  card: { zh: '卡号', en: 'Card' },
  email: { zh: '邮箱', en: 'E-mail' },
  device: { zh: '设备', en: 'Device' },
}

/** The name of a kind of identifier; one that is not known here stays as it is. */
export function identifierName(kind: string, lang: Lang): string {
  return names[kind]?.[lang] ?? kind
}

const causes: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  identifier: { zh: '共同的强标识', en: 'a shared strong identifier' },
  hand: { zh: '人工核对', en: 'a review' },
  birth: { zh: '建档时即为一人', en: 'known as one from the start' },
  import: { zh: '导入', en: 'an import' },
}

/** Why a merge was made. */
export function causeName(cause: string, lang: Lang): string {
  return causes[cause]?.[lang] ?? cause
}
