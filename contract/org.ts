/** Routes of the organisation: sign-in, brand, regions, stores, staff, API keys, settings, audit trail, catalogue, calendar. */
import { z } from 'zod'
import {
  Day,
  Done,
  Instant,
  PageInput,
  pageOf,
  Right,
  Role,
  roles,
  route,
  Scope,
  versioned,
  versionedWrite,
} from './base.ts'
import { RegionId, StaffId, StoreId } from './ids.ts'
import { SettingName, SettingValue } from './settings.ts'

const Name = z.string().trim().min(1).max(100)
const Code = z.string().trim().min(1).max(60)
const Login = z
  .string()
  .trim()
  .toLowerCase()
  .min(2)
  .max(100)
  .regex(/^[^\s]+$/, 'no spaces')
export const MIN_PASSWORD = 10
const NewPassword = z.string().min(MIN_PASSWORD).max(200)

export const Brand = z.object({
  name: Name,
  zone: z.string(),
  currency: z.string().regex(/^[A-Z]{3}$/),
  demo: z.boolean(),
})
export type Brand = z.infer<typeof Brand>

/** Who is signed in, as the pages need it. */
export const Me = z.object({
  staffId: StaffId,
  name: z.string(),
  login: z.string(),
  roles: z.array(Role),
  rights: z.array(Right),
  stores: z.array(z.object({ id: StoreId, name: z.string() })),
  /** Sees the whole brand. */
  all: z.boolean(),
  maySeePersonal: z.boolean(),
  mustChangePassword: z.boolean(),
})
export type Me = z.infer<typeof Me>

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

export const Staff = z.object({
  id: StaffId,
  login: z.string(),
  name: Name,
  state: z.enum(['active', 'disabled']),
  wecomUserId: z.string().nullable(),
  roles: z.array(Role),
  rights: z.array(Right),
  storeIds: z.array(StoreId),
  regionIds: z.array(RegionId),
  mustChangePassword: z.boolean(),
  lastSeenAt: Instant.nullable(),
})
export type Staff = z.infer<typeof Staff>

const staffInput = {
  name: Name,
  wecomUserId: z.string().trim().min(1).max(100).nullable(),
  roles: z.array(Role).min(1).max(roles.length),
  rights: z.array(Right).max(3),
  storeIds: z.array(StoreId).max(500),
  regionIds: z.array(RegionId).max(100),
}

