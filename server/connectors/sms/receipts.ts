/** Receipts that Aliyun pushes (SmsReport): a JSON array, answered with `{"code":0,"msg":"接收成功"}`, repeated otherwise. */
import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { Receipt } from '../../reach/reach.ts'
import { chinaInstant } from './channel.ts'

const Report = z.object({
  phone_number: z.string().max(30),
  report_time: z.string().max(30).optional(),
  success: z.boolean(),
  err_code: z.string().max(100).optional(),
  biz_id: z.string().max(100),
  out_id: z.uuid(),
})
const MAX_REPORTS = 1000

export const RECEIPT_TAKEN = { code: 0, msg: '接收成功' } as const

/**
 * The receipts in a pushed body; those without an OutId of ours are left out.
 * Errors: `bad_input` where the body is no array.
 */
export function parseReceipts(body: unknown, now: Date): Receipt[] {
  if (!Array.isArray(body) || body.length > MAX_REPORTS)
    throw new Problem('bad_input', 'expected an array of receipts')
  return body.flatMap((entry) => {
    const read = Report.safeParse(entry)
    if (!read.success) return []
    const report = read.data
    return [
      {
        channel: 'sms' as const,
        outboxId: report.out_id,
        providerId: report.biz_id,
        address: report.phone_number,
        delivered: report.success,
        at: chinaInstant(report.report_time) ?? now,
        reason: report.success ? '' : 'not_delivered',
      },
    ]
  })
}
