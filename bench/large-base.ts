/**
 * A base of any size, the same for the same numbers: persons whose orders follow a Pareto/NBD-like process (rates and
 * drop-out differ from person to person, and most orders are those of few), and what they browsed, were sent and came
 * for. Everybody joined within 1,200 days. Written by the stores themselves, in slices of time as it would have come,
 * so that the parts of ClickHouse overlap and some orders have two versions.
 *
 * Source of the process: Schmittlein, Morrison, Colombo, "Counting Your Customers" (1987), with both shapes 1.
 */
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'

export type BaseSize = {
  persons: number
  /** Orders and events together, about; 4 in 10 are orders. */
  rows: number
}

export const NOW = new Date('2026-03-01T02:00:00Z')
export const ZONE = 'Asia/Shanghai'
/** Business tags that somebody has set, by their ids. */
export const TAGS = [900_001, 900_002, 900_003] as const
const SLICES = 4
const HOUR_MS = 3_600_000
const PERSONS_AT_ONCE = 250_000

/** Fills empty stores. Answers how many rows there are. */
export async function fillBase(
  db: Database,
  clickhouse: ClickHouse,
  size: BaseSize,
): Promise<{ orders: number; events: number }> {
  await fillPersons(db, size.persons)
  const perPerson = size.rows / size.persons
  for (let slice = 0; slice < SLICES; slice += 1) {
    await clickhouse.command(ordersSql(slice), given(size, perPerson * 0.4), { timeoutMs: HOUR_MS })
    await clickhouse.command(eventsSql(slice), given(size, perPerson * 0.6), { timeoutMs: HOUR_MS })
  }
  await clickhouse.command(revisionsSql, given(size, perPerson * 0.4), { timeoutMs: HOUR_MS })
  return baseRows(clickhouse)
}

export async function baseRows(clickhouse: ClickHouse): Promise<{ orders: number; events: number }> {
  const [found] = await clickhouse.rows<{ orders: number; events: number }>(
    'select (select count() from orders) as orders, (select count() from events) as events',
  )
  return found ?? { orders: 0, events: 0 }
}

function given({ persons }: BaseSize, mean: number): Record<string, number> {
  return { persons, mean, now: Math.floor(NOW.getTime() / 1000) }
}

async function fillPersons(db: Database, persons: number): Promise<void> {
  for (let from = 1; from <= persons; from += PERSONS_AT_ONCE) {
    const to = Math.min(persons, from + PERSONS_AT_ONCE - 1)
    await db.run(sql`
      insert into person (id, public_id, kind, gender, city, joined_at, birthday, source, source_channel, wecom, phone, attributes, first_seen_at, changed_at)
      select i, gen_random_uuid(), 'member', case i % 3 when 0 then 'female' when 1 then 'male' end,
        (array['杭州', '上海', '北京', '成都', '广州'])[1 + i % 5], ${NOW}::timestamptz - (1 + i::bigint * 7919 % 1200) * interval '1 day',
        case when i % 4 > 0 then to_char(date '1955-01-01' + i * 17 % 18000, 'YYYY-MM-DD') end,
        (array['organic', 'guide_recruited', 'returning'])[1 + i % 3], null, (array['followed', 'none', 'lost'])[1 + i % 3],
        (array['mobile', 'none'])[1 + i % 2],
        case when i % 5 = 0 then jsonb_build_object('occupation', '教师', 'custom.size', (array['S', 'M', 'L'])[1 + i % 3]) else '{}' end,
        ${NOW}, ${NOW}
      from generate_series(${from}::int, ${to}::int) i`)
    await db.run(sql`
      insert into profile (id, person_id, source, key, attributes, created_at)
      select i, i, 'bench', int4send(i), '{}', ${NOW} from generate_series(${from}::int, ${to}::int) i`)
  }
  await db.run(sql`
    insert into tag_group (name, level, created_at) values ('bench', 'b', ${NOW})`)
  await db.run(sql`
    insert into tag (id, group_id, level, name, volatility, subjectivity, derivation, composition, scope, producer, origin, purpose, plan, created_at)
    overriding system value
    select n, g.id, 'b', 'bench ' || n, 'static', 'objective', 'fact', 'single', 'brand', 'system', 'manual', 'bench', 'bench', ${NOW}
    from tag_group g, unnest(${[...TAGS]}::int[]) n where g.name = 'bench'`)
  await db.run(sql`
    insert into person_tag (profile_id, tag_id, origin, person_id, producer, at)
    select i, (${[...TAGS]}::int[])[1 + i % ${TAGS.length}::int], 'manual', i, 'system', ${NOW} from generate_series(1, ${persons}::int, 7) i`)
  await db.run(sql`analyze`)
}

/** A draw in (0, 1) of a person (or of a row of a person), one for each number. */
const draw = (number: number, of = 'person'): string =>
  `greatest(cityHash64(${of}, ${number}) / 18446744073709551616., 1e-12)`
const rowDraw = (number: number): string => draw(number, 'person, k')

/**
 * A rate of orders per day with mean / 440 (so that orders have that mean over lives of 440 days), and a life that is
 * cut by a drop-out of another rate, mean 1 / 900 per day.
 */
