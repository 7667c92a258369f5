/**
 * One row of an orders file, understood: the packed line that goes into a bucket.
 *
 * A line begins with the order's key and ends with the number of the row, so that sorted lines stand together by order
 * and their order does not depend on the order of the file.
 */
import { hash } from 'node:crypto'
import type { ImportDefaults } from '../../../contract/import.ts'
import type { Columns } from './columns.ts'
import type { IdentifierKind } from './ports.ts'
import {
  readCode,
  readInstant,
  readMoney,
  readNumber,
  readPhone,
  readSide,
  readStatus,
  readText,
} from './values.ts'
import type { OrderStatus, Side } from './words.ts'

/** [kind, value as written]; the file's own number of the buyer has the kind 'number', a name 'name'. */
export type BuyerPart = [kind: IdentifierKind | 'number' | 'name', value: string]

/** Amounts in ten-thousandths, times in ms. */
export type OrderRow = {
  orderNo: string | null
  refundOf: string | null
  buyer: BuyerPart[]
  orderedAt: number | null
  paidAt: number | null
  unpaid: boolean
  status: OrderStatus | null
  total: number | null
  discount: number | null
  refunded: number | null
  store: string | null
  storeCode: string | null
  seller: string | null
  sellerCode: string | null
  channel: string | null
  side: Side | null
  campaign: string | null
  coupon: string | null
  sku: string | null
  product: string | null
  category: string | null
  quantity: number | null
  price: number | null
  lineTotal: number | null
  lineDiscount: number | null
  cost: number | null
  lineRefunded: number | null
  refundedQuantity: number | null
  number: number
}

/** The row as it stands in `columns`; look at `columns.faults` afterwards. */
export function readOrderRow(columns: Columns, number: number, defaults: ImportDefaults): OrderRow {
  const paidAt = columns.getTime('paidAt', readInstant)
  const orderedAt = columns.getTime('orderedAt', readInstant)
  const status = columns.get('status', readStatus)
  const row: OrderRow = {
    orderNo: columns.get('orderNo', readCode),
    refundOf: null,
    buyer: readBuyer(columns),
    orderedAt: orderedAt?.getTime() ?? null,
    paidAt: paidAt?.getTime() ?? null,
    unpaid: columns.has('paidAt') && columns.has('orderedAt') && paidAt === null && status === null,
    status,
    total: columns.get('total', readMoney),
    discount: columns.get('discount', readMoney),
    refunded: columns.get('refunded', readMoney),
    store: columns.get('store', readText),
    storeCode: columns.get('storeCode', readCode) ?? defaults.storeCode ?? null,
    seller: columns.get('seller', readText),
    sellerCode: columns.get('sellerCode', readCode),
    channel: (columns.get('channel', readText) ?? defaults.channel ?? null)?.slice(0, 100) ?? null,
    side: columns.get('side', readSide) ?? defaults.side ?? null,
    campaign: columns.get('campaign', readText)?.slice(0, 200) ?? null,
    coupon: columns.get('coupon', readText)?.slice(0, 200) ?? null,
    sku: columns.get('sku', readCode),
    product: columns.get('product', readText),
    category: columns.get('category', readText)?.slice(0, 200) ?? null,
    quantity: columns.get('quantity', readNumber),
    price: columns.get('price', readMoney),
    lineTotal: columns.get('lineTotal', readMoney),
    lineDiscount: columns.get('lineDiscount', readMoney),
    cost: columns.get('cost', readMoney),
    lineRefunded: columns.get('lineRefunded', readMoney),
    refundedQuantity: columns.get('refundedQuantity', readNumber),
    number,
  }
  const refundOf = columns.get('refundOf', readCode)
  // Some tills repeat the order's own number there.
  if (refundOf !== row.orderNo) row.refundOf = refundOf
  refuseIncomplete(columns, row)
  return row
}

function refuseIncomplete(columns: Columns, row: OrderRow): void {
  if (columns.faults.length > 0) return
  if (row.orderedAt === null && row.paidAt === null) {
    columns.fault(columns.has('orderedAt') ? 'orderedAt' : 'paidAt', 'missing')
  }
  if (row.total === null && row.lineTotal === null && row.price === null && row.refunded === null) {
    columns.fault(['total', 'lineTotal'].find((field) => columns.has(field)) ?? 'price', 'missing')
  }
}

const BUYER_FIELDS = [
  ['cardNumber', 'card'],
  ['unionid', 'unionid'],
  ['officialOpenid', 'oa_openid'],
  ['miniOpenid', 'mp_openid'],
  ['externalUserid', 'external_userid'],
  ['email', 'email'],
] as const

