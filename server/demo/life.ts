/**
 * The demo brand lives: people come, buy and answer, guides work, all through the doors that real data passes.
 *
 * Stored: `demo_brand.lived_to`. Always true: what a round does is a function of the seed, of the stretch of time and of
 * what has reached people, and it is written in the one transaction that moves `lived_to`; a round that is killed is
 * done again from where the one before ended, and two processes never live the same stretch (lease and row lock).
 * What providers do follows after the commit and is found due again if it was not done.
 */
import { setTags } from '../audience/audience.ts'
import { append, type NewEvent, type OrderDocument, recordOrders } from '../events/events.ts'
import { type IncomingPerson, type Resolved, resolve } from '../members/members.ts'
import { idOf } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { finishTask } from '../tasks/tasks.ts'
import { answersTo, taskAnswer } from './answers.ts'
import { type Arrival, arrivalsOf, type Habits, moreHabits, NO_HABITS } from './arrivals.ts'
import { Chance } from './chance.ts'
import { guideTags } from './definitions.ts'
import { demoPlaces, PLAYED, skuOf } from './organisation.ts'
import {
  DEMO_SHOP,
  DEMO_SOURCE,
  DEMO_WECOM,
  echoesOf,
  externalIdOf,
  memberOf,
  type Places,
} from './people.ts'
import { FIRST_PURCHASE, orderOf } from './purchases.ts'
import { type DemoParts, demoMember } from './seed.ts'
import {
  type DemoBrand,
  followsOf,
  type Heard,
  heardSince,
  homesOf,
  lockDemo,
  noteBorn,
  noteLife,
  openTasks,
  presentNames,
  readBorn,
  staffByLogin,
} from './store.ts'
import { goods } from './words.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Time of one round: while nothing ran, nobody lived for longer than this. */
const ROUND_MS = 30 * MINUTE_MS
const MOST_BEHIND_MS = 2 * 3_600_000
/** What people may still react to. */
const REMEMBERED_MS = 10 * DAY_MS
const MOST_TASKS = 200
const SOURCE = 'demo-life'

type Born = { number: number; joinedAt: Date }
/** What a living brand keeps in memory. */
export type World = {
  places: Places
  habits: Habits
  born: number
  tags: readonly number[]
  played: readonly string[]
}

export type Lived = {
  to: Date
  acts: number
  born: readonly Born[]
  left: readonly { wecomUserId: string; externalUserId: string }[]
}

/** Reads what a round needs. */
export async function openWorld({ db }: DemoParts, brand: DemoBrand): Promise<World> {
  const places = await demoPlaces(db)
  const born = await readBorn(db)
  const first = Array.from({ length: brand.members }, (_, index) => ({
    number: index + 1,
    joinedAt: demoMember(brand.seed, index + 1, places, brand.beganAt).joinedAt,
  }))
  const { tags } = await presentNames(db)
  const guide = await staffByLogin(db, PLAYED.guide)
  return {
    places,
    habits: moreHabits(NO_HABITS, brand.seed, [...first, ...born]),
    born: born.length,
    tags: guideTags.flatMap((name) => tags.get(name) ?? []),
    played: guide ? [guide.id] : [],
  }
}

/** The world with those who were born in a round. */
export function withBorn(world: World, seed: string, born: readonly Born[]): World {
  if (born.length === 0) return world
  return { ...world, born: world.born + born.length, habits: moreHabits(world.habits, seed, born) }
}

type Round = { parts: DemoParts; tx: Tx; brand: DemoBrand; world: World; from: Date; to: Date }

/**
 * Lives on, at most half an hour, up to `now`. Undefined where the brand does not live. `acts` counts what was done;
 * `left`: whom which guide has lost.
 */
export async function liveOnce(
  parts: DemoParts,
  world: World,
  { token, now, pace }: { token: LeaseToken; now: Date; pace: number },
): Promise<Lived | undefined> {
  return parts.db.transaction(async (tx) => {
    await fence(tx, token)
    const brand = await lockDemo(tx)
    if (brand?.state !== 'living') return undefined
    const began = brand.livedTo ?? now
    const late = now.getTime() - began.getTime() > MOST_BEHIND_MS
    const from = late ? instant(now.getTime() - ROUND_MS) : began
    const to = instant(Math.min(now.getTime(), from.getTime() + ROUND_MS))
    const round = { parts, tx, brand, world, from, to }
    const base = { seed: brand.seed, members: brand.members, habits: world.habits, pace }
    const arrivals = arrivalsOf(base, from.getTime(), to.getTime())
    const joined = await join(round, arrivals)
    let acts = joined.acts
    acts += await visit(round, arrivals)
    const answers = await hear(round)
    acts += await buy(round, arrivals, answers.buying)
    acts += await work(round)
    await noteLife(tx, to)
    return { to, acts: acts + answers.acts, born: joined.born, left: answers.left }
  })
}