const buyers = `
  select toInt32(number + 1) as person, toFloat64(1 + toInt64(number + 1) * 7919 % 1200) as days,
    -log(${draw(1)}) * {mean:Float64} / 440 as rate, least(days, -log(${draw(3)}) * 900 / -log(${draw(2)})) as life,
    toUInt32(least(floor(rate * life + ${draw(4)}), 400)) as n
  from numbers({persons:UInt64})`

const boughtAt = `toDateTime64({now:Int64} - toInt64((days - life * ${rowDraw(10)}) * 86400), 3, 'UTC')`
const orderId = `reinterpretAsUUID(sipHash128(person, k))`
const storeOf = (of: string): string =>
  `toUUID(concat('01890000-0000-7000-8000-', leftPad(toString(${of} % 200), 12, '0')))`

const orderColumns = `person_id, at, id, profile_id, placed, version, deleted, source, external_id, placed_at, paid_at, status,
  purchase, total, refunded, discount, line_count, store_id, seller_id, channel, side, campaign, coupon`

/** `back`: the part of the amount that was given back, from 0 to 1. */
const orderOf = (version: number, back: string): string => `
  select person, ${boughtAt} as bought, ${orderId}, person, 0, ${version}, 0, 'bench', concat(toString(person), '-', toString(k)), bought, bought,
    if(${back} = 1, 'refunded', 'paid') as state, ${back} < 1,
    toDecimal64(round(exp(4.6 + 1.6 * (${rowDraw(11)} + ${rowDraw(12)} + ${rowDraw(13)} - 1.5)), 2), 2) as paid,
    toDecimal64(round(toFloat64(paid) * ${back}, 2), 2), toDecimal64(if(cityHash64(person, k, 14) % 4 = 0, 10, 0), 2), 1,
    ${storeOf('cityHash64(person, k, 15)')}, toUUID('00000000-0000-0000-0000-000000000000'),
    ['pos', '小程序', '天猫', '京东'][1 + cityHash64(person, k, 16) % 4] as shop, if(shop = 'pos', 'offline', 'online'),
    ['', '', '', '双11', '618'][1 + cityHash64(person, k, 17) % 5], if(cityHash64(person, k, 18) % 4 = 0, 'C10', '')`

const ordersSql = (slice: number): string => `
  insert into orders (${orderColumns}) ${orderOf(1, '0')}
  from (${buyers}) array join range(n) as k where k % ${SLICES} = ${slice}`

/** Of one order in ten a second version came: a part was given back, or all of it. */
const revisionsSql = `
  insert into orders (${orderColumns}) ${orderOf(2, 'if(cityHash64(person, k, 19) % 3 = 0, 1, 0.25)')}
  from (${buyers}) array join range(n) as k where cityHash64(person, k, 20) % 10 = 0`

const eventColumns = `person_id, at, id, profile_id, placed, type, bulk, received_at, source, channel, detail, number_id, subject_id,
  store_id, staff_id, data, texts, numbers`

const kinds = `multiIf(kind < 55, 'page_viewed', kind < 85, 'tracked', kind < 90, 'touch_sent', kind < 94, 'coupon_changed',
  kind < 97, 'visited_store', 'member_replied')`

const browsers = `
  select toInt32(number + 1) as person, toFloat64(1 + toInt64(number + 1) * 7919 % 1200) as days,
    toUInt32(least(floor(-log(${draw(5)}) * {mean:Float64} + ${draw(6)}), 1000)) as n
  from numbers({persons:UInt64})`

/** Events of the last 400 days at most, more of them lately. */
const eventsSql = (slice: number): string => `
  insert into events (${eventColumns})
  select person, toDateTime64({now:Int64} - toInt64(least(days, 400) * pow(${rowDraw(30)}, 1.5) * 86400), 3, 'UTC') as moment,
    reinterpretAsUUID(sipHash128(person, k, 31)), person, 0, ${kinds} as what, 0, moment, 'bench',
    if(what = 'touch_sent', ['wecom', 'sms'][1 + pick % 2], ''),
    multiIf(what = 'page_viewed', ['home', 'product', 'cart', 'member', 'search'][1 + pick % 5],
      what = 'tracked', ['Product Viewed', 'Product Added', 'Checkout Started', 'Product Searched'][1 + pick % 4],
      what = 'coupon_changed', ['received', 'used'][1 + k % 2], ''),
    0, if(what = 'coupon_changed', reinterpretAsUUID(sipHash128(person, intDiv(k, 2), 32)), toUUID('00000000-0000-0000-0000-000000000000')),
    if(what = 'visited_store', ${storeOf('pick')}, toUUID('00000000-0000-0000-0000-000000000000')), toUUID('00000000-0000-0000-0000-000000000000'), '{}',
    multiIf(what = 'tracked', map('category', ['shoes', 'coats', '童装', 'bags'][1 + intDiv(pick, 4) % 4]),
      what = 'coupon_changed', map('kind', ['C10', 'C50'][1 + pick % 2]), map()),
    multiIf(what = 'tracked', map('price', toFloat64(10 + pick % 990)),
      what = 'coupon_changed', map('expiresAt', toFloat64(toUnixTimestamp64Milli(moment) + 30 * 86400000)), map())
  from (
    select person, days, k, cityHash64(person, k, 33) % 100 as kind, cityHash64(person, k, 34) as pick
    from (${browsers})
    array join range(n) as k where k % ${SLICES} = ${slice})`
