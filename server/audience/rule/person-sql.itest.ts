import { describe, expect, test } from 'vitest'
import type { EventType } from '../../../contract/events.ts'
import type { Rule } from '../../../contract/rule.ts'
import { aPerson, aRule, aRuleOf, aStatelessLeaf, definitionsOf } from '../../../test/support/audience.ts'
import { dataOf } from '../../../test/support/audience-events.ts'
import { anInstant, NOW, STORES } from '../../../test/support/audience-parts.ts'
import {
  addOrders,
  addPersons,
  audienceWorld,
  happened,
  projectAll,
  settleAll,
  tell,
} from '../../../test/support/audience-world.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { attributeColumns } from '../facts/attribute-columns.ts'
import { type Group, type HistoryTable, property } from '../facts/history-table.ts'
import { loadFacts } from '../facts/load.ts'
import type { PersonEvent, PersonFacts } from '../facts/person-facts.ts'
import { visitRange } from '../facts/range.ts'
import { personsOf } from '../segments/preview.ts'
import { compileRules } from './compile.ts'
import type { FactNeeds } from './fact-needs.ts'
import { ZoneDays } from './zone-days.ts'

const PERSONS = 150
/** Whatever a random rule may look at. */
const everything: FactNeeds = {
  attributes: [
    ...Object.keys(attributeColumns),
    'custom.level',
    'custom.since',
    'custom.size',
    'custom.spend',
    'occupation',
  ].sort(),
  birthday: true,
  tags: true,
  purchase: ['campaign', 'channel', 'coupon', 'discount', 'seller', 'side', 'store'],
  lines: true,
  states: true,
  purchases: true,
  windows: new Map(),
  event: ['channel', 'store', 'subject'],
  events: new Map(
    [
      'tracked',
      'page_viewed',
      'member_replied',
      'visited_store',
      'touch_sent',
      'touch_delivered',
      'touch_decided',
      'coupon_changed',
    ].map((type) => [type as EventType, undefined]),
  ),
  texts: ['size', 'kind'],
  numbers: ['price', 'expiresAt', 'size'],
}
const world = await audienceWorld()
const started = new Date(NOW - 1000 * 86_400_000)

/** Copies of what is shown, in one form whoever read it: ids are not told where columns were read. */
/** The rows of one person of a group as objects. */
function historyOf({ purchases, events }: Group, place: number): Pick<PersonFacts, 'purchases' | 'events'> {
  const rowsOf = ({ starts }: HistoryTable): number[] => {
    const from = starts[place] ?? 0
    return Array.from({ length: (starts[place + 1] ?? 0) - from }, (_, nth) => from + nth)
  }
  const text = (table: HistoryTable, name: string, row: number): string => {
    const { keys, codes } = table.text(name)
    return keys[codes[row] ?? 0] ?? ''
  }
  return {
    purchases: rowsOf(purchases).map((row) => ({
      id: '',
      at: purchases.at[row] ?? 0,
      amount: purchases.number('amount')[row] ?? 0,
      discount: purchases.number('discount')[row] ?? 0,
      quantity: purchases.number('quantity')[row] ?? 0,
      store: text(purchases, 'store', row),
      seller: text(purchases, 'seller', row),
      channel: text(purchases, 'channel', row),
      side: text(purchases, 'side', row),
      campaign: text(purchases, 'campaign', row),
      coupon: purchases.number('coupon')[row] === 1,
      lines: purchases.lines(row),
    })),
    events: rowsOf(events).map((row) => ({
      id: '',
      at: events.at[row] ?? 0,
      type: text(events, 'type', row) as PersonEvent['type'],
      detail: text(events, 'detail', row),
      channel: text(events, 'channel', row),
      store: text(events, 'store', row),
      subject: text(events, 'subject', row),
      texts: Object.fromEntries(everything.texts.map((name) => [name, text(events, property(name), row)])),
      numbers: Object.fromEntries(
        everything.numbers.flatMap((name) => {
          const number = events.number(property(name))[row] ?? Number.NaN
          return Number.isNaN(number) ? [] : [[name, number]]
        }),
      ),
    })),
  }
}

function plain({ attributes, tags, purchases, events, ...facts }: PersonFacts): object {
  return {
    ...facts,
    attributes: everything.attributes.map((name) => attributes.get(name) ?? null),
    tags: tags.toSorted((left, right) => left - right),
    purchases: purchases.map(
      ({ at, amount, discount, quantity, store, seller, channel, lines, ...more }) => ({
        ...{
          at,
          amount,
          discount,
          quantity,
          store,
          seller,
          channel,
          lines: lines.map((line) => ({ ...line })),
        },
        ...{ side: more.side, campaign: more.campaign, coupon: more.coupon },
      }),
    ),
    events: events.map(({ at, type, detail, channel, store, subject, texts, numbers }) => ({
      ...{ at, type, detail, channel, store, subject },
      texts: everything.texts.map((name) => texts[name] ?? ''),
      numbers: everything.numbers.map((name) => numbers[name] ?? null),
    })),
  }
}