/** New members, with what a guide's WeCom knows of them; most buy at once. */
async function join(
  { parts, tx, brand, world, to }: Round,
  arrivals: readonly Arrival[],
): Promise<{ acts: number; born: Born[] }> {
  const joins = arrivals.filter((arrival) => arrival.kind === 'join')
  if (joins.length === 0) return { acts: 0, born: [] }
  const members = joins.map(({ at, chance }, index) =>
    memberOf(chance, brand.members + world.born + index + 1, world.places, instant(at)),
  )
  await noteBorn(tx, members)
  const live = { lane: 'live', at: to } as const
  const rows = members.map(({ row }) => row)
  const resolved = await resolve(parts.members, tx, rows, { ...live, source: DEMO_SOURCE })
  const echoes = members.flatMap((member, index) =>
    echoesOf(joins[index]?.chance ?? new Chance(0), member, to, 0),
  )
  for (const source of [DEMO_SOURCE, DEMO_WECOM, DEMO_SHOP]) {
    const spoken = echoes.filter((one) => one.source === source).map(({ row }) => row)
    await resolve(parts.members, tx, spoken, { ...live, source })
  }
  const orders = members.flatMap((member, index): OrderDocument[] => {
    const chance = joins[index]?.chance ?? new Chance(0)
    if (!chance.hits(FIRST_PURCHASE)) return []
    const { profileId = null, personId = null } = resolved[index] ?? {}
    const purchase = {
      externalId: `${externalIdOf(member.number)}-1`,
      at: member.joinedAt,
      storeId: member.online ? null : member.place.storeId,
      sellerId: member.online ? null : member.guide.id,
      side: member.online ? ('online' as const) : ('offline' as const),
    }
    return [{ profileId, personId, order: orderOf(chance, purchase, DEMO_SOURCE) }]
  })
  await recordOrders(tx, orders, { lane: 'live', source: DEMO_SOURCE, receivedAt: to })
  return {
    acts: members.length + orders.length,
    born: members.map(({ number, joinedAt }) => ({ number, joinedAt })),
  }
}

/** Members who look and do not buy. */
async function visit(round: Round, arrivals: readonly Arrival[]): Promise<number> {
  const visits = arrivals.filter((arrival) => arrival.kind === 'visit')
  const persons = await find(round, visits)
  const homes = await homesOf(
    round.tx,
    persons.flatMap((person) => person?.personId ?? []),
  )
  const events = visits.flatMap(({ at, number, chance }, index): NewEvent[] => {
    const person = persons[index]
    if (!person) return []
    const triedSku = chance.hits(0.4) ? skuOf(chance.below(goods.length)) : null
    const data = { storeId: homes.get(person.personId)?.storeId ?? null, bought: false, triedSku }
    const id = idOf('demo-visit', round.brand.seed, at, number)
    return [{ id, type: 'visited_store', ...idsOf(person), at: instant(at), data }]
  })
  await append(round.tx, events, { lane: 'live', source: SOURCE, receivedAt: round.to })
  return events.length
}

type Buying = { id: string; at: number; profileId: number; personId: number; chance: Chance }

/** Purchases of their own accord, and those that a message or a guide has brought about. */
async function buy(round: Round, arrivals: readonly Arrival[], brought: readonly Buying[]): Promise<number> {
  const { tx, to } = round
  const own = arrivals.filter((arrival) => arrival.kind === 'purchase')
  const persons = await find(round, own)
  const all: Buying[] = [
    ...own.flatMap(({ id, at, chance }, index) => {
      const person = persons[index]
      return person ? [{ id, at, chance, ...idsOf(person) }] : []
    }),
    ...brought,
  ]
  const homes = await homesOf(
    tx,
    all.map(({ personId }) => personId),
  )
  const documents = all.map(({ id, at, chance, profileId, personId }): OrderDocument => {
    const home = homes.get(personId)
    const side = chance.hits(home?.online ? 0.75 : 0.12) ? ('online' as const) : ('offline' as const)
    const storeId = side === 'offline' ? (home?.storeId ?? null) : null
    const sellerId = side === 'offline' && chance.hits(0.85) ? (home?.staffId ?? null) : null
    const purchase = { externalId: id, at: instant(at), storeId, sellerId, side }
    return { profileId, personId, order: orderOf(chance, purchase, DEMO_SOURCE) }
  })
  await recordOrders(tx, documents, { lane: 'live', source: DEMO_SOURCE, receivedAt: to })
  return documents.length
}

