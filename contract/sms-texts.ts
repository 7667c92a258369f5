/** Texts of SMS and the templates that the provider has approved for them. */
import { z } from 'zod'
import { route, versioned, versionedWrite } from './base.ts'

/** What a parameter may be filled with; everything else would leave a gap in the message. */
export const smsVariables = [
  'member.name',
  'store.name',
  'guide.name',
  'order.items',
  'tried.sku',
  'days',
  'brand.name',
] as const

/** Signature and template as the provider has approved them, and the Liquid text of each of its parameters. */
export const SmsApproval = z.object({
  sign: z.string().trim().min(1).max(50),
  template: z
    .string()
    .trim()
    .regex(/^[\w-]{1,64}$/),
  params: z
    .record(z.string().regex(/^\w{1,40}$/), z.string().trim().min(1).max(200))
    .refine((params) => Object.keys(params).length <= 20, 'at most 20 parameters'),
})
export type SmsApproval = z.infer<typeof SmsApproval>

export const SmsText = versioned(
  z.object({
    id: z.uuid(),
    name: z.string(),
    body: z.string(),
    /** Null: only a simulated provider takes it. */
    approval: SmsApproval.nullable(),
    demo: z.boolean(),
    usedBy: z.array(z.object({ kind: z.string(), id: z.string(), label: z.string() })),
  }),
)
export type SmsText = z.infer<typeof SmsText>

export const smsTextsContract = {
  smsTexts: route({
    method: 'GET',
    path: '/sms-texts',
    tag: 'reach',
    summary: 'List the texts of SMS in use, with their approved templates',
    who: ['owner', 'operator', 'regional_manager', 'analyst', 'engineer'],
    scope: 'reach:read',
  }).output(z.object({ items: z.array(SmsText) })),
  approveSmsText: route({
    method: 'PUT',
    path: '/sms-texts/{id}/approval',
    tag: 'reach',
    summary: 'Name the approved template of an SMS',
    description:
      'A real provider sends the text of its own template, filled with the parameters. Null takes the name back: the SMS then goes to a simulated provider only.',
    who: ['owner', 'operator'],
    scope: 'reach:write',
  })
    .input(versionedWrite({ id: z.uuid(), approval: SmsApproval.nullable() }))
    .output(SmsText),
}
