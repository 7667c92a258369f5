/** Words that several routes of the organisation share. */
import { z } from 'zod'

export const Name = z.string().trim().min(1).max(100)
export const Code = z.string().trim().min(1).max(60)
export const Login = z
  .string()
  .trim()
  .toLowerCase()
  .min(2)
  .max(100)
  .regex(/^[^\s]+$/, 'no spaces')

export const org = { tag: 'organisation' } as const
export const access = { tag: 'access' } as const
export const headquarters = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'analyst',
  'engineer',
] as const
