import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { endLoops } from '../support/demo.ts'
import { demoBrand } from './demo-brand.ts'
import { barriers, chinese, overflow, rawCodes, writtenByPeople } from './look-over.ts'
import { goTo, type Look, pageOf, visit } from './pages.ts'

let app: TestApp
let owner = ''
let places: [name: string, path: string][] = []

beforeAll(async () => {
  app = await demoBrand({ hours: 6 })
  owner = (await app.as('owner', { rights: ['approve', 'see_personal'] })).staffId
  const { member } = await app.db.row<{ member: string }>(sql`
    select p.public_id as member from person p join person_state s on s.person_id = p.id
    where s.purchases > 2 order by p.id limit 1`)
  const { segment } = await app.db.row<{ segment: number }>(
    sql`select id as segment from segment where not hidden order by id limit 1`,
  )
  const { journey } = await app.db.row<{ journey: string }>(sql`
    select j.id as journey from journey j left join enrolment e on e.journey_id = j.id group by j.id order by count(e.id) desc limit 1`)
  places = [
    ['home', '/'],
    ['members', '/members'],
    ['member', `/members/${member}`],
    ['member-orders', `/members/${member}?tab=orders`],
    ['audit-base', '/audit-base'],
    ['import', '/import'],
    ['identity', '/identity'],
    ['merges', '/identity?tab=merges'],
    ['segments', '/segments'],
    ['segment-new', '/segments/new'],
    ['segment', `/segments/${segment}`],
    ['tags', '/tags'],
    ['lost-syncs', '/tags?tab=lost'],
    ['journeys', '/journeys'],
    ['journey', `/journeys/${journey}`],
    ['touches', '/touches'],
    ['tasks', '/tasks'],
    ['lifecycle', '/lifecycle'],
    ['channels', '/settings'],
    ['sms-texts', '/settings?tab=sms'],
    ['rules', '/settings?tab=reach'],
    ['bands', '/settings?tab=lifecycle'],
    ['brand', '/settings?tab=brand'],
    ['lift-erasure', '/settings?tab=erasure'],
    ['staff', '/staff'],
    ['keys', '/staff?tab=keys'],
    ['places', '/staff?tab=places'],
    ['tracking', '/tracking'],
    ['tracking-plan', '/tracking?tab=plan'],
    ['tracking-refused', '/tracking?tab=refused'],
    ['audit-trail', '/audit-trail'],
    ['dead-letters', '/dead-letters'],
  ]
})

afterAll(() => endLoops(app))

type Seen = { name: string; page: Page }

/** Opens every page of the console one after the other and gathers what `look` finds on each. */
async function walk(
  how: Look,
  look: (seen: Seen) => Promise<readonly string[]>,
  only?: readonly string[],
): Promise<string[]> {
  const page = await pageOf(app, owner, how)
  await visit(page, app, '/')
  const findings: string[] = []
  for (const [name, path] of places.filter(([each]) => only?.includes(each) ?? true)) {
    await goTo(page, path)
    await keepPicture(
      page,
      [name, how.lang ?? 'zh', how.screen, how.dark ? 'dark' : ''].filter(Boolean).join('-'),
    )
    findings.push(...(await look({ name, page })).map((finding) => `${name}: ${finding}`))
  }
  await page.context().close()
  return findings
}

test('every page says everything in Chinese words, and nobody is kept out', async () => {
  const findings = await walk({}, async ({ page }) => [...(await rawCodes(page)), ...(await barriers(page))])
  expect(findings).toEqual([])
})

test('in English on a phone every page speaks English, but for what people wrote, and fits', async () => {
  const data = await writtenByPeople(app.db)
  const findings = await walk({ lang: 'en', screen: 'phone' }, async ({ page }) => {
    const wide = await overflow(page)
    return [
      ...(await rawCodes(page)),
      ...(await chinese(page, data)),
      ...(wide > 0 ? [`${wide} pixels too wide`] : []),
    ]
  })
  expect(findings).toEqual([])
})

test('in the dark every kind of page can be read', async () => {
  const kinds = [
    'home',
    'members',
    'member',
    'segment',
    'tags',
    'journey',
    'tasks',
    'lifecycle',
    'rules',
    'bands',
    'staff',
  ]
  const findings = await walk({ dark: true }, ({ page }) => barriers(page, ['color-contrast']), kinds)
  expect(findings).toEqual([])
})
