/**
 * What a column of an imported file can mean. The synonyms are headings as tills, ERPs, shops and spreadsheets write
 * them; they are compared after `foldHeading`, so spelling, width, case, blanks and units do not matter.
 */
import { z } from 'zod'

export const importKinds = ['members', 'orders', 'contacts'] as const
export const ImportKind = z.enum(importKinds)
export type ImportKind = z.infer<typeof ImportKind>

export const valueKinds = [
  'text',
  'code',
  'phone',
  'money',
  'number',
  'instant',
  'day',
  'yes_no',
  'gender',
  'member_source',
  'side',
  'registration',
  'order_status',
  'list',
] as const
export type ValueKind = (typeof valueKinds)[number]

export type ImportField = {
  readonly key: string
  readonly zh: string
  readonly en: string
  readonly value: ValueKind
  readonly synonyms: readonly string[]
}

const field = (key: string, value: ValueKind, zh: string, en: string, synonyms: string): ImportField => ({
  key,
  value,
  zh,
  en,
  synonyms: synonyms.split('|').filter((synonym) => synonym !== ''),
})

const identifiers = [
  field(
    'memberNo',
    'code',
    '会员编号',
    'Member number',
    '会员ID|会员号|客户编号|客户ID|客户号|会员编码|客户编码|用户ID|用户编号|顾客编号|顾客ID|买家ID|CustomerID|customer_id|customer no|customer number|MemberID|member no|user id|uid|household_id|household key|client id|buyer id',
  ),
  field(
    'cardNumber',
    'code',
    '会员卡号',
    'Card number',
    '卡号|会员卡|VIP卡号|会员卡编号|ERP卡号|card no|card number|loyalty card|vip card|card id|membership card',
  ),
  field(
    'phone',
    'phone',
    '手机号',
    'Phone',
    '手机|手机号码|电话|联系电话|移动电话|联系方式|会员手机|会员手机号|买家手机|买家手机号|买家电话|收货人手机|收货人电话|电话号码|phone number|mobile|mobile phone|mobile number|tel|telephone|cell|cellphone|contact number',
  ),
  field('unionid', 'code', 'UnionID', 'UnionID', '微信unionid|wechat unionid|union_id'),
  field(
    'officialOpenid',
    'code',
    '公众号OpenID',
    'Official account OpenID',
    'openid|微信openid|公众号openid|服务号openid|open_id|wechat openid|mp openid',
  ),
  field(
    'miniOpenid',
    'code',
    '小程序OpenID',
    'Mini program OpenID',
    '小程序openid|mini openid|miniprogram openid|mini program openid',
  ),
  field(
    'externalUserid',
    'code',
    '企微外部联系人ID',
    'WeCom external user id',
    '外部联系人ID|外部联系人userid|external_userid|external user id|企微客户ID|企业微信客户ID|客户userid',
  ),
  field('email', 'text', '邮箱', 'E-mail', '电子邮箱|电子邮件|邮件|邮箱地址|email|e-mail|email address|mail'),
] as const

const places = [
  field(
    'store',
    'text',
    '门店',
    'Store',
    '店铺|店铺名称|门店名称|所属门店|归属门店|注册门店|开卡门店|入会门店|会员归属门店|下单门店|销售门店|成交门店|店名|所属店铺|shop|shop name|store name|outlet|branch|home store',
  ),
  field(
    'storeCode',
    'code',
    '门店编码',
    'Store code',
    '门店编号|店铺编码|店铺编号|门店代码|店铺代码|门店ID|店铺ID|店号|store_id|store no|store number|shop id|shop code',
  ),
]