describe('SQL and the compiled function', () => {
  test.each(['Asia/Shanghai', 'America/New_York'])(
    'mean the same persons, for any rule at any time, in %s',
    async (zone) => {
      await world.db.run(
        sql`truncate person_segment, person_state, person_tag, s_tag, s_tag_claim, s_tag_loss, profile, person, evaluation_due cascade`,
      )
      await world.clickhouse.command('truncate table orders')
      await world.clickhouse.command('truncate table order_lines')
      await world.clickhouse.command('truncate table events')
      const definitions = definitionsOf(zone, [])
      await prepareTags(definitions)
      const people = fc
        .sample(aPerson(), { numRuns: PERSONS, seed: 11 })
        .map(({ attributes, ...person }, place) => ({
          ...person,
          attributes: attributes as ReadonlyMap<string, string>,
          personId: place + 1,
        }))
      await addPersons(world, people, started)
      await addOrders(
        world,
        people.flatMap(({ personId, purchases }) => purchases.map((purchase) => ({ personId, purchase }))),
        started,
      )
      await world.db.transaction(async (tx) => {
        await tell(
          tx,
          people.flatMap(({ personId, lastInteractionAt }) =>
            lastInteractionAt === null
              ? []
              : [
                  happened('member_replied', personId, new Date(lastInteractionAt), {
                    channel: 'wecom',
                    staffId: null,
                  }),
                ],
          ),
          started,
        )
        const told = people.flatMap(({ personId, events }) =>
          events.map((one) => happened(one.type, personId, new Date(one.at), dataOf(one))),
        )
        await tell(tx, told, started)
        for (const person of people) {
          for (const tag of person.tags) {
            await tx.run(
              sql`insert into person_tag (profile_id, tag_id, origin, person_id, producer, at) values (${person.personId}, ${tag}, 'manual', ${person.personId}, 'guide', ${started})`,
            )
          }
          for (const claim of person.claims) {
            await tx.run(sql`insert into s_tag_claim (profile_id, group_id, tag_id, origin, person_id, producer, at)
            values (${person.personId}, ${claim.group}, ${claim.tag}, ${claim.origin}, ${person.personId}, ${claim.producer}, ${new Date(claim.at)})`)
          }
        }
      })
      // Whoever has no rule in a group of level S is answered from s_tag.
      await world.db.run(sql`insert into s_tag (person_id, group_id, tag_id, origin, producer, at)
      select distinct on (person_id, group_id) person_id, group_id, tag_id, origin, producer, at from s_tag_claim
      order by person_id, group_id, case origin when 'manual' then 0 when 'auto' then 1 else 2 end, at desc, tag_id desc`)
      const latest = new Date(NOW + 60 * 86_400_000)
      await projectAll(world, latest)
      await settleAll(world, latest, zone)
      const ids = people.map(({ personId }) => personId)
      const reading = { needs: everything, now: NOW, days: new ZoneDays(zone) }
      const facts = await loadFacts(world.db, world.clickhouse, ids, reading)
      expect(facts.size).toBe(PERSONS)
      const shown = new Map<number, object>()
      const range = { from: 1, before: PERSONS + 1 }
      await visitRange(world.db, world.clickhouse, range, reading, (group) => {
        for (const [place, own] of group.persons.entries())
          shown.set(own.personId, plain({ ...own, ...historyOf(group, place) }))
      })
      expect(shown).toEqual(new Map([...facts].map(([id, own]) => [id, plain(own)])))

      /** How many of the rules mean some and not all of them. */
      const compare = async (rules: fc.Arbitrary<[Rule, number]>, numRuns: number): Promise<number> => {
        let found = 0
        const both = fc.asyncProperty(rules, async ([rule, now]) => {
          const segment = { id: 1, name: 'one', rule, reading: 0 }
          const evaluator = compileRules({ ...definitions, segments: [segment] })
          const expected = ids.filter((id) => {
            const own = facts.get(id)
            return own !== undefined && evaluator.evaluate(own, now).segments.includes(1)
          })
          const how = { definitions, now: new Date(now) }
          expect(await personsOf(world.db, world.clickhouse, rule, how)).toEqual(expected)
          if (expected.length > 0 && expected.length < PERSONS) found += 1
        })
        await fc.assert(both, { numRuns, seed: 5 })
        return found
      }
      // States in SQL stand on what was stored; they are asked for times from the evaluation on.
      const later = anInstant(0, 80).map((at) => Math.max(at, latest.getTime()) + (at % 1000))
      expect(await compare(fc.tuple(aRule([], { joining: false }), later), 60)).toBeGreaterThan(15)
      // What needs no stored state is asked for while it happens, with rows that are still to come.
      expect(await compare(fc.tuple(aRuleOf(aStatelessLeaf), anInstant(30, 20)), 80)).toBeGreaterThan(15)
    },
  )
})

async function prepareTags(definitions: ReturnType<typeof definitionsOf>): Promise<void> {
  const { db } = world
  for (const store of STORES) {
    await db.run(
      sql`insert into store (id, code, name, created_at) values (${store}, ${store}, ${store}, ${started}) on conflict do nothing`,
    )
  }
  await db.run(
    sql`insert into tag_group (id, name, level, created_at) overriding system value values (9, 'nine', 'b', ${started}) on conflict do nothing`,
  )
  for (const { id, group, level, rule } of definitions.tags.filter((tag) => tag.id > 100)) {
    await db.run(sql`
      insert into tag (id, group_id, level, name, volatility, subjectivity, derivation, composition, scope, producer, origin, purpose, plan, rule, created_at)
      overriding system value values (${id}, ${group}, ${level}, ${`tag ${id}`}, 'dynamic', 'objective', 'fact', 'single', 'brand',
        ${rule ? 'system' : 'guide'}, ${rule ? 'auto' : 'manual'}, 'x', 'x', ${rule === null ? null : JSON.stringify(rule)}::jsonb, ${started}) on conflict do nothing`)
  }
}
