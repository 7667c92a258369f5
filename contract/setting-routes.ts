/** Reading and changing settings. */
import { z } from 'zod'
import { Instant, route } from './base.ts'
import { org } from './org-words.ts'
import { SettingName, SettingValue } from './settings.ts'

/** Version 0 is the default that nobody has changed yet. */
const Setting = z.object({
  name: SettingName,
  value: z.unknown(),
  version: z.int().nonnegative(),
  changedAt: Instant.nullable(),
  changedBy: z.string().nullable(),
})

export const settingRoutes = {
  list: route({
    ...org,
    method: 'GET',
    path: '/settings',
    summary: 'Read all settings with their versions',
    who: 'signed_in',
    scope: 'org:read',
  }).output(z.object({ items: z.array(Setting) })),
  change: route({
    ...org,
    method: 'PUT',
    path: '/settings/{name}',
    summary: 'Change a setting',
    who: ['owner', 'operator', 'engineer'],
    scope: 'org:write',
  })
    .input(z.object({ name: SettingName, version: z.int().nonnegative(), value: SettingValue }))
    .output(Setting),
  history: route({
    ...org,
    method: 'GET',
    path: '/settings/{name}/history',
    summary: 'Read the earlier versions of a setting',
    who: ['owner', 'operator', 'engineer'],
    scope: 'org:read',
  })
    .input(z.object({ name: SettingName }))
    .output(z.object({ items: z.array(Setting) })),
}
