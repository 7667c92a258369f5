import type { Role } from '../../../../contract/base.ts'

/** Where somebody begins: who serves members in a store at the tasks of today, everybody else at the console. */
export function homeOf(roles: readonly Role[]): string {
  const inStore = roles.every((role) => role === 'guide' || role === 'store_manager')
  return inStore && roles.length > 0 ? '/workbench/' : '/'
}
