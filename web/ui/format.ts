/** Numbers, money and times as people write them, by language. The full figure belongs into a title. */
export type Lang = 'zh' | 'en'

const TEN_THOUSAND = 10_000
const HUNDRED_MILLION = 100_000_000

/** 12,480 → 1.25 万 / 12.5k; below ten thousand the figure itself with separators. */
export function compact(value: number, lang: Lang): string {
  if (lang === 'zh') {
    if (Math.abs(value) >= HUNDRED_MILLION) return `${trim(value / HUNDRED_MILLION, 2)} 亿`
    if (Math.abs(value) >= TEN_THOUSAND) return `${trim(value / TEN_THOUSAND, 2)} 万`
    return whole(value)
  }
  if (Math.abs(value) >= 1_000_000) return `${trim(value / 1_000_000, 2)}M`
  if (Math.abs(value) >= TEN_THOUSAND) return `${trim(value / 1000, 1)}k`
  return whole(value)
}

/** With separators and nothing left out. */
export function whole(value: number): string {
  return value.toLocaleString('en-US')
}

/** Cents as money with two decimals. */
export function money(cents: number, currency = 'CNY'): string {
  return new Intl.NumberFormat('zh-CN', {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  }).format(cents / 100)
}

/** ¥, $, € … */
export function currencySymbol(currency = 'CNY'): string {
  return money(0, currency).replace(/[\d.,\s]/g, '')
}

/** Cents as money in few characters: ¥12.3 万. */
export function shortMoney(cents: number, lang: Lang, currency = 'CNY'): string {
  return `${currencySymbol(currency)}${compact(Math.round(cents / 100), lang)}`
}

/** 0.3456 → 34.6 %. */
export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '–'
}

/** '2026-11-22' of an instant in the brand's zone. */
export function date(at: string | null, zone: string): string {
  return at === null ? '–' : new Date(at).toLocaleDateString('sv-SE', { timeZone: zone })
}

/** '2026-11-22 09:05' in the brand's zone. */
export function minute(at: string | null, zone: string): string {
  return at === null
    ? '–'
    : new Date(at).toLocaleString('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** '3 天前' / '3 days ago'. */
export function relative(at: string, lang: Lang, now: number): string {
  const seconds = (new Date(at).getTime() - now) / 1000
  const format = new Intl.RelativeTimeFormat(lang === 'zh' ? 'zh-CN' : 'en', { numeric: 'auto' })
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(0, 'minute')
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '')
}

/** 3 h 05 min, 2 min 10 s, 8 s. */
export function duration(seconds: number, lang: Lang): string {
  const whole = Math.max(1, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const unit = lang === 'zh' ? { h: '小时', m: '分', s: '秒' } : { h: 'h', m: 'min', s: 's' }
  if (hours > 0) return `${hours} ${unit.h} ${minutes} ${unit.m}`
  return minutes > 0 ? `${minutes} ${unit.m} ${rest} ${unit.s}` : `${rest} ${unit.s}`
}

const UNITS = ['KB', 'MB', 'GB'] as const

/** 12.3 MB. */
export function bytes(count: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log(Math.max(count, 1)) / Math.log(1024)), 1), UNITS.length)
  return `${(count / 1024 ** power).toFixed(1)} ${UNITS[power - 1]}`
}
