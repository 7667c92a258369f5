/** Words of closed sets as files write them, in Chinese and English. Undefined: the word is not known. */
import type { MemberSource, SourceChannel } from '../../../contract/import-fields.ts'

type Words<Value> = ReadonlyMap<string, Value>

function words<Value>(entries: readonly (readonly [Value, string])[]): Words<Value> {
  return new Map(entries.flatMap(([value, list]) => list.split('|').map((word) => [word, value] as const)))
}

export const yesNo = words<boolean>([
  [true, '1|true|yes|y|是|有|对|√|✓|已|同意|接受|允许|开|农历|阴历|lunar|on|subscribed|granted'],
  [false, '0|false|no|n|否|无|不|×|x|未|不同意|不接受|拒绝|关|公历|阳历|solar|off|unsubscribed|withdrawn'],
])

export type Gender = 'male' | 'female' | 'unknown'
export const genders = words<Gender>([
  ['male', '男|男性|男士|先生|m|male|man|1|boy'],
  ['female', '女|女性|女士|小姐|太太|f|female|woman|2|girl'],
  ['unknown', '未知|保密|其他|不详|未填写|0|u|unknown|other|-|n/a|secret'],
])

export const memberSourceWords = words<MemberSource>([
  ['referral_fission', '拉新裂变|裂变|裂变活动|邀请有礼|分享裂变|1|referral_fission|fission|referral'],
  [
    'returning',
    '原有的流量回流|原有流量回流|流量回流|回流|老客回流|老会员回流|2|returning|reactivated|win back',
  ],
  [
    'member_get_member',
    '老会员带新会员|老带新|会员推荐|会员邀请|老客推荐|转介绍|3|member_get_member|member get member|friend',
  ],
  [
    'guide_recruited',
    '线下导购招募会员|线下导购招募|导购招募|导购|门店招募|导购发展|4|guide_recruited|guide|store staff',
  ],
  ['organic', '自然流量|自然|自然到店|自主注册|主动注册|新顾客|5|organic|natural|direct|walk-in|walk in'],
])

export type Side = 'online' | 'offline'
export const sides = words<Side>([
  ['online', '线上|online|网店|电商|小程序|网上|商城|微商城|on'],
  ['offline', '线下|offline|门店|实体店|到店|实体|pos|in store|in-store|off'],
])

/** Kinds of place by the words that their names contain, the more telling first. */
const channelWords: readonly (readonly [SourceChannel, RegExp])[] = [
  ['offline_agent', /代理|加盟|经销|分销商|联营|agent|franchise|dealer|distributor/u],
  ['online_seo_ads', /广告|投放|信息流|推广|搜索引擎|百度|seo|\bsem\b|\bads?\b|advert|google|baidu/u],
  [
    'online_platform',
    /天猫|淘宝|京东|拼多多|抖音|快手|小红书|唯品会|得物|有赞|微盟|电商|平台|网店|tmall|taobao|\bjd\b|pdd|douyin|tiktok|amazon|shopify|platform|marketplace|e-?commerce/u,
  ],
  ['offline_direct_store', /直营|自营店|directly operated|own store/u],
  ['online', /线上|小程序|公众号|官网|商城|视频号|直播|获客链接|\bapp\b|online|website|\bweb\b|\bh5\b/u],
  ['offline', /线下|门店|实体|到店|柜台|专柜|商场|地推|导购|offline|store|shop|\bpos\b|counter/u],
]

/** The kind of place that a channel's name tells of; null where it tells of none. */
export function channelOf(text: string): SourceChannel | null {
  const name = text.normalize('NFKC').toLowerCase()
  return channelWords.find(([, words]) => words.test(name))?.[0] ?? findWord(sides, name) ?? null
}

export type Registration = 'registered' | 'registered_before' | 'bought_unregistered'
export const registrations = words<Registration>([
  ['registered', '已注册|注册|是|注册会员|会员|registered|yes|true|1'],
  [
    'registered_before',
    '曾注册|曾经注册|曾注册会员|历史注册|注册过|registered_before|registered before|former',
  ],
  [
    'bought_unregistered',
    '未注册|买过未注册|购买未注册|曾购买未注册|非会员|否|散客|bought_unregistered|guest|unregistered|no|false|0',
  ],
])

export type OrderStatus = 'placed' | 'paid' | 'cancelled' | 'refunded'
export const orderStatuses = words<OrderStatus>([
  [
    'placed',
    '待付款|未付款|待支付|未支付|等待买家付款|已下单|新订单|待确认|placed|pending|unpaid|open|created|awaiting payment',
  ],
  [
    'paid',
    '已付款|已支付|待发货|已发货|待收货|已收货|交易成功|已完成|完成|成功|已签收|已核销|部分退款|部分发货|买家已付款|卖家已发货|等待卖家发货|等待买家确认收货|正常|销售|paid|completed|complete|done|shipped|delivered|fulfilled|success|closed|partially refunded|partially_refunded|sale',
  ],
  ['cancelled', '已取消|取消|交易关闭|已关闭|关闭|作废|已作废|cancelled|canceled|void|voided|failed'],
  ['refunded', '已退款|全额退款|退款成功|已退货|退货|退款|退货退款|refunded|returned|refund|return'],
])

/** The value of a word, without case, width and blanks around it. */
export function findWord<Value>(list: Words<Value>, text: string): Value | undefined {
  const known = list.get(text)
  return known ?? list.get(text.normalize('NFKC').trim().toLowerCase())
}
