/**
 * People of a brand as several systems write them, some of them twice, by a seed. Names follow how common Chinese
 * surnames and given names are, birthdays, cities and addresses are given by some only. Of those who are there twice,
 * half share a phone or a union id (identifiers join them), half share none and were typed anew (somebody has to see).
 */
import type { IncomingPerson } from '../server/members/members.ts'

/** Surnames with their share of the people of China in per mille (census of 2020, the commonest). */
const SURNAMES: readonly (readonly [string, number])[] = [
  ...(
    '王72 李72 张68 刘54 陈45 杨31 黄22 赵21 周19 吴19 徐15 孙14 马13 朱13 胡12 郭12 何11 林11 罗10 高10 郑9 梁8 谢8 宋7 唐7 许7 ' +
    '韩6 邓6 冯6 曹6 彭6 曾5 肖5 田5 董5 潘5 袁5 蔡5 蒋5 余5 于5 杜4 叶4 程4 魏4 苏4 吕4 丁4 任4 卢4 姚4 沈4 钟4 姜4 崔4 谭4 陆4 ' +
    '范4 汪4 廖4 石4 金4 韦3 贾3 夏3 付3 方3 邹3 熊3 白3 孟3 秦3 邱3 侯3 江3 尹3 薛3 闫3 段3 雷3 龙3 黎3 史3 陶3 贺3 毛3 郝3 顾3 龚3 邵3 ' +
    '万3 覃3 武3 钱3 戴3 严3 欧阳1 上官1'
  )
    .split(' ')
    .map((entry): [string, number] => [entry.replace(/\d+/, ''), Number(/\d+/.exec(entry)?.[0])]),
]
/** Characters of given names, the commonest first; neighbours that sound alike stand together in one word. */
const GIVEN: readonly string[] = (
  '伟威 芳方 娜 敏 静婧 丽莉 强 磊蕾 军君 洋阳 勇永 艳燕 杰洁 娟 涛韬 明铭 超 秀 霞 平萍 刚 桂贵 英瑛 华桦 玉钰 红宏 玲灵 文雯 建健 国 志智 海 婷廷 雪 佳嘉 欣新 怡宜 梅玫 ' +
  '琴勤 云芸 凤 兰岚 春 峰锋 飞菲 龙 波 辉晖 浩皓 宇雨 轩萱 梓子 涵晗 诗 琪淇 瑶遥 思 悦月 晨辰 博 俊骏 凯 鑫 豪 雅 慧惠 倩茜 颖 璐露 莹盈 晓小 林琳 成诚 庆 东冬 利 ' +
  '清青 美 荣蓉 福 生 胜 亮 彬斌 鹏 旭 航 毅义 哲 帆 楠 宁 薇微 珊 彤 可 心 然 一依 若 语 沐 泽 睿瑞 翔祥 安 乐 康 昊 天 恩 彦艳 书舒 梦 冰 洪 世 仁 信 和 武 良'
)
  .split(' ')
  .filter((word) => word !== '')
const CITIES =
  '上海 北京 深圳 广州 杭州 成都 重庆 苏州 武汉 南京 西安 长沙 天津 郑州 东莞 青岛 昆明 宁波 合肥 佛山 沈阳 无锡 济南 厦门 福州 温州 泉州 大连 哈尔滨 南宁'.split(
    ' ',
  )
const ROADS =
  '人民 中山 解放 建设 和平 新华 文化 长江 黄河 朝阳 胜利 光明 幸福 东风 工农 学府 滨江 湖滨 科技 创业 金桥 银河 梧桐 玉兰 樱花 白云 青年 友谊 复兴 迎宾'.split(
    ' ',
  )

export type Source = 'erp' | 'shop' | 'wecom'
/**
 * What a row is to an earlier one, `other`: 'joins' shares an identifier with it, 'typed_anew' is the same human being
 * and shares none, 'contradicts' has its phone and a card of its own in the same system (a family).
 */
export type GeneratedRow = {
  source: Source
  row: IncomingPerson
  is: 'new' | 'joins' | 'contradicts' | 'typed_anew'
  other: number
}

/** Of 20 rows 16 are somebody new, 2 share an identifier with an earlier one, 2 are an earlier one typed anew. */
export function generatedRow(n: number): GeneratedRow {
  const place = n % 20
  const other = n - 16
  if (place < 16 || n < 20) return { source: 'erp', row: rowOf(n, humanOf(n)), is: 'new', other: n }
  const original = humanOf(other)
  if (place >= 18) return { source: 'wecom', row: rowOf(n, typedAnew(n, original)), is: 'typed_anew', other }
  if (n % 200 === 16)
    return {
      source: 'erp',
      row: rowOf(n, { ...humanOf(n), phones: original.phones }),
      is: 'contradicts',
      other,
    }
  return { source: 'shop', row: sharing(n, original), is: 'joins', other }
}

type Human = {
  name: string | null
  gender: 'female' | 'male'
  birthday: string | null
  city: string | null
  address: string | null
  phones: string[]
  union: string | null
  card: string | null
}

