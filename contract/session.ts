/** Signing in and out, and who is signed in. */
import { z } from 'zod'
import { Done, Right, Role, route } from './base.ts'
import { StaffId, StoreId } from './ids.ts'
import { Login } from './org-words.ts'

export const MIN_PASSWORD = 10
const NewPassword = z.string().min(MIN_PASSWORD).max(200)

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

const session = { tag: 'session' } as const

export const sessionRoutes = {
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
}
