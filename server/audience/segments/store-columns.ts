/** The answers that are stored for a range of persons, column by column: no object for whoever stays as he is. */
import { copyRow, float8s, instants, int4s, int8s } from '../../platform/postgres/copy-out.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { PersonState } from '../lifecycle/person-state.ts'

/** Persons from `from` on, before `before`. */
type Range = { from: number; before: number }

export type MembershipColumns = {
  /** Ascending. */
  persons: Int32Array
  /** Where the segments of each person begin in `segments`, and where those of the last one end. */
  starts: Int32Array
  segments: Int32Array
  /** ms since 1970, Infinity for never. */
  nextAt: Float64Array
}

export async function selectMembershipColumns(db: Database, range: Range): Promise<MembershipColumns> {
  const [persons, arrays, nextAt] = await copyRow(
    db,
    `select string_agg(int4send(person_id), ''), string_agg(array_send(segments), ''),
      string_agg(timestamptz_send(coalesce(next_at, 'infinity')), '')
    from (select person_id, segments, next_at from person_segment where ${within(range)} order by person_id) m`,
  )
  return { persons: int4s(persons), ...arraysOf(arrays ?? Buffer.alloc(0)), nextAt: instants(nextAt) }
}

/**
 * What `array_send` put one after the other: number of dimensions, a flag, the type, for one dimension its length and
 * lower bound, then each element after its length of 4 bytes.
 */
function arraysOf(bytes: Buffer): { starts: Int32Array; segments: Int32Array } {
  const segments = new Int32Array(bytes.length >> 3)
  const starts: number[] = [0]
  let found = 0
  for (let at = 0; at < bytes.length; ) {
    const dimensions = bytes.readInt32BE(at)
    const count = dimensions === 0 ? 0 : bytes.readInt32BE(at + 12)
    at += dimensions === 0 ? 12 : 20
    for (let place = 0; place < count; place += 1, at += 8) {
      segments[found] = bytes.readInt32BE(at + 4)
      found += 1
    }
    starts.push(found)
  }
  return { starts: Int32Array.from(starts), segments: segments.subarray(0, found) }
}

/** How each part of a state is asked for and read: null stands as what `none` says. */
type Part = { sql: string; read: (bytes: Buffer | undefined) => ArrayLike<unknown>; none: unknown }
type Name = keyof PersonState

const text = (column: string): Part => ({
  sql: `string_agg(coalesce(${column}, ''), ',')`,
  read: (bytes) => bytes?.toString('latin1').split(',') ?? [],
  none: '',
})
const moment = (column: string): Part => ({
  sql: `string_agg(timestamptz_send(coalesce(${column}, 'infinity')), '')`,
  read: instants,
  none: Number.POSITIVE_INFINITY,
})
const small = (column: string): Part => ({
  sql: `string_agg(int4send(coalesce(${column}, 0)), '')`,
  read: int4s,
  none: 0,
})

const parts: Readonly<Record<Name, Part>> = {
  lifecycle: text('lifecycle'),
  ownCycle: text('own_cycle'),
  orderStage: text('order_stage'),
  aipl: text('aipl'),
  joinRecency: text('join_recency'),
  interactionSilent: {
    sql: "string_agg(int4send(interaction_silent::int), '')",
    read: (bytes) => [...int4s(bytes)].map((value) => value === 1),
    none: undefined,
  },
  purchases: { ...small('purchases'), none: undefined },
  spentCents: { sql: "string_agg(int8send(spent_cents), '')", read: int8s, none: undefined },
  firstPurchaseAt: moment('first_purchase_at'),
  lastPurchaseAt: moment('last_purchase_at'),
  medianGapDays: {
    sql: "string_agg(float8send(coalesce(median_gap_days, -1)), '')",
    read: float8s,
    none: -1,
  },
  lastInteractionAt: moment('last_interaction_at'),
  r: small('r'),
  f: small('f'),
  m: small('m'),
  rfmGroup: text('rfm_group'),
}
const names = Object.keys(parts) as Name[]

export class StateColumns {
  /** Ascending. */
  readonly persons: Int32Array
  readonly #columns: readonly { name: Name; values: ArrayLike<unknown>; none: unknown }[]

  constructor(persons: Int32Array, columns: readonly (Buffer | undefined)[]) {
    this.persons = persons
    this.#columns = names.map((name, place) => ({
      name,
      values: parts[name].read(columns[place]),
      none: parts[name].none,
    }))
  }

  /** Whether the row says what the state says. */
  says(row: number, state: PersonState): boolean {
    for (const { name, values, none } of this.#columns)
      if (values[row] !== (state[name] ?? none)) return false
    return true
  }
}

export async function selectStateColumns(db: Database, range: Range): Promise<StateColumns> {
  const [persons, ...columns] = await copyRow(
    db,
    `select string_agg(int4send(person_id), ''), ${names.map((name) => parts[name].sql).join(', ')}
    from (select * from person_state where ${within(range)} order by person_id) s`,
  )
  return new StateColumns(int4s(persons), columns)
}

/** Triples of person, group and tag, or pairs of person and tag, ascending by person. */
export type AutoColumns = { tags: Int32Array; claims: Int32Array; values: Int32Array }

/** What rules have said so far: business tags, and claims in groups of level S; and the values that stand. */
export async function selectAutoColumns(db: Database, range: Range): Promise<AutoColumns> {
  const [tags] = await copyRow(
    db,
    `select string_agg(int4send(person_id) || int4send(tag_id), '') from (
      select person_id, tag_id from person_tag pt join tag t on t.id = pt.tag_id
      where ${within(range)} and pt.origin = 'auto' and t.rule is not null and t.state = 'active' order by person_id) p`,
  )
  const [claims] = await copyRow(
    db,
    `select string_agg(int4send(person_id) || int4send(group_id) || int4send(tag_id), '') from (
      select c.person_id, c.group_id, c.tag_id from s_tag_claim c join tag t on t.id = c.tag_id
      where ${within(range)} and c.origin = 'auto' and t.rule is not null and t.state = 'active' order by c.person_id) p`,
  )
  const [values] = await copyRow(
    db,
    `select string_agg(int4send(person_id) || int4send(group_id) || int4send(tag_id), '') from (
      select person_id, group_id, tag_id from s_tag where ${within(range)} order by person_id) p`,
  )
  return { tags: int4s(tags), claims: int4s(claims), values: int4s(values) }
}

/** Errors: a TypeError for what is no whole number. */
function within({ from, before }: Range): string {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(before)) throw new TypeError('no whole number')
  return `person_id >= ${from} and person_id < ${before}`
}
