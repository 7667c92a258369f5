/**
 * The whole base as of the end of a past day: life cycle, stages, RFM and the flow from source to state.
 *
 * By purchases, joining and contact until then, with today's bands, today's refunds and today's persons (whoever was
 * joined since is one person also in the past). Persons who had neither joined nor bought by then are left out. RFM is
 * cut by the quintiles of that day. One pass over the purchases of everybody; memory grows by some 80 bytes a person, however
 * far apart their ids are.
 */
import { setImmediate as breath } from 'node:timers/promises'
import {
  aiplOf,
  type Edges,
  edgesOf,
  interactionSilentOf,
  joinRecencyOf,
  type LifecycleState,
  lifecycleOf,
  medianGap,
  orderStageOf,
  ownCycleOf,
} from '../../../contract/lifecycle.ts'
import { type CutPoints, cutsOf, type RfmGroup, rfmGroupOf, rfmScores } from '../../../contract/rfm.ts'
import { placement } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import { dayFromNumber, numberOfDay, startOfDay, type Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { interactionTypes } from '../facts/load.ts'
import {
  type Count,
  type FlowLink,
  type LifecycleCount,
  type Overview,
  type RfmOverview,
  withConversion,
} from './overview.ts'

/** `day` is the number of the last day that counts; `visible` a condition over `person p`. */
export type AsOf = { day: number; zone: Zone; visible?: Sql }

export type PastBase = {
  overview: Overview
  rfm: Pick<RfmOverview, 'cells' | 'groups'> & { cuts: CutPoints | undefined }
  flow: FlowLink[]
}

/** Errors: those of the stores. */
export async function baseAsOf(
  db: Database,
  clickhouse: ClickHouse,
  { day, zone, visible = sql`true` }: AsOf,
): Promise<PastBase> {
  const { definitions } = await presentEvaluator(db, zone)
  const end = startOfDay(zone, day + 1)
  const people = await peopleUntil(db, { end, zone, visible })
  const heard = await contactsUntil(db, clickhouse, { end, zone, people })
  const tally = new Tally(day, edgesOf(definitions.bands))
  const { person, counts, params } = await placement(db)
  const query = `select ${person} as present, toInt32(count()), toString(sum(toInt64(total * 100) - toInt64(refunded * 100))),
      arraySort(groupUniqArray(toInt32(toDate32(orders.at, {zone:String}))))
    from orders final where purchase = 1 and orders.at < {end:DateTime64(3, 'UTC')} and ${counts} and person_id > 0 group by present`
  const stream = clickhouse.stream<[number, number, string, number[]]>(query, { ...params, zone, end })
  for await (const rows of stream) {
    for (const [id, purchases, cents, days] of rows) {
      const known = people.take(id)
      if (known)
        tally.add({ ...known, purchases, spentCents: Number(cents), days, heard: dayIn(heard[known.place]) })
    }
  }
  for (let place = 0; place < people.size; place += 1) {
    // Pages are answered in this process, too.
    if (place % BATCH === 0) await breath()
    const known = people.takeAt(place)
    if (known && known.joined !== null)
      tally.add({ ...known, purchases: 0, spentCents: 0, days: [], heard: dayIn(heard[place]) })
  }
  return { overview: tally.overview(end), rfm: tally.rfm(), flow: tally.flow() }
}

/** Days that no calendar has: nobody there, and somebody whose day is not known. */
const ABSENT = -0x8000_0000
const UNDATED = ABSENT + 1
const BATCH = 50_000

type Origin = { source: string; side: 'online' | 'offline' | null }
type Known = Origin & { joined: number | null }

/**
 * Who is there: the day of joining, and where the person came from. By place in the order of ids, not by id: those of
 * visitors and of the demo begin at 2^29 and above, and an array up to the highest would take gigabytes.
 */
class People {
  readonly #ids: number[] = []
  readonly #joined: number[] = []
  readonly #origin: number[] = []
  readonly #origins: Origin[] = []
  readonly #numbers = new Map<string, number>()

  get size(): number {
    return this.#ids.length
  }

  /** In the order of ids. */
  add(id: number, joined: number | null, { source, side }: Origin): void {
    const key = `${source} ${side}`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#origins.push({ source, side }) - 1
      this.#numbers.set(key, number)
    }
    this.#ids.push(id)
    this.#joined.push(joined ?? UNDATED)
    this.#origin.push(number)
  }

  placeOf(id: number): number | undefined {
    let [from, to] = [0, this.#ids.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#ids[middle] ?? 0) < id) from = middle + 1
      else to = middle
    }
    return this.#ids[from] === id ? from : undefined
  }

  /** The person, once. */
  take(id: number): (Known & { place: number }) | undefined {
    const place = this.placeOf(id)
    const known = place === undefined ? undefined : this.takeAt(place)
    return known && place !== undefined ? { ...known, place } : undefined
  }

  /** The person in this place, once. */
  takeAt(place: number): Known | undefined {
    const joined = this.#joined[place] ?? ABSENT
    const origin = this.#origins[this.#origin[place] ?? 0]
    if (joined === ABSENT || !origin) return undefined
    this.#joined[place] = ABSENT
    return { ...origin, joined: joined === UNDATED ? null : joined }
  }
}