const members: readonly ImportField[] = [
  ...identifiers,
  field(
    'name',
    'text',
    '姓名',
    'Name',
    '会员姓名|客户姓名|名字|会员名称|客户名称|顾客姓名|昵称|会员昵称|full name|customer name|member name|nickname',
  ),
  field('gender', 'gender', '性别', 'Gender', '会员性别|sex'),
  field(
    'birthday',
    'day',
    '生日',
    'Birthday',
    '出生日期|出生年月|出生年月日|会员生日|公历生日|阳历生日|birth date|date of birth|dob|birthdate',
  ),
  field(
    'birthdayLunar',
    'yes_no',
    '农历生日',
    'Birthday is lunar',
    '是否农历|是否农历生日|农历|生日类型|lunar|lunar birthday|is lunar',
  ),
  field(
    'joinedAt',
    'instant',
    '入会时间',
    'Joined at',
    '注册时间|注册日期|入会日期|开卡时间|开卡日期|加入时间|创建时间|办卡时间|办卡日期|成为会员时间|registered at|registration date|register date|register time|join date|joined|joined_at|created at|signup date|sign up date',
  ),
  ...places,
  field(
    'owner',
    'text',
    '专属导购',
    'Guide',
    '导购|导购姓名|所属导购|归属导购|服务导购|开卡导购|发展人|开卡人|维护人|顾问|专属顾问|guide|sales associate|owner|staff|advisor',
  ),
  field(
    'ownerCode',
    'code',
    '导购工号',
    'Guide code',
    '导购编号|导购编码|导购ID|员工编号|员工工号|工号|员工账号|导购账号|staff_id|staff no|staff code|employee id|employee no',
  ),
  field(
    'source',
    'member_source',
    '会员来源',
    'Member source',
    '来源|来源类型|客户来源|用户来源|招募来源|member source|customer source|acquisition source',
  ),
  field(
    'side',
    'side',
    '线上/线下',
    'Online or offline',
    '线上线下|来源端|线上或线下|online/offline|online or offline',
  ),
  field(
    'registerChannel',
    'text',
    '注册渠道',
    'Registration channel',
    '来源渠道|入会渠道|开卡渠道|招募渠道|渠道|渠道来源|register channel|registration channel|signup channel|channel',
  ),
  field(
    'registration',
    'registration',
    '注册情况',
    'Registration class',
    '注册状态|是否注册|是否注册会员|registration|registration class|registered',
  ),
  field(
    'level',
    'text',
    '会员等级',
    'Tier',
    '等级|会员级别|级别|卡等级|卡类型|会员卡类型|tier|level|grade|member level|vip level',
  ),
  field('province', 'text', '省份', 'Province', '省|所在省|所在省份|state|province'),
  field('city', 'text', '城市', 'City', '市|所在城市|所在市|city|town'),
  field('country', 'text', '国家', 'Country', '国家地区|国家/地区|country|nation'),
  field(
    'smsConsent',
    'yes_no',
    '接受短信',
    'Accepts SMS',
    '是否接受短信|短信营销|接收短信|短信订阅|是否允许短信|accepts sms|sms opt in|sms consent|sms marketing|accepts marketing',
  ),
  field('tags', 'list', '标签', 'Tags', '会员标签|客户标签|tag|labels'),
  field('remark', 'text', '备注', 'Remark', '会员备注|说明|remarks|note|notes|comment'),
]

