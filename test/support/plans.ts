/** How PostgreSQL would answer what a function asks. */
import type { Db } from '../../server/platform/postgres/database.ts'
import type { Sql } from '../../server/platform/postgres/sql.ts'

/** The plans of all that `work` reads, as text; it is given empty answers. */
export async function plansOf(db: Db, work: (explaining: Db) => Promise<unknown>): Promise<string> {
  const lines: string[] = []
  const explain = async (query: Sql) => {
    const rows = await db.rows<{ 'QUERY PLAN': string }>({ ...query, text: `explain ${query.text}` })
    lines.push(...rows.map((row) => row['QUERY PLAN']))
    return [] as never
  }
  await work({ ...db, rows: explain, row: explain, maybe: explain })
  return lines.join('\n')
}