async function peopleUntil(
  db: Database,
  { end, zone, visible }: { end: Date; zone: Zone; visible: Sql },
): Promise<People> {
  const people = new People()
  for (let after: number | undefined = 0; after !== undefined; ) {
    const rows: (Origin & { id: number; joined: string | null })[] = await db.rows(sql`
      select p.id, p.source, p.source_side as side,
        case when p.joined_at < ${end} then (p.joined_at at time zone ${zone})::date::text end as joined
      from person p where p.state = 'live' and p.id > ${after} and ${visible} order by p.id limit ${BATCH}`)
    for (const { id, joined, ...origin } of rows)
      people.add(id, joined === null ? null : numberOfDay(joined), origin)
    after = rows.length < BATCH ? undefined : rows.at(-1)?.id
  }
  return people
}

/** The day of each person's last exchange with the brand, by the person's place. */
async function contactsUntil(
  db: Database,
  clickhouse: ClickHouse,
  { end, zone, people }: { end: Date; zone: Zone; people: People },
): Promise<Int32Array> {
  const { person, counts, params } = await placement(db)
  const query = `select ${person} as present, toInt32(toDate32(max(events.at), {zone:String}))
    from events where type in {types:Array(String)} and events.at < {end:DateTime64(3, 'UTC')} and ${counts} and person_id > 0
    group by present`
  const heard = new Int32Array(people.size).fill(ABSENT)
  const stream = clickhouse.stream<[number, number]>(query, {
    ...params,
    zone,
    end,
    types: [...interactionTypes],
  })
  for await (const rows of stream) {
    for (const [id, on] of rows) {
      const place = people.placeOf(id)
      if (place !== undefined) heard[place] = on
    }
  }
  return heard
}

function dayIn(day = ABSENT): number | null {
  return day === ABSENT ? null : day
}

type Past = Known & {
  purchases: number
  spentCents: number
  /** Days with a purchase, ascending. */
  days: readonly number[]
  heard: number | null
}