export const ApiKey = z.object({
  id: z.uuid(),
  name: Name,
  /** The first characters of the key, to recognise it. */
  prefix: z.string(),
  scopes: z.array(Scope),
  perMinute: z.int().min(1).max(1_000_000),
  createdAt: Instant,
  createdBy: z.string(),
  expiresAt: Instant.nullable(),
  usedAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const AuditEntry = z.object({
  id: z.uuid(),
  at: Instant,
  actorKind: z.enum(['staff', 'api_key', 'system']),
  actorId: z.uuid().nullable(),
  /** Name of the member of staff or of the key; null for the program and for who was removed. */
  actorName: z.string().nullable(),
  action: z.string(),
  objectKind: z.string(),
  objectId: z.string().nullable(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  address: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

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

const { name: regionName, code: regionCode } = Region.shape
const storeInput = {
  code: Code,
  name: Name,
  regionId: RegionId.nullable(),
  city: Store.shape.city,
  side: Store.shape.side,
  state: Store.shape.state,
}
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

const session = { tag: 'session' } as const
const org = { tag: 'organisation' } as const
const access = { tag: 'access' } as const
const headquarters = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'analyst',
  'engineer',
] as const

export const orgContract = {
  session: {
    signIn: route({
      ...session,
      method: 'POST',
      path: '/session',
      summary: 'Sign in with login and password',
      who: 'public',
      secretReply: true,
    })
      .input(z.object({ login: Login, password: z.string().min(1).max(200) }))
      .output(z.object({ me: Me, csrf: z.string() })),
    me: route({
      ...session,
      method: 'GET',
      path: '/session',
      summary: 'Tell who is signed in',
      who: 'signed_in',
      beforePasswordChange: true,
    }).output(Me),
    signOut: route({
      ...session,
      method: 'DELETE',
      path: '/session',
      summary: 'Sign out',
      who: 'signed_in',
      beforePasswordChange: true,
    }).output(Done),
    changePassword: route({
      ...session,
      method: 'POST',
      path: '/session/password',
      summary: 'Change the own password; other sessions end',
      who: 'signed_in',
      beforePasswordChange: true,
      secretReply: true,
    })
      .input(z.object({ currentPassword: z.string().min(1).max(200), newPassword: NewPassword }))
      .output(Done),
  },
  brand: {
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
  },
  regions: {
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
  },
  stores: {
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
  },
  staff: {
    list: route({
      ...access,
      method: 'GET',
      path: '/staff',
      summary: 'List the staff',
      who: headquarters,
      scope: 'org:read',
    })
      .input(
        PageInput.extend({
          storeId: StoreId.optional(),
          role: Role.optional(),
          text: z.string().max(100).optional(),
        }),
      )
      .output(pageOf(versioned(Staff))),
    create: route({
      ...access,
      method: 'POST',
      path: '/staff',
      summary: 'Add a member of staff; the one-time password is shown once',
      who: ['owner'],
      secretReply: true,
    })
      .input(z.object({ login: Login, ...staffInput }))
      .output(z.object({ staff: versioned(Staff), oneTimePassword: z.string() })),
    change: route({
      ...access,
      method: 'PUT',
      path: '/staff/{id}',
      summary: 'Change roles, rights, stores or state of a member of staff',
      who: ['owner'],
    })
      .input(versionedWrite({ id: StaffId, state: Staff.shape.state, ...staffInput }))
      .output(versioned(Staff)),
    resetPassword: route({
      ...access,
      method: 'POST',
      path: '/staff/{id}/password',
      summary: 'Set a one-time password; all sessions end',
      who: ['owner'],
      secretReply: true,
    })
      .input(z.object({ id: StaffId }))
      .output(z.object({ oneTimePassword: z.string() })),
  },
  apiKeys: {
    list: route({
      ...access,
      method: 'GET',
      path: '/api-keys',
      summary: 'List the API keys',
      who: ['owner', 'engineer'],
    }).output(z.object({ items: z.array(versioned(ApiKey)) })),
    create: route({
      ...access,
      method: 'POST',
      path: '/api-keys',
      summary: 'Make an API key; it is shown once',
      who: ['owner', 'engineer'],
      secretReply: true,
    })
      .input(
        z.object({
          name: Name,
          scopes: z.array(Scope).min(1),
          perMinute: ApiKey.shape.perMinute.default(600),
          expiresAt: Instant.nullable().default(null),
        }),
      )
      .output(z.object({ apiKey: versioned(ApiKey), secret: z.string() })),
    change: route({
      ...access,
      method: 'PUT',
      path: '/api-keys/{id}',
      summary: 'Change name, scopes or limit of an API key',
      who: ['owner', 'engineer'],
    })
      .input(
        versionedWrite({
          id: z.uuid(),
          name: Name,
          scopes: z.array(Scope).min(1),
          perMinute: ApiKey.shape.perMinute,
        }),
      )
      .output(versioned(ApiKey)),
    revoke: route({
      ...access,
      method: 'DELETE',
      path: '/api-keys/{id}',
      summary: 'End an API key at once',
      who: ['owner', 'engineer'],
    })
      .input(z.object({ id: z.uuid() }))
      .output(Done),
  },
  auditTrail: {
    list: route({
      ...access,
      method: 'GET',
      path: '/audit-trail',
      summary: 'Read who did what, latest first',
      who: ['owner', 'operator', 'engineer'],
      scope: 'org:read',
    })
      .input(
        PageInput.extend({
          from: Instant.optional(),
          to: Instant.optional(),
          actorId: z.uuid().optional(),
          action: z.string().max(100).optional(),
          objectKind: z.string().max(100).optional(),
          objectId: z.string().max(200).optional(),
        }),
      )
      .output(pageOf(AuditEntry)),
    actions: route({
      ...access,
      method: 'GET',
      path: '/audit-trail/actions',
      summary: 'List the actions and kinds of objects that occur',
      who: ['owner', 'operator', 'engineer'],
      scope: 'org:read',
    }).output(z.object({ actions: z.array(z.string()), objectKinds: z.array(z.string()) })),
  },
  settings: {
    list: route({
      ...org,
      method: 'GET',
      path: '/settings',
      summary: 'Read all settings with their versions',
      who: 'signed_in',
      scope: 'org:read',
    }).output(z.object({ items: z.array(versionedSetting()) })),
    change: route({
      ...org,
      method: 'PUT',
      path: '/settings/{name}',
      summary: 'Change a setting',
      who: ['owner', 'operator', 'engineer'],
      scope: 'org:write',
    })
      .input(z.object({ name: SettingName, version: z.int().nonnegative(), value: SettingValue }))
      .output(versionedSetting()),
    history: route({
      ...org,
      method: 'GET',
      path: '/settings/{name}/history',
      summary: 'Read the earlier versions of a setting',
      who: ['owner', 'operator', 'engineer'],
      scope: 'org:read',
    })
      .input(z.object({ name: SettingName }))
      .output(z.object({ items: z.array(versionedSetting()) })),
  },
  products: {
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
  },
  calendar: {
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
  },
}

/** Version 0 is the default that nobody has changed yet. */
function versionedSetting() {
  return z.object({
    name: SettingName,
    value: z.unknown(),
    version: z.int().nonnegative(),
    changedAt: Instant.nullable(),
    changedBy: z.string().nullable(),
  })
}
