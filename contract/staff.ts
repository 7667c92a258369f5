/** Members of staff: what they are, where they belong, what they may do. */
import { z } from 'zod'
import { Instant, PageInput, pageOf, Right, Role, roles, route, versioned, versionedWrite } from './base.ts'
import { RegionId, StaffId, StoreId } from './ids.ts'
import { access, headquarters, Login, Name } from './org-words.ts'

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

export const staffRoutes = {
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
}
