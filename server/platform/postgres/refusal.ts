import { StartRefused } from '../start-refused.ts'
import { type Database, sqlState } from './database.ts'
import { sql } from './sql.ts'

/** One connection to see that DATABASE_URL is right. Errors: `StartRefused`, without the address (it may hold a password). */
export async function refuseUnreachable(db: Database): Promise<void> {
  try {
    await db.run(sql`select 1`)
  } catch (error) {
    throw new StartRefused(`DATABASE_URL cannot be used: ${reason(error)}`)
  }
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  switch (sqlState(error) ?? code) {
    case 'ECONNREFUSED':
      return 'no PostgreSQL answers at that host and port.'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name is not known.'
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'its host does not answer.'
    case '28P01':
    case '28000':
      return 'user or password is wrong.'
    case '3D000':
      return 'that database does not exist. Create it with: createdb --encoding=UTF8 --locale=C.UTF-8'
    case '53300':
      return 'the server has no connection left.'
    default:
      return /timeout/i.test(message ?? '')
        ? 'its host does not answer.'
        : `${sqlState(error) ?? code ?? 'connection'} error.`
  }
}