/** Members by their number; null for who was erased. */
async function find(
  { parts, tx, to }: Round,
  wanted: readonly { number: number }[],
): Promise<(Resolved | null)[]> {
  if (wanted.length === 0) return []
  const rows = wanted.map(({ number }) => ({ externalId: externalIdOf(number), demo: true, identifiers: [] }))
  return resolve(parts.members, tx, rows, { lane: 'live', source: DEMO_SOURCE, at: to })
}

function idsOf({ profileId, personId }: Resolved): { profileId: number; personId: number } {
  return { profileId, personId }
}

/** What people do about what has reached them: reply, buy, delete the guide. */
async function hear({
  parts,
  tx,
  brand,
  from,
  to,
}: Round): Promise<{ acts: number; buying: Buying[]; left: Lived['left'] }> {
  const since = instant(from.getTime() - REMEMBERED_MS)
  const heard = withRecent(await heardSince(tx, since, to)).filter(({ at }) => at > since)
  const due = (at: number | null): at is number => at !== null && at > from.getTime() && at <= to.getTime()
  const replies: NewEvent[] = []
  const buying: Buying[] = []
  const leaving: { one: Heard; at: number }[] = []
  for (const one of heard) {
    const answers = answersTo(brand.seed, {
      id: one.id,
      how: one.how,
      at: one.at.getTime(),
      recent: one.recent,
    })
    const { personId, profileId } = one
    if (due(answers.repliesAt)) {
      const data = { channel: 'wecom', staffId: one.staffId }
      const id = idOf('demo-reply', one.id)
      replies.push({ id, type: 'member_replied', personId, profileId, at: instant(answers.repliesAt), data })
    }
    if (due(answers.buysAt)) {
      const chance = new Chance(brand.seed, 'brought', one.id)
      buying.push({ id: `B${one.id}`, at: answers.buysAt, personId, profileId, chance })
    }
    if (due(answers.leavesAt)) leaving.push({ one, at: answers.leavesAt })
  }
  await append(tx, replies, { lane: 'live', source: SOURCE, receivedAt: to })
  const left = await leave({ parts, tx, to }, leaving)
  return { acts: replies.length + left.length, buying, left }
}

/** How many messages each had received within seven days when this one came. */
function withRecent(heard: readonly Heard[]): (Heard & { recent: number })[] {
  const times = new Map<number, number[]>()
  return heard.map((one) => {
    const at = one.at.getTime()
    const before = (times.get(one.personId) ?? []).filter((time) => time > at - 7 * DAY_MS)
    times.set(one.personId, [...before, at])
    return { ...one, recent: before.length + 1 }
  })
}

async function leave(
  { parts, tx, to }: Pick<Round, 'parts' | 'tx' | 'to'>,
  leaving: readonly { one: Heard; at: number }[],
): Promise<Lived['left']> {
  if (leaving.length === 0) return []
  const follows = await followsOf(
    tx,
    leaving.map(({ one }) => one.personId),
  )
  const lost = leaving.flatMap(({ one, at }) => {
    const own = follows.filter(({ personId }) => personId === one.personId)
    const follow = own.find(({ staffId }) => staffId === one.staffId) ?? own[0]
    return follow && follow.addedAt.getTime() < at ? [{ follow, at: instant(at) }] : []
  })
  const rows = lost.map(({ follow, at }): IncomingPerson => {
    const { staffId, externalUserId, addedAt } = follow
    const relation = {
      staffId,
      externalUserid: externalUserId,
      addedAt,
      lostAt: at,
      lostBy: 'member' as const,
    }
    return { externalId: externalUserId, demo: true, at, identifiers: [], relations: [relation] }
  })
  await resolve(parts.members, tx, rows, { lane: 'live', source: DEMO_WECOM, at: to })
  return lost.map(({ follow: { wecomUserId, externalUserId } }) => ({ wecomUserId, externalUserId }))
}

/** Guides do what is due, tell what came of it, and sometimes tag. */
async function work({ tx, brand, world, to }: Round): Promise<number> {
  const tasks = await openTasks(tx, world.played)
  let done = 0
  for (const task of tasks) {
    if (done >= MOST_TASKS) break
    const answer = taskAnswer(brand.seed, { id: task.id, kind: task.kind, at: task.createdAt.getTime() })
    if (!answer || answer.at > to.getTime()) continue
    const at = instant(Math.max(answer.at, task.createdAt.getTime()))
    const feedback = task.feedbackNeeded ? answer.feedback : undefined
    await finishTask(tx, task.id, { outcome: answer.outcome, feedback, by: task.staffId, at })
    done += 1
    const tagId = world.tags[new Chance(brand.seed, 'tagged', task.id).below(world.tags.length)]
    if (!answer.tags || tagId === undefined) continue
    await setTags(tx, [{ personId: task.personId, tagId }], {
      producer: 'guide',
      origin: 'manual',
      at: to,
      staffId: task.staffId,
      reason: '跟进时了解',
    })
  }
  return done
}