const orders: readonly ImportField[] = [
  field(
    'orderNo',
    'code',
    '订单号',
    'Order number',
    '订单编号|订单ID|单号|小票号|小票编号|交易号|交易单号|交易编号|流水号|销售单号|主订单号|主订单编号|订单编码|单据编号|单据号|InvoiceNo|invoice|invoice number|invoice id|order no|order number|order_id|order id|receipt no|receipt number|transaction id|transaction no|basket_id|bill no|ticket no',
  ),
  ...identifiers,
  field(
    'buyerName',
    'text',
    '买家姓名',
    'Buyer name',
    '会员姓名|客户姓名|顾客姓名|买家|姓名|收货人|收货人姓名|买家昵称|customer name|buyer|buyer name|customer',
  ),
  field(
    'orderedAt',
    'instant',
    '下单时间',
    'Ordered at',
    '订单时间|订单日期|下单日期|创建时间|订单创建时间|交易时间|交易日期|销售日期|销售时间|消费时间|消费日期|购买时间|购买日期|成交时间|日期|时间|单据日期|开单时间|InvoiceDate|order date|order time|date|datetime|transaction date|transaction time|transaction_timestamp|purchase date|sale date|created at|placed at|timestamp',
  ),
  field(
    'paidAt',
    'instant',
    '付款时间',
    'Paid at',
    '支付时间|付款日期|支付日期|订单付款时间|订单支付时间|收款时间|paid at|payment time|payment date|pay time|paid time|paid date',
  ),
  field(
    'status',
    'order_status',
    '订单状态',
    'Status',
    '状态|交易状态|支付状态|单据状态|order status|payment status|financial status',
  ),
  field(
    'total',
    'money',
    '实付金额',
    'Order total paid',
    '实付|实付款|实收金额|实收|订单金额|订单总额|订单总金额|支付金额|付款金额|买家实付金额|买家实际支付金额|总金额|合计|应收金额|消费金额|成交金额|交易金额|order total|total|total price|total paid|amount paid|order amount|grand total|dollar_value|dollars|revenue|total amount',
  ),
  field(
    'discount',
    'money',
    '订单优惠',
    'Order discount',
    '优惠金额|折扣金额|订单优惠金额|优惠|总优惠|整单优惠|order discount|total discount|discount total',
  ),
  field(
    'refunded',
    'money',
    '订单退款金额',
    'Order refunded',
    '退款金额|退款|已退金额|退款总额|订单退款|refund|refund amount|refunded|refunded amount|total refunded',
  ),
  ...places,
  field(
    'seller',
    'text',
    '导购',
    'Seller',
    '销售员|营业员|店员|导购姓名|销售人员|业务员|收银员|成交导购|seller|salesperson|sales associate|cashier|staff',
  ),
  field(
    'sellerCode',
    'code',
    '导购工号',
    'Seller code',
    '导购编号|导购编码|工号|员工编号|员工工号|销售员编号|营业员编号|staff_id|staff code|seller id|seller code|employee id',
  ),
  field(
    'channel',
    'text',
    '销售渠道',
    'Sales channel',
    '渠道|订单渠道|订单来源|来源|平台|销售平台|下单渠道|channel|sales channel|order source|platform|source',
  ),
  field(
    'side',
    'side',
    '线上/线下',
    'Online or offline',
    '线上线下|订单类型|线上或线下|online/offline|online or offline',
  ),
  field(
    'campaign',
    'text',
    '活动',
    'Campaign',
    '活动名称|营销活动|促销活动|促销|campaign|campaign_id|campaign name|promotion',
  ),
  field(
    'coupon',
    'text',
    '优惠券',
    'Coupon',
    '券号|优惠券码|优惠券号|券码|优惠券名称|卡券|coupon code|coupon no|coupon_upc|discount code|voucher',
  ),
  field(
    'sku',
    'code',
    '商品编码',
    'SKU',
    '商品编号|商品ID|货号|款号|条码|商品条码|SKU编码|SKU编号|商家编码|规格编码|商品代码|StockCode|stock code|product_id|product id|product code|item code|item id|item no|barcode|upc|article',
  ),
  field(
    'product',
    'text',
    '商品名称',
    'Product name',
    '商品|品名|商品标题|宝贝标题|宝贝名称|产品名称|货品名称|Description|product|product name|item|item name|title',
  ),
  field(
    'category',
    'text',
    '商品类目',
    'Category',
    '类目|品类|分类|商品分类|商品类别|类别|大类|category|product category|department',
  ),
  field(
    'quantity',
    'number',
    '数量',
    'Quantity',
    '商品数量|购买数量|件数|销售数量|宝贝数量|qty|units|number_of_cds|cds|quantity',
  ),
  field(
    'price',
    'money',
    '单价',
    'Unit price',
    '商品单价|销售单价|成交单价|售价|商品价格|价格|实际单价|UnitPrice|unit price|price|item price',
  ),
  field(
    'lineTotal',
    'money',
    '商品金额',
    'Line total',
    '商品实付|商品实付金额|行金额|小计|商品小计|明细金额|商品总价|商品总额|金额|销售金额|sales_value|line total|line amount|subtotal|amount|item total',
  ),
  field(
    'lineDiscount',
    'money',
    '商品优惠',
    'Line discount',
    '商品优惠金额|行优惠|单品优惠|商品折扣|retail_disc|line discount|item discount|discount',
  ),
  field(
    'cost',
    'money',
    '成本价',
    'Unit cost',
    '成本|进价|采购价|成本单价|商品成本|cost|cost price|unit cost',
  ),
  field(
    'lineRefunded',
    'money',
    '商品退款金额',
    'Line refunded',
    '商品退款|行退款|明细退款金额|line refund|item refund|line refunded',
  ),
  field(
    'refundedQuantity',
    'number',
    '退货数量',
    'Returned quantity',
    '退款数量|退货件数|已退数量|returned quantity|refund quantity|returned qty|quantity returned',
  ),
  field(
    'refundOf',
    'code',
    '原订单号',
    'Refund of order',
    '原单号|原订单编号|原小票号|退货原单号|关联订单号|原始单号|original order|original order no|refund of|parent order',
  ),
]

