/** Products, and the calendar of holidays and promotions. */
import { z } from 'zod'
import { Day, Done, PageInput, pageOf, route, versioned, versionedWrite } from './base.ts'
import { Code, Name, org } from './org-words.ts'

export const Product = z.object({
  id: z.uuid(),
  sku: Code,
  name: Name,
  category: z.string().trim().max(200).nullable(),
  priceCents: z.int().nonnegative().nullable(),
  costCents: z.int().nonnegative().nullable(),
})
export type Product = z.infer<typeof Product>

export const CalendarEntry = z.object({
  id: z.uuid(),
  kind: z.enum(['holiday', 'workday', 'promotion']),
  name: Name,
  firstDay: Day,
  lastDay: Day,
})
export type CalendarEntry = z.infer<typeof CalendarEntry>

const productInput = {
  sku: Code,
  name: Name,
  category: Product.shape.category,
  priceCents: Product.shape.priceCents,
  costCents: Product.shape.costCents,
}
const entryInput = {
  kind: CalendarEntry.shape.kind,
  name: Name,
  firstDay: Day,
  lastDay: Day,
}

export const productRoutes = {
  list: route({
    ...org,
    method: 'GET',
    path: '/products',
    summary: 'List the catalogue',
    who: 'signed_in',
    scope: 'org:read',
  })
    .input(PageInput.extend({ text: z.string().max(100).optional() }))
    .output(pageOf(versioned(Product))),
  create: route({
    ...org,
    method: 'POST',
    path: '/products',
    summary: 'Add a product',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(z.object(productInput))
    .output(versioned(Product)),
  change: route({
    ...org,
    method: 'PUT',
    path: '/products/{id}',
    summary: 'Change a product',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(versionedWrite({ id: z.uuid(), ...productInput }))
    .output(versioned(Product)),
}

export const calendarRoutes = {
  list: route({
    ...org,
    method: 'GET',
    path: '/calendar',
    summary: 'List holidays and promotion windows',
    who: 'signed_in',
    scope: 'org:read',
  })
    .input(z.object({ from: Day.optional(), to: Day.optional() }))
    .output(z.object({ items: z.array(versioned(CalendarEntry)) })),
  create: route({
    ...org,
    method: 'POST',
    path: '/calendar',
    summary: 'Add a day or window',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(z.object(entryInput))
    .output(versioned(CalendarEntry)),
  change: route({
    ...org,
    method: 'PUT',
    path: '/calendar/{id}',
    summary: 'Change a day or window',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(versionedWrite({ id: z.uuid(), ...entryInput }))
    .output(versioned(CalendarEntry)),
  remove: route({
    ...org,
    method: 'DELETE',
    path: '/calendar/{id}',
    summary: 'Remove a day or window',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(z.object({ id: z.uuid() }))
    .output(Done),
}
