/** Single conditions about one person: value, verdict, and the first moment at which the verdict can change by itself. */
import type { Leaf } from '../../../contract/rule.ts'
import { compares, scaled } from '../../../contract/rule-parts.ts'
import { unreachable } from '../../platform/problem.ts'
import type { PersonState } from '../lifecycle/person-state.ts'
import { attributeReader, dateReader } from './attribute-leaf.ts'
import { type Condition, type LeafReader, type LeafReading, ofEach, type Shared } from './bench.ts'
import { ageOn, birthdayOf, dayOfAge, nextBirthday } from './birthday.ts'
import { couponReader } from './coupon-leaf.ts'
import { categoryReader, eventsCondition, ordersCondition, sequenceReader } from './history-leaf.ts'
import { nextFlip } from './measured.ts'
import { drawOf, seedOf } from './sample.ts'
import type { ZoneDays } from './zone-days.ts'

const NEVER = Number.POSITIVE_INFINITY
/** Somebody told day and month only. */
const UNKNOWN_YEAR = '0000'
type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>

export function compileLeaf(leaf: Leaf, shared: Shared): Condition {
  if (leaf.kind === 'orders') return ordersCondition(leaf, shared)
  return leaf.kind === 'events' ? eventsCondition(leaf, shared) : ofEach(readerOf(leaf, shared))
}

function readerOf(leaf: Exclude<Leaf, { kind: 'orders' | 'events' }>, shared: Shared): LeafReader {
  switch (leaf.kind) {
    case 'attribute':
      return attributeReader(leaf)
    case 'tag':
      return tagReader(leaf, shared)
    case 's_tag':
      return sTagReader(leaf, shared)
    case 'lifecycle':
      return leaf.category === undefined
        ? amongStates(leaf.states, (state) => state.lifecycle)
        : categoryReader(leaf, leaf.category, shared)
    case 'own_cycle':
      return amongStates(leaf.states, (state) => state.ownCycle)
    case 'order_stage':
      return amongStates(leaf.stages, (state) => state.orderStage)
    case 'join_recency':
      return amongStates(leaf.recencies, (state) => state.joinRecency)
    case 'aipl':
      return amongStates(leaf.stages, (state) => state.aipl)
    case 'rfm_group':
      return amongStates(leaf.groups, (state) => state.rfmGroup)
    case 'rfm_score':
      return scoreReader(leaf)
    case 'one_time_buyer':
      return ({ state }) => ({ value: state.purchases, verdict: state.purchases === 1, next: NEVER })
    case 'interaction_silent':
      return ({ state }) => ({
        value: state.interactionSilent,
        verdict: state.interactionSilent,
        next: NEVER,
      })
    case 'age':
      return ageReader(leaf, shared.days)
    case 'joined':
      return joinedReader(leaf, shared.days)
    case 'birthday':
      return birthdayReader(leaf, shared.days)
    case 'date':
      return dateReader(leaf, shared.days)
    case 'cycle':
      return cycleReader(leaf, shared.days)
    case 'sequence':
      return sequenceReader(leaf, shared)
    case 'coupon':
      return couponReader(leaf)
    case 'segment': {
      const place = shared.places.get(`s${leaf.segment}`) ?? -1
      return ({ sitting, place: person }) => {
        const verdict = sitting.holds[place]?.[person] === 1
        return { value: verdict, verdict, next: NEVER }
      }
    }
    case 'sample':
      return sampleReader(leaf)
    default:
      return unreachable(leaf)
  }
}

/** States change at moments that the bench already counts with. */
function amongStates<T extends string>(
  allowed: readonly T[],
  get: (state: PersonState) => T | null,
): LeafReader {
  const set = new Set<T>(allowed)
  return ({ state }) => {
    const value = get(state)
    return { value, verdict: value !== null && set.has(value), next: NEVER }
  }
}

function tagReader(leaf: LeafOf<'tag'>, { autoTags, places, descendants }: Shared): LeafReader {
  const wanted = leaf.tags.map((tag) => [...descendants([tag])])
  return ({ facts, sitting, place, sValues }) => {
    const has = (tag: number): boolean => {
      const definition = autoTags.get(tag)
      if (definition && definition.level === 'b')
        return sitting.holds[places.get(`t${tag}`) ?? -1]?.[place] === 1 || facts.tags.includes(tag)
      if (facts.tags.includes(tag)) return true
      for (const value of sValues.values()) if (value.tag === tag) return true
      return false
    }
    const held = wanted.filter((tags) => tags.some(has)).length
    const verdict = leaf.match === 'all' ? held === wanted.length : held > 0
    return { value: held, verdict, next: NEVER }
  }
}

