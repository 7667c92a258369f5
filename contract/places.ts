/** The brand, its regions and stores. */
import { z } from 'zod'
import { PageInput, pageOf, route, versioned, versionedWrite } from './base.ts'
import { RegionId, StoreId } from './ids.ts'
import { Code, Name, org } from './org-words.ts'

export const Brand = z.object({
  name: Name,
  zone: z.string(),
  currency: z.string().regex(/^[A-Z]{3}$/),
  demo: z.boolean(),
})
export type Brand = z.infer<typeof Brand>

export const Region = z.object({ id: RegionId, code: Code, name: Name })
export type Region = z.infer<typeof Region>

export const Store = z.object({
  id: StoreId,
  code: Code,
  name: Name,
  regionId: RegionId.nullable(),
  city: z.string().max(100).nullable(),
  side: z.enum(['online', 'offline']),
  state: z.enum(['open', 'closed']),
})
export type Store = z.infer<typeof Store>

const { name: regionName, code: regionCode } = Region.shape
const storeInput = {
  code: Code,
  name: Name,
  regionId: RegionId.nullable(),
  city: Store.shape.city,
  side: Store.shape.side,
  state: Store.shape.state,
}

export const brandRoutes = {
  get: route({
    ...org,
    method: 'GET',
    path: '/brand',
    summary: 'Read the brand',
    who: 'signed_in',
    scope: 'org:read',
  }).output(versioned(Brand)),
  change: route({ ...org, method: 'PUT', path: '/brand', summary: 'Change the brand', who: ['owner'] })
    .input(versionedWrite({ name: Name, zone: z.string().min(1).max(60), currency: Brand.shape.currency }))
    .output(versioned(Brand)),
}

export const regionRoutes = {
  list: route({
    ...org,
    method: 'GET',
    path: '/regions',
    summary: 'List the regions',
    who: 'signed_in',
    scope: 'org:read',
  }).output(z.object({ items: z.array(versioned(Region)) })),
  create: route({
    ...org,
    method: 'POST',
    path: '/regions',
    summary: 'Add a region',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(z.object({ code: regionCode, name: regionName }))
    .output(versioned(Region)),
  change: route({
    ...org,
    method: 'PUT',
    path: '/regions/{id}',
    summary: 'Change a region',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(versionedWrite({ id: RegionId, code: regionCode, name: regionName }))
    .output(versioned(Region)),
}

export const storeRoutes = {
  list: route({
    ...org,
    method: 'GET',
    path: '/stores',
    summary: 'List the stores',
    who: 'signed_in',
    scope: 'org:read',
  })
    .input(PageInput.extend({ regionId: RegionId.optional(), text: z.string().max(100).optional() }))
    .output(pageOf(versioned(Store))),
  create: route({
    ...org,
    method: 'POST',
    path: '/stores',
    summary: 'Add a store',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(z.object(storeInput))
    .output(versioned(Store)),
  change: route({
    ...org,
    method: 'PUT',
    path: '/stores/{id}',
    summary: 'Change a store',
    who: ['owner', 'operator'],
    scope: 'org:write',
  })
    .input(versionedWrite({ id: StoreId, ...storeInput }))
    .output(versioned(Store)),
}