function humanOf(n: number): Human {
  const chance = chanceOf(n, 1)
  const surname = weighted(SURNAMES, chance())
  const given = chance() < 0.14 ? character(chance) : character(chance) + character(chance)
  const city = CITIES[Math.floor(CITIES.length * chance() ** 2)] ?? ''
  const born = 1955 + Math.floor(52 * chance())
  const day = instant(Date.UTC(born, 0, 1 + Math.floor(365 * chance())))
    .toISOString()
    .slice(0, 10)
  return {
    name: `${surname}${given}`,
    gender: chance() < 0.7 ? 'female' : 'male',
    birthday: birthdayOf(day, chance()),
    city: chance() < 0.1 ? null : city,
    address:
      chance() < 0.4
        ? `${city}市${ROADS[Math.floor(ROADS.length * chance())]}路${1 + Math.floor(800 * chance())}号${1 + Math.floor(30 * chance())}栋${101 + Math.floor(2500 * chance())}室`
        : null,
    phones: [phoneOf(n)],
    union: chance() < 0.5 ? `o${n}` : null,
    card: `VIP${String(n).padStart(9, '0')}`,
  }
}

/** The numbers of different people differ; their ends are as common as each other. */
function phoneOf(n: number): string {
  return `13${String(100_000_000 + ((n * 7_919_003) % 899_999_981))}`
}

function rowOf(n: number, human: Human): IncomingPerson {
  return {
    externalId: String(n),
    identifiers: [
      ...human.phones.map((value) => ({ kind: 'phone' as const, value })),
      ...(human.union === null ? [] : [{ kind: 'unionid' as const, value: human.union }]),
      ...(human.card === null ? [] : [{ kind: 'card' as const, value: human.card, scope: 'erp' }]),
    ],
    attributes: {
      name: human.name,
      gender: human.gender,
      birthday: human.birthday,
      city: human.city,
      address: human.address,
    },
  }
}

/** As another shop knows the person: by the phone, or by the union id where there is one. */
function sharing(n: number, human: Human): IncomingPerson {
  const phones = human.union === null || n % 2 === 0 ? human.phones : []
  return rowOf(n, { ...human, phones, card: null, address: null, birthday: null })
}

/** As somebody at another till typed it: another number, a name as it is heard, a slip in the date. */
function typedAnew(n: number, human: Human): Human {
  const chance = chanceOf(n, 2)
  const [phone = ''] = human.phones
  return {
    ...human,
    name: otherName(human.name ?? '', chance),
    birthday: human.birthday === null ? null : otherDate(human.birthday, chance),
    city: chance() < 0.2 ? null : human.city,
    address: human.address === null || chance() < 0.4 ? null : human.address.replace(/^..市|室$/g, ''),
    phones: otherPhones(n, phone, chance),
    union: null,
    card: `W${n}`,
  }
}

/** Some say nothing, and a till that must be told something is told the same day again and again. */
function birthdayOf(day: string, draw: number): string | null {
  if (draw < 0.08) return null
  return draw < 0.09 ? '1990-01-01' : day
}

/** Another number, one with a slip, one of which the middle is hidden, or none. */
function otherPhones(n: number, phone: string, chance: () => number): string[] {
  const how = chance()
  if (how < 0.4) return [phoneOf(n)]
  if (how < 0.65) return [slip(phone, chance)]
  return how < 0.85 ? [`${phone.slice(0, 3)}****${phone.slice(-4)}`] : []
}

function otherName(name: string, chance: () => number): string {
  const how = chance()
  if (how < 0.65) return name
  if (how < 0.9) {
    const sounding = [...name].map((sign) => GIVEN.find((word) => word.includes(sign) && word.length > 1))
    const at = sounding.findIndex((word) => word !== undefined)
    return at < 1
      ? name
      : [...name].map((sign, place) => (place === at ? other(sounding[at] ?? sign, sign) : sign)).join('')
  }
  return how < 0.95 ? name.slice(0, -1) || name : `${name.slice(-1)}${name.slice(-1)}`
}

function other(word: string, sign: string): string {
  return [...word].find((candidate) => candidate !== sign) ?? sign
}

function otherDate(date: string, chance: () => number): string | null {
  const how = chance()
  if (how < 0.7) return date
  if (how < 0.82) return null
  const [year = '', month = '', day = ''] = date.split('-')
  if (how < 0.9 && Number(day) <= 12) return `${year}-${day}-${month}`
  return `${Number(year) + (chance() < 0.5 ? 1 : 10)}-${month}-${day}`
}

/** One digit of the last eight is another. */
function slip(phone: string, chance: () => number): string {
  const at = 3 + Math.floor(8 * chance())
  const digit = (Number(phone[at]) + 1 + Math.floor(9 * chance())) % 10
  return `${phone.slice(0, at)}${digit}${phone.slice(at + 1)}`
}

function character(chance: () => number): string {
  const word = GIVEN[Math.floor(GIVEN.length * chance() ** 1.6)] ?? '伟'
  return word[Math.floor(word.length * chance())] ?? word
}

function weighted(list: readonly (readonly [string, number])[], draw: number): string {
  const all = list.reduce((sum, [, weight]) => sum + weight, 0)
  let left = draw * all
  for (const [value, weight] of list) {
    left -= weight
    if (left < 0) return value
  }
  return list[0]?.[0] ?? ''
}

function instant(ms: number): Date {
  return new Date(ms)
}

/** Numbers of 0…1 that belong to a row (Mulberry32). */
function chanceOf(n: number, salt: number): () => number {
  let state = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