/** Adds persons up. */
class Tally {
  readonly #day: number
  readonly #edges: Edges
  readonly #month: number
  readonly #lifecycle = new Map<LifecycleState, LifecycleCount>()
  readonly #spread = {
    ownCycle: new Map<string, number>(),
    stages: new Map<string, number>(),
    joinRecency: new Map<string, number>(),
    aipl: new Map<string, number>(),
  }
  readonly #single = {
    oneTimeBuyers: 0,
    interactionSilent: 0,
    fallingAsleep30Days: 0,
    wokenThisMonth: 0,
    newThisMonth: 0,
  }
  readonly #flow = new Map<string, FlowLink>()
  readonly #recency: number[] = []
  readonly #frequency: number[] = []
  readonly #spent: number[] = []

  constructor(day: number, edges: Edges) {
    this.#day = day
    this.#edges = edges
    this.#month = numberOfDay(`${dayFromNumber(day).slice(0, 7)}-01`)
  }

  add(person: Past): void {
    const last = person.days.at(-1)
    const since = last === undefined ? null : this.#day - last
    const sinceJoining = person.joined === null ? null : this.#day - person.joined
    const state = lifecycleOf(since, sinceJoining, this.#edges)
    const count = this.#lifecycle.get(state) ?? { state, persons: 0, spentCents: 0 }
    count.persons += 1
    count.spentCents += person.spentCents
    this.#lifecycle.set(state, count)
    const { ownCycle, stages, joinRecency, aipl } = this.#spread
    more(ownCycle, ownCycleOf(since, medianGap(person.days)))
    more(stages, orderStageOf(person.purchases))
    more(joinRecency, joinRecencyOf(sinceJoining))
    const interacted = person.heard !== null
    more(
      aipl,
      aiplOf({ purchases: person.purchases, lifecycle: state, joined: person.joined !== null, interacted }),
    )
    this.#count(person, since, sinceJoining)
    this.#link(person, state)
    if (since === null) return
    this.#recency.push(since)
    this.#frequency.push(person.purchases)
    this.#spent.push(person.spentCents)
  }

  #count(person: Past, since: number | null, sinceJoining: number | null): void {
    const single = this.#single
    const [silent] = this.#edges
    if (person.purchases === 1) single.oneTimeBuyers += 1
    const unheard = person.heard === null ? null : this.#day - person.heard
    if (interactionSilentOf(unheard, sinceJoining)) single.interactionSilent += 1
    if (since !== null && since < silent && since + 30 >= silent) single.fallingAsleep30Days += 1
    if (person.joined !== null && person.joined >= this.#month) single.newThisMonth += 1
    const woke = person.days.some((day, place) => {
      const before = person.days[place - 1]
      return day >= this.#month && before !== undefined && day - before >= silent
    })
    if (woke) single.wokenThisMonth += 1
  }

  #link({ source, side }: Origin, state: LifecycleState): void {
    const key = `${source} ${side} ${state}`
    const link = this.#flow.get(key) ?? { source, side, state, persons: 0 }
    link.persons += 1
    this.#flow.set(key, link)
  }

  overview(asOf: Date): Overview {
    const { ownCycle, stages, joinRecency, aipl } = this.#spread
    return {
      asOf,
      lifecycle: [...this.#lifecycle.values()],
      ownCycle: counted<Overview['ownCycle'][number]>(ownCycle, 'state'),
      stages: withConversion(counted<Count<'stage', Overview['stages'][number]['stage']>>(stages, 'stage')),
      joinRecency: counted<Overview['joinRecency'][number]>(joinRecency, 'state'),
      aipl: counted<Overview['aipl'][number]>(aipl, 'stage'),
      ...this.#single,
    }
  }

  rfm(): PastBase['rfm'] {
    if (this.#recency.length === 0) return { cuts: undefined, cells: [], groups: [] }
    const cuts = {
      r: cutsOf(Float64Array.from(this.#recency).sort(), 'r'),
      f: cutsOf(Float64Array.from(this.#frequency).sort(), 'f'),
      m: cutsOf(Float64Array.from(this.#spent).sort(), 'm'),
    }
    const cells = new Map<number, RfmOverview['cells'][number]>()
    const groups = new Map<RfmGroup, RfmOverview['groups'][number]>()
    this.#recency.forEach((recencyDays, place) => {
      const purchases = this.#frequency[place] ?? 0
      const spentCents = this.#spent[place] ?? 0
      const scores = rfmScores({ recencyDays, purchases, spentCents }, cuts)
      const key = scores.r * 10 + scores.f
      const cell = cells.get(key) ?? { recency: scores.r, frequency: scores.f, persons: 0, spentCents: 0 }
      cell.persons += 1
      cell.spentCents += spentCents
      cells.set(key, cell)
      const name = rfmGroupOf(scores)
      const group = groups.get(name) ?? { group: name, persons: 0, spentCents: 0 }
      group.persons += 1
      group.spentCents += spentCents
      groups.set(name, group)
    })
    return {
      cuts,
      cells: [...cells].sort(([left], [right]) => left - right).map(([, cell]) => cell),
      groups: [...groups.values()].sort((left, right) => right.persons - left.persons),
    }
  }

  flow(): FlowLink[] {
    return [...this.#flow.values()].sort((left, right) => right.persons - left.persons)
  }
}

function more(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function counted<Row>(counts: ReadonlyMap<string, number>, name: 'state' | 'stage'): Row[] {
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([value, persons]) => ({ [name]: value, persons }) as Row)
}
