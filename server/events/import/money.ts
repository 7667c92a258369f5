/**
 * Amounts as files write them: '¥1,234.50', '(12.00)', '-12', '12.00-', '１２．５', '1.234,56 €', '1,200元', '1.2万'.
 * The answer is exact: cents with the thousandths that a unit price can have, as an integer of 1/10,000.
 */

/** Integer ten-thousandths of the currency unit, undefined where the text is no amount. */
export function readAmount(cell: string | number): number | undefined {
  if (typeof cell === 'number') return Number.isFinite(cell) ? scaled(cell) : undefined
  if (/^-?\d{1,9}(\.\d{1,4})?$/u.test(cell)) return scaled(Number(cell))
  let text = cell.normalize('NFKC').trim()
  let sign = 1
  const inner = /^\((.*)\)$/u.exec(text)
  if (inner) {
    sign = -1
    text = inner[1] ?? ''
  }
  text = text
    .replace(/[−–—﹣]/gu, '-')
    .replace(/(CNY|RMB|USD|GBP|EUR|HKD|TWD|JPY|人民币|元|块|圆|[\p{Sc}])/giu, '')
    .replace(/\s+/gu, '')
  let factor = 1
  if (text.endsWith('万')) {
    factor = 10_000
    text = text.slice(0, -1)
  }
  if (text.endsWith('-')) text = `-${text.slice(0, -1)}`
  if (text.startsWith('-') || text.startsWith('+')) {
    if (text.startsWith('-')) sign = -sign
    text = text.slice(1)
  }
  const plain = plainNumber(text)
  if (plain === undefined) return undefined
  const value = scaled(Number(plain) * factor)
  return value === undefined ? undefined : noMinusZero(sign * value)
}

/** Digits with at most one point: thousands separators out, a decimal comma turned. */
function plainNumber(text: string): string | undefined {
  if (/^(\d+\.?\d*|\.\d+)$/u.test(text)) return text
  if (/^\d{1,3}([,']\d{3})+(\.\d*)?$/u.test(text)) return text.replace(/[,']/gu, '')
  if (/^\d{1,3}(\.\d{3})+,\d*$/u.test(text)) return text.replaceAll('.', '').replace(',', '.')
  if (/^\d+,\d{1,2}$/u.test(text)) return text.replace(',', '.')
  return undefined
}

/** Cents, half away from zero, of ten-thousandths. */
export function toCents(amount: number): number {
  return noMinusZero(Math.sign(amount) * Math.round(Math.abs(amount) / 100))
}

/** Ten-thousandths of quantity × unit price. Quantities have at most three decimals. */
export function times(quantity: number, amount: number): number {
  return noMinusZero(Math.round(quantity * amount))
}

function scaled(value: number): number | undefined {
  const amount = Math.round(value * 10_000)
  return Number.isSafeInteger(amount) && Math.abs(amount) < 1e14 ? noMinusZero(amount) : undefined
}

function noMinusZero(value: number): number {
  return value === 0 ? 0 : value
}
