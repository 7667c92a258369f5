/** Events as people read them on the page of a member. */
type Said = { zh: string; en: string }

const plain: Readonly<Record<string, Said>> = {
  member_joined: { zh: '注册成为会员', en: 'Joined' },
  attributes_changed: { zh: '资料更新', en: 'Details changed' },
  identifier_added: { zh: '新增身份标识', en: 'An identifier was added' },
  persons_merged: { zh: '与另一份档案合并', en: 'Merged with another person' },
  merge_undone: { zh: '合并已撤销', en: 'A merge was undone' },
  consent_changed: { zh: '同意状态变化', en: 'Consent changed' },
  contact_added: { zh: '添加了导购企业微信', en: 'Added a guide on WeCom' },
  contact_lost: { zh: '与导购的好友关系解除', en: 'The contact with a guide ended' },
  owner_changed: { zh: '归属导购或门店变化', en: 'Guide or store changed' },
  visited_store: { zh: '到店', en: 'Visited a store' },
  page_viewed: { zh: '浏览页面', en: 'Viewed a page' },
  tracked: { zh: '埋点事件', en: 'Tracked event' },
  tag_added: { zh: '打上标签', en: 'Tagged' },
  tag_removed: { zh: '移除标签', en: 'A tag was removed' },
  person_erased: { zh: '资料已删除', en: 'Erased' },
  s_tag_changed: { zh: 'S 级标签变化', en: 'A value of level S changed' },
  segment_entered: { zh: '进入人群', en: 'Entered a segment' },
  segment_left: { zh: '离开人群', en: 'Left a segment' },
  segments_changed: { zh: '人群调整', en: 'Segments changed' },
  touch_sent: { zh: '消息已发出', en: 'A message went out' },
  touch_confirmed: { zh: '导购已确认群发', en: 'The guide confirmed a message' },
  touch_delivered: { zh: '消息已送达', en: 'A message was delivered' },
  touch_failed: { zh: '消息发送失败', en: 'A message failed' },
  touch_expired: { zh: '消息过期未发', en: 'A message expired' },
  touch_unknown: { zh: '消息结果未知', en: 'The result of a message is unknown' },
  member_replied: { zh: '会员回复', en: 'The member replied' },
  coupon_changed: { zh: '优惠券变化', en: 'A coupon changed' },
  task_created: { zh: '导购任务已生成', en: 'A task was made for the guide' },
  task_done: { zh: '导购完成任务', en: 'The guide finished a task' },
  task_late: { zh: '导购任务逾期', en: 'A task is late' },
  journey_entered: { zh: '进入 SOP', en: 'Entered a SOP' },
  journey_left: { zh: '离开 SOP', en: 'Left a SOP' },
}
const decided: Readonly<Record<string, Said>> = {
  planned: { zh: '消息已排期', en: 'A message was planned' },
  deferred: { zh: '消息推迟', en: 'A message was deferred' },
  held_out: { zh: '留作对照组，不发送', en: 'Held out: nothing is sent' },
  dropped: { zh: '消息未发送', en: 'A message was dropped' },
}

/** The title of an event; `detail` is the state or reason that it carries, '' for none. */
export function titleOf(type: string, detail: string): Said {
  if (type === 'lifecycle_changed')
    return { zh: `生命周期变为：${detail}`, en: `Life cycle became ${detail}` }
  if (type === 'touch_decided') {
    const [state = '', reason = ''] = detail.split(':')
    const said = decided[state] ?? { zh: '消息决定', en: 'A message was decided on' }
    return reason === '' ? said : { zh: `${said.zh}（${reason}）`, en: `${said.en} (${reason})` }
  }
  const said = plain[type] ?? { zh: type, en: type }
  return type === 'tracked' || type === 'page_viewed' ? named(said, detail === '' ? undefined : detail) : said
}

/** The title with the name of what it speaks of, where that is known. */
export function named(title: Said, name: string | undefined): Said {
  return name === undefined ? title : { zh: `${title.zh}：${name}`, en: `${title.en}: ${name}` }
}

/** So many names are told, and how many more there are. */
const MOST_NAMES = 5

/** The names of segments that somebody entered, left, or both at once; empty where none is known any more. */
export function changedTitle(entered: readonly string[], left: readonly string[]): Said {
  const [to, from] = [listed(entered), listed(left)]
  if (to && from) {
    const { zh, en } = titleOf('segments_changed', '')
    return {
      zh: `${zh}：进入 ${to.zh}；离开 ${from.zh}`,
      en: `${en}: entered ${to.en}; left ${from.en}`,
    }
  }
  const names = to ?? from
  if (!names) return titleOf('segments_changed', '')
  const { zh, en } = titleOf(to ? 'segment_entered' : 'segment_left', '')
  return { zh: `${zh}：${names.zh}`, en: `${en}: ${names.en}` }
}

function listed(names: readonly string[]): Said | undefined {
  if (names.length === 0) return undefined
  const shown = names.slice(0, MOST_NAMES)
  const more = names.length - shown.length
  if (more === 0) return { zh: shown.join('、'), en: shown.join(', ') }
  return { zh: `${shown.join('、')}等 ${names.length} 个`, en: `${shown.join(', ')} and ${more} more` }
}

/** An order with its amount in the currency of the brand, and whether money went back. */
export function orderTitle(
  { totalCents, refundedCents }: { totalCents: number; refundedCents: number },
  currency: string,
): Said {
  const format = new Intl.NumberFormat('zh-CN', {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  })
  const amount = format.format(totalCents / 100)
  if (refundedCents === 0) return { zh: `订单 ${amount}`, en: `Order ${amount}` }
  const back = format.format(refundedCents / 100)
  return { zh: `订单 ${amount}，退款 ${back}`, en: `Order ${amount}, ${back} refunded` }
}
