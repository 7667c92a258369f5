/** Which cell formats of a workbook mean a date or a time (ECMA-376 part 1, 18.8.30; the Chinese ones 27–36, 50–58). */

const BUILT_IN_DATES = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47])

/** True for a number format that shows a date or a time of day. */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return BUILT_IN_DATES.has(id) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)
  const bare = code
    .replace(/"[^"]*"/gu, '')
    .replace(/\\./gu, '')
    .replace(/_./gu, '')
    .replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/giu, '')
  if (/general/iu.test(bare)) return false
  return /[ymdhs年月日时分秒]/iu.test(bare.split(';')[0] ?? '')
}

const DAY_MS = 86_400_000
/** The day that a serial counts from. The 1900 system has a 29 February 1900, so that from March on it is 30 December. */
const ZERO_1900 = Date.UTC(1899, 11, 30)
const ZERO_1904 = Date.UTC(1904, 0, 1)

/** Wall-clock time of an Excel serial in ms as if in UTC, to the second. */
export function serialToWallClock(serial: number, from1904: boolean): number {
  const whole = from1904 || serial >= 60 ? serial : serial + 1
  return Math.round(((from1904 ? ZERO_1904 : ZERO_1900) + whole * DAY_MS) / 1000) * 1000
}
