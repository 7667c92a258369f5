/**
 * Who comes of one's own accord, and when: pure, and the same for the same seed. Time is cut into buckets on a fixed
 * grid, each with a chance of its own, so that any division of time into rounds gives the same people.
 */
import { Chance } from './chance.ts'
import { busyness } from './hours.ts'
import { habitOf } from './purchases.ts'

const DAY_MS = 86_400_000
const BUCKET_MS = 600_000
/** New members a day for each member of the brand: three years of growth. */
const JOINS = 1 / (3 * 365)
/** Visits without a purchase, a day for each member. */
const VISITS = 0.002

export type Arrival =
  | { kind: 'join'; at: number; chance: Chance }
  | { kind: 'visit'; at: number; number: number; chance: Chance }
  | { kind: 'purchase'; at: number; number: number; id: string; chance: Chance }

export type Base = {
  seed: string
  /** Members at the beginning; joining goes on at their pace. */
  members: number
  habits: Habits
  /** How much faster than life. */
  pace: number
}

/** The habits of members 1 … n, ready to be drawn from by weight. */
export type Habits = { readonly ends: Float64Array; readonly upTo: Float64Array; readonly perDay: number }

export const NO_HABITS: Habits = { ends: new Float64Array(0), upTo: new Float64Array(0), perDay: 0 }

/** With members who follow those that are there: numbers n + 1, n + 2, … */
export function moreHabits(
  { ends, upTo, perDay }: Habits,
  seed: string,
  joined: readonly { number: number; joinedAt: Date }[],
): Habits {
  let sum = perDay
  const more = joined.map(({ number, joinedAt }) => {
    const habit = habitOf(new Chance(seed, 'buy', number), joinedAt)
    sum += habit.perDay
    return { endsAt: habit.endsAt, upTo: sum }
  })
  return {
    ends: Float64Array.from([...ends, ...more.map((one) => one.endsAt)]),
    upTo: Float64Array.from([...upTo, ...more.map((one) => one.upTo)]),
    perDay: sum,
  }
}

/** Everything with `from` < at ≤ `to`, in order of time. */
export function arrivalsOf(base: Base, from: number, to: number): Arrival[] {
  const found: Arrival[] = []
  for (let bucket = Math.floor(from / BUCKET_MS); bucket * BUCKET_MS <= to; bucket += 1)
    found.push(...bucketOf(base, bucket))
  return found.filter(({ at }) => at > from && at <= to).sort((a, b) => a.at - b.at)
}

function bucketOf({ seed, members, habits, pace }: Base, bucket: number): Arrival[] {
  const chance = new Chance(seed, 'bucket', bucket)
  const begin = bucket * BUCKET_MS
  const days = (BUCKET_MS / DAY_MS) * busyness(begin) * pace
  const at = (): number => begin + chance.below(BUCKET_MS)
  const found: Arrival[] = []
  const own = (what: string, index: number): Chance => new Chance(seed, what, bucket, index)
  for (let index = chance.poisson(members * JOINS * days); index > 0; index -= 1)
    found.push({ kind: 'join', at: at(), chance: own('join', index) })
  for (let index = chance.poisson(members * VISITS * days); index > 0; index -= 1)
    found.push({ kind: 'visit', at: at(), number: 1 + chance.below(members), chance: own('visit', index) })
  // Drawn as if nobody had left, then thinned by those who have: each keeps the own rate while it lasts.
  for (let index = chance.poisson(habits.perDay * days); index > 0; index -= 1) {
    const when = at()
    const place = drawn(habits.upTo, chance.next() * habits.perDay)
    if ((habits.ends[place] ?? 0) < when) continue
    const id = `L${bucket}-${index}`
    found.push({ kind: 'purchase', at: when, number: place + 1, id, chance: own('purchase', index) })
  }
  return found
}

/** The first place whose running sum is above `value`. */
function drawn(upTo: Float64Array, value: number): number {
  let low = 0
  let high = upTo.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((upTo[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}