const contacts: readonly ImportField[] = [
  field(
    'staffUserid',
    'code',
    '企微成员账号',
    'Staff WeCom user id',
    '添加人账号|添加人userid|员工账号|成员账号|userid|成员userid|跟进人账号|跟进人userid|follow user|follow_user|staff userid|wecom userid|user id',
  ),
  field(
    'staffName',
    'text',
    '添加人',
    'Staff name',
    '员工|员工姓名|成员|成员姓名|跟进人|所属员工|添加人姓名|所属成员|导购|客户经理|staff|staff name|follower|owner',
  ),
  ...identifiers.filter((one) => one.key !== 'memberNo' && one.key !== 'phone'),
  field(
    'name',
    'text',
    '客户昵称',
    'Contact name',
    '昵称|客户名称|客户姓名|微信昵称|微信名|姓名|名称|客户|contact name|nickname|name',
  ),
  field('remark', 'text', '备注名', 'Remark', '备注|客户备注|好友备注|备注名称|remark name|note'),
  field(
    'remarkPhone',
    'phone',
    '备注手机号',
    'Phone in the remark',
    '备注手机|备注电话|手机号|手机|电话|remark mobile|remark mobiles|remark_mobiles|phone|mobile',
  ),
  field('gender', 'gender', '性别', 'Gender', 'sex'),
  field(
    'addedAt',
    'instant',
    '添加时间',
    'Added at',
    '加好友时间|添加日期|首次添加时间|创建时间|成为好友时间|添加客户时间|added at|createtime|create time|add time|added',
  ),
  field(
    'lostAt',
    'instant',
    '删除时间',
    'Lost at',
    '流失时间|删除日期|客户流失时间|解除时间|deleted at|lost at|delete time',
  ),
  field(
    'addWay',
    'text',
    '添加方式',
    'Way of adding',
    '来源|添加渠道|客户来源|添加来源|来源渠道|add way|add_way|source|channel',
  ),
  field('state', 'text', '渠道参数', 'State', '渠道活码|state参数|自定义渠道|state'),
  field('tags', 'list', '标签', 'Tags', '客户标签|企业标签|个人标签|tag|labels'),
]

export const importFields: Readonly<Record<ImportKind, readonly ImportField[]>> = {
  members,
  orders,
  contacts,
}

/** The five member sources (SRC-01), with the words that files use for them. */
export const memberSources = [
  'referral_fission',
  'returning',
  'member_get_member',
  'guide_recruited',
  'organic',
] as const
export const MemberSource = z.enum(memberSources)
export type MemberSource = z.infer<typeof MemberSource>

/** Where somebody came in, as far as it is known (TAG-20): online or offline, and through which kind of place. */
export const sourceChannels = [
  'online',
  'online_platform',
  'online_seo_ads',
  'offline',
  'offline_direct_store',
  'offline_agent',
] as const
export type SourceChannel = (typeof sourceChannels)[number]

export function sideOfChannel(channel: SourceChannel): 'online' | 'offline' {
  return channel.startsWith('online') ? 'online' : 'offline'
}

/** A heading without what does not matter: width, case, blanks, punctuation, a unit in brackets. */
export function foldHeading(heading: string): string {
  const folded = heading.normalize('NFKC').toLowerCase()
  const bare = folded.replace(/[([【][^)\]】]*[)\]】]/gu, '').replace(/[\p{P}\p{S}\p{Z}\s]+/gu, '')
  return bare === '' ? folded.replace(/[\p{P}\p{S}\p{Z}\s]+/gu, '') : bare
}

/** The field by its key, undefined where the kind has none. */
export function importField(kind: ImportKind, key: string): ImportField | undefined {
  return importFields[kind].find((one) => one.key === key)
}
