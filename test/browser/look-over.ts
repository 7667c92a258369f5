/** What can be said of any page without knowing its job: it fits, it speaks one language, everybody can use it. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql, trusted } from '../../server/platform/postgres/sql.ts'

/** How many pixels the page is wider than the screen; what is wide has to scroll inside itself. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
}

/** Codes of the program where words should be: `some_code`, `{placeholder}`, undefined, NaN. */
export async function rawCodes(page: Page): Promise<string[]> {
  const texts = await textsOf(page)
  return texts.filter(
    (text) =>
      /^[a-z]+(_[a-z0-9]+)+$/.test(text) ||
      /\{\w+\}|\bundefined\b|\bNaN\b|\[object |\bInvalid Date\b/.test(text),
  )
}

/** Chinese on an English page that is not data: no part of it stands in `data`. */
export async function chinese(page: Page, data: string): Promise<string[]> {
  const texts = await textsOf(page)
  const runs = texts.flatMap((text) => text.match(/\p{Script=Han}+/gu) ?? [])
  return [...new Set(runs)].filter((run) => !data.includes(run))
}

/** Everything Chinese that people wrote, as one text. */
export async function writtenByPeople(db: Database): Promise<string> {
  const columns = await db.rows<{ table: string; column: string }>(sql`
    select c.table_name as "table", c.column_name as "column" from information_schema.columns c
    join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'jsonb') and
      c.table_name in ('brand', 'region', 'store', 'staff', 'tag', 'tag_group', 'segment', 'journey', 'content', 'person', 'product')`)
  const texts = await Promise.all(
    columns.map(({ table, column }) =>
      db.rows<{ text: string }>(
        sql`select distinct ${trusted(column)}::text as text from ${trusted(table)} where ${trusted(column)}::text ~ '[一-龥]'`,
      ),
    ),
  )
  return texts
    .flat()
    .map(({ text }) => text)
    .join('\n')
}

/** Texts that can be seen, but those marked as nobody's to translate, code, and what draws itself. */
function textsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const texts: string[] = []
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement
      if (!parent || parent.closest('[translate=no], code, kbd, script, style')) continue
      const text = node.textContent?.trim() ?? ''
      if (text !== '' && parent.checkVisibility()) texts.push(text)
    }
    return texts
  })
}

type Finding = { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }

/**
 * What keeps people out, by WCAG 2 A and AA, each with the first place. Left out: the row by which a table measures its
 * columns, which nobody sees, and rows that are like those before them.
 */
export async function barriers(page: Page, only: readonly string[] = []): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async (rules) => {
    const { axe: checker } = window as unknown as {
      axe: { run(where: object, how: object): Promise<{ violations: Finding[] }> }
    }
    const { violations } = await checker.run(
      { exclude: ['.ant-table-measure-row', 'tbody tr:nth-child(n + 5)'] },
      {
        runOnly: rules.length > 0 ? { type: 'rule', values: rules } : ['wcag2a', 'wcag2aa'],
        resultTypes: ['violations'],
      },
    )
    return violations.map(({ id, nodes }) => ({
      id,
      places: nodes.map(
        ({ html, failureSummary }) => `${html.slice(0, 160)} | ${failureSummary.slice(0, 200)}`,
      ),
    }))
  }, only)
  return found.map(({ id, places }) => `${id} (${places.length}): ${places.slice(0, 2).join(' || ')}`)
}
