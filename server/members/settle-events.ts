/** The events of what profiles newly say, for settling and for profiles that are born alone. */
import type { NewEvent } from '../events/events.ts'
import { instant } from '../platform/time/clock.ts'
import type { Attributes } from './attributes.ts'
import { event, profileEvents, type Teller } from './happenings.ts'
import type { Facts, ResolveHow } from './incoming.ts'
import type { RelationNews, WordNews } from './settle-words.ts'
import type { World } from './settle-world.ts'
import { type Side, sourceOf } from './source.ts'
import type { PersonRow } from './store-persons.ts'

type Told = {
  world: World
  task: { words: ReadonlyMap<number, Facts>; fresh: ReadonlyMap<number, Facts> }
  changed: ReadonlyMap<number, WordNews>
  relationNews: readonly RelationNews[]
  before: ReadonlyMap<number, PersonRow & { state: string }>
  personOf: ReadonlyMap<number, number>
}

/** The events of what was said, after those of merges. */
export function wordEvents(
  { world, task, changed, relationNews, before, personOf }: Told,
  how: ResolveHow,
): NewEvent[] {
  const events: NewEvent[] = []
  const joined = new Set<number>()
  for (const profile of world.profiles) {
    const personId = personOf.get(profile.id) ?? profile.id
    const facts = task.words.get(profile.id) ?? task.fresh.get(profile.id)
    if (!facts) continue
    const born = task.fresh.has(profile.id)
    const news = born
      ? { changed: Object.keys(profile.attributes), identifiers: kindsOf(facts) }
      : (changed.get(profile.id) ?? { changed: [], identifiers: [] })
    const teller = { profileId: profile.id, personId, at: instant(facts.at), how }
    const wasMember = world.profiles.some(
      (one) =>
        personOf.get(one.id) === personId &&
        before.get(one.personId)?.state === 'live' &&
        before.get(one.personId)?.joinedAt != null,
    )
    if (news.changed.includes('joinedAt') && !wasMember && !joined.has(personId)) {
      joined.add(personId)
      events.push(
        joinedEvent(
          { ...teller, at: instant(Number(profile.attributes['joinedAt']?.[0])) },
          profile.attributes,
        ),
      )
    }
    events.push(...profileEvents(teller, profile.attributes, { ...news, born }))
    if (news.changed.includes('ownerStaffId') || news.changed.includes('homeStoreId')) {
      events.push(ownerEvent(teller, profile.attributes))
    }
    if (born) events.push(...followEvents(teller, facts))
  }
  for (const { profileId, staffId, addWay, lostBy, at, lost } of relationNews) {
    const teller = { profileId, personId: personOf.get(profileId) ?? profileId, at, how }
    events.push(
      lost
        ? event('contact_lost', teller, { staffId, by: lostBy ?? 'member' })
        : event('contact_added', teller, { staffId, addWay }),
    )
  }
  return events
}

export function kindsOf({ claims }: Facts): string[] {
  return [
    ...new Set(claims.filter(({ state, valid }) => state === 'active' && valid).map(({ kind }) => kind)),
  ].sort()
}

export function joinedEvent(teller: Teller, attributes: Attributes): NewEvent {
  const word = <Value extends string>(field: string): Value | null =>
    (attributes[field]?.[0] as Value | undefined) ?? null
  const registerChannel = word<Side>('registerChannel')
  const { source, side } = sourceOf({
    source: word('source'),
    side: word('side'),
    registerChannel,
    sourceChannel: word('sourceChannel'),
    registration: word('registration'),
    followed: false,
    joined: true,
  })
  return event('member_joined', teller, { source, side, registerChannel, storeId: word('homeStoreId') })
}

export function ownerEvent(teller: Teller, attributes: Attributes): NewEvent {
  return event('owner_changed', teller, {
    storeId: attributes['homeStoreId']?.[0] ?? null,
    staffId: attributes['ownerStaffId']?.[0] ?? null,
  })
}

/** Relations that a new profile was born with. */
export function followEvents(teller: Teller, facts: Facts): NewEvent[] {
  return facts.relations.flatMap(({ staffId, addWay, addedAt, lostAt, lostBy }) => [
    event('contact_added', { ...teller, at: addedAt }, { staffId, addWay: addWay ?? null }),
    ...(lostAt && lostAt >= addedAt
      ? [event('contact_lost', { ...teller, at: lostAt }, { staffId, by: lostBy ?? 'import' })]
      : []),
  ])
}