function sTagReader(leaf: LeafOf<'s_tag'>, { descendants }: Shared): LeafReader {
  const tags = descendants(leaf.values.filter((value) => value !== null))
  const unknown = leaf.values.includes(null)
  return ({ sValues }) => {
    const value = sValues.get(leaf.group)?.tag ?? null
    return { value, verdict: value === null ? unknown : tags.has(value), next: NEVER }
  }
}

function scoreReader(leaf: LeafOf<'rfm_score'>): LeafReader {
  return ({ state }) => {
    const within = (['r', 'f', 'm'] as const).every((measure) => {
      const span = leaf[measure]
      const score = state[measure]
      return score !== null && (!span || (score >= span[0] && score <= span[1]))
    })
    const value = state.r === null ? null : `${state.r}${state.f}${state.m}`
    return { value, verdict: within, next: NEVER }
  }
}

function ageReader({ compare }: LeafOf<'age'>, days: ZoneDays): LeafReader {
  return rememberedByBirthday((birthday, _, today) => {
    if (birthday.startsWith(UNKNOWN_YEAR)) return UNKNOWN
    const value = ageOn(birthday, today)
    const flip = nextFlip(value, compare)
    const next = flip === undefined ? NEVER : days.start(dayOfAge(birthday, flip))
    return { value, verdict: compares(value, compare), next }
  })
}

const UNKNOWN: LeafReading = { value: null, verdict: false, next: NEVER }
/** There are fewer days in a life than this; what was told wrongly shall not fill the memory. */
const MOST_BIRTHDAYS = 100_000

/** Everybody is asked about on the same day, and many share a birthday. */
function rememberedByBirthday(
  read: (birthday: string, lunar: boolean, today: number) => LeafReading,
): LeafReader {
  const known = { solar: new Map<string, LeafReading>(), lunar: new Map<string, LeafReading>(), today: 0 }
  return ({ facts: { birthday, lunar }, today }) => {
    if (birthday === null) return UNKNOWN
    const readings = lunar ? known.lunar : known.solar
    if (known.today !== today || readings.size > MOST_BIRTHDAYS) {
      known.solar.clear()
      known.lunar.clear()
      known.today = today
    }
    let reading = readings.get(birthday)
    if (reading === undefined) {
      reading = read(birthday, lunar, today)
      readings.set(birthday, reading)
    }
    return reading
  }
}

function joinedReader({ daysAgo }: LeafOf<'joined'>, days: ZoneDays): LeafReader {
  return ({ facts, today }) => {
    if (facts.joinedAt === null) return { value: null, verdict: false, next: NEVER }
    const joined = days.of(facts.joinedAt)
    const flip = nextFlip(today - joined, daysAgo)
    const next = flip === undefined ? NEVER : days.start(joined + flip)
    return { value: today - joined, verdict: compares(today - joined, daysAgo), next }
  }
}

function birthdayReader({ withinDays }: LeafOf<'birthday'>, days: ZoneDays): LeafReader {
  return rememberedByBirthday((birthday, lunar, today) => {
    const away = nextBirthday(birthdayOf(birthday, lunar), today) - today
    const verdict = away <= withinDays
    return { value: away, verdict, next: days.start(today + (verdict ? away + 1 : away - withinDays)) }
  })
}

/** The days grow by one at each midnight; the edge is the last purchase + k × the median gap. */
function cycleReader({ multiple, atLeast }: LeafOf<'cycle'>, days: ZoneDays): LeafReader {
  return ({ state, today }) => {
    const { lastPurchaseAt, medianGapDays } = state
    if (lastPurchaseAt === null || medianGapDays === null || state.purchases < atLeast)
      return { value: null, verdict: false, next: NEVER }
    const gap = Math.max(1, medianGapDays)
    const last = days.of(lastPurchaseAt)
    const edges = scaled(multiple, gap)
    const flip = nextFlip(today - last, edges)
    return {
      value: Math.round(((today - last) / gap) * 100) / 100,
      verdict: compares(today - last, edges),
      next: flip === undefined ? NEVER : days.start(last + flip),
    }
  }
}

function sampleReader({ salt, per10000 }: LeafOf<'sample'>): LeafReader {
  const seed = seedOf(salt)
  return ({ facts }) => {
    const value = drawOf(seed, facts.personId)
    return { value, verdict: value < per10000, next: NEVER }
  }
}