/** What the row says of its buyer; an invalid phone names nobody. */
function readBuyer(columns: Columns): BuyerPart[] {
  const parts: BuyerPart[] = []
  const number = columns.get('memberNo', readCode)
  if (number !== null) parts.push(['number', number])
  for (const [field, kind] of BUYER_FIELDS) {
    const value = columns.get(field, readCode)
    if (value !== null) parts.push([kind, value])
  }
  const phone = columns.get('phone', readPhone)
  if (typeof phone === 'string') parts.push(['phone', phone])
  if (parts.length === 0) return parts
  const name = columns.get('buyerName', readText)
  if (name !== null) parts.push(['name', name])
  return parts
}

/** What the rows of one order share: its number, that of the order it refunds, or the digest of the row itself. */
export function orderKey(row: OrderRow): string {
  const name = row.refundOf ?? row.orderNo
  if (name === null) return `~${hash('sha256', packOrder('', { ...row, number: 0 }), 'hex').slice(0, 32)}`
  return row.refundOf === null ? (cancelled(name) ?? name) : name
}

/** 'C536379' cancels 536379, as many tills number it. */
export function cancelled(orderNo: string): string | undefined {
  return /^C\d{4,}$/u.test(orderNo) ? orderNo.slice(1) : undefined
}

/**
 * A line: fields with tabs between them (no value holds a control character, see `readText`). The key stands first, so
 * that sorted lines stand together by order; the row's number last, so that it decides nothing else.
 */
export function packOrder(key: string, row: OrderRow): string {
  return `${key}\t${row.orderNo ?? ''}\t${row.refundOf ?? ''}\t${packBuyer(row.buyer)}\t${row.orderedAt ?? ''}\t${row.paidAt ?? ''}\t${row.unpaid ? '1' : ''}\t${row.status ?? ''}\t${row.total ?? ''}\t${row.discount ?? ''}\t${row.refunded ?? ''}\t${row.store ?? ''}\t${row.storeCode ?? ''}\t${row.seller ?? ''}\t${row.sellerCode ?? ''}\t${row.channel ?? ''}\t${row.side ?? ''}\t${row.campaign ?? ''}\t${row.coupon ?? ''}\t${row.sku ?? ''}\t${row.product ?? ''}\t${row.category ?? ''}\t${row.quantity ?? ''}\t${row.price ?? ''}\t${row.lineTotal ?? ''}\t${row.lineDiscount ?? ''}\t${row.cost ?? ''}\t${row.lineRefunded ?? ''}\t${row.refundedQuantity ?? ''}\t${row.number}`
}

/** Written out field by field: as JSON, or assembled in a loop, it takes four times as long. */
export function unpackOrder(line: string): { key: string; row: OrderRow } {
  const v = line.split('\t')
  return {
    key: v[0] ?? '',
    row: {
      orderNo: text(v[1]),
      refundOf: text(v[2]),
      buyer: unpackBuyer(v[3]),
      orderedAt: number(v[4]),
      paidAt: number(v[5]),
      unpaid: v[6] === '1',
      status: text(v[7]) as OrderStatus | null,
      total: number(v[8]),
      discount: number(v[9]),
      refunded: number(v[10]),
      store: text(v[11]),
      storeCode: text(v[12]),
      seller: text(v[13]),
      sellerCode: text(v[14]),
      channel: text(v[15]),
      side: text(v[16]) as Side | null,
      campaign: text(v[17]),
      coupon: text(v[18]),
      sku: text(v[19]),
      product: text(v[20]),
      category: text(v[21]),
      quantity: number(v[22]),
      price: number(v[23]),
      lineTotal: number(v[24]),
      lineDiscount: number(v[25]),
      cost: number(v[26]),
      lineRefunded: number(v[27]),
      refundedQuantity: number(v[28]),
      number: Number(v[29]),
    },
  }
}

function text(field: string | undefined): string | null {
  return field === undefined || field === '' ? null : field
}

function number(field: string | undefined): number | null {
  return field === undefined || field === '' ? null : Number(field)
}

/** Parts with a sign between them that no value holds either. */
function packBuyer(parts: readonly BuyerPart[]): string {
  return parts.map(([kind, value]) => `${kind} ${value}`).join('\u0001')
}

function unpackBuyer(field: string | undefined): BuyerPart[] {
  if (field === undefined || field === '') return []
  return field.split('\u0001').map((part) => {
    const gap = part.indexOf(' ')
    return [part.slice(0, gap) as BuyerPart[0], part.slice(gap + 1)]
  })
}
