/** The simulated members, with the dirt that real bases have: wrong phones, doubles, families, contacts nobody registered. */
import type { IncomingPerson } from '../members/members.ts'
import { instant } from '../platform/time/clock.ts'
import type { Chance } from './chance.ts'
import { inOpeningHours } from './hours.ts'
import { cities, femaleNames, maleNames, surnames } from './words.ts'

export const DEMO_SOURCE = 'demo-erp'
export const DEMO_WECOM = 'demo-wecom'
export const DEMO_SHOP = 'demo-shop'
const CORP = 'demo-corp'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const YEARS = 3

export type Places = readonly [Place, ...Place[]]
export type Place = { storeId: string; guides: readonly { id: string; wecomUserId: string }[] }
export type SimulatedMember = {
  row: IncomingPerson
  number: number
  joinedAt: Date
  place: Place
  guide: Place['guides'][number]
  online: boolean
  registered: boolean
}

/** A moment of joining within the three years before `now`, in opening hours; growth is steady with a small upward bend. */
export function joiningTime(chance: Chance, now: Date): Date {
  const day = Math.floor(chance.next() ** 1.15 * YEARS * 365)
  const at = inOpeningHours(chance, now.getTime() - day * DAY_MS)
  return instant(Math.min(at, now.getTime() - chance.below(6 * HOUR_MS)))
}

/** How the demo's ERP names member `number`. */
export function externalIdOf(number: number): string {
  return `M${String(number).padStart(6, '0')}`
}

/** Member `number` of the brand, who joined at `joinedAt`. */
export function memberOf(chance: Chance, number: number, places: Places, joinedAt: Date): SimulatedMember {
  const place = chance.one(places)
  const guide = place.guides[chance.below(place.guides.length)] ?? { id: '', wecomUserId: '' }
  const female = chance.hits(0.86)
  const online = chance.hits(0.34)
  const registered = chance.hits(0.94)
  const name = nameOf(chance, female)
  const sex = female ? 'female' : 'male'
  const side = online ? 'online' : 'offline'
  const registeredHow = chance.hits(0.07) ? 'registered_before' : 'registered'
  const phone = phoneOf(chance, number)
  const source = online
    ? pick(chance, [
        ['organic', 0.5],
        ['referral_fission', 0.25],
        ['returning', 0.25],
      ])
    : pick(chance, [
        ['guide_recruited', 0.62],
        ['organic', 0.2],
        ['member_get_member', 0.1],
        ['returning', 0.08],
      ])
  return {
    number,
    joinedAt,
    place,
    guide,
    online,
    registered,
    row: {
      externalId: externalIdOf(number),
      at: joinedAt,
      demo: true,
      identifiers: [
        ...(phone ? [{ kind: 'phone' as const, value: phone }] : []),
        ...(registered
          ? [{ kind: 'card' as const, scope: DEMO_SOURCE, value: `8${String(number).padStart(9, '0')}` }]
          : []),
      ],
      attributes: {
        name: chance.hits(0.03) ? null : name,
        gender: chance.hits(0.1) ? null : sex,
        birthday: chance.hits(0.62) ? birthdayOf(chance) : null,
        birthdayLunar: chance.hits(0.09),
        city: chance.hits(0.8) ? chance.one(cities) : null,
        joinedAt: registered ? joinedAt : null,
        registerChannel: registered ? side : null,
        registration: registered ? registeredHow : 'bought_unregistered',
        source,
        side,
        homeStoreId: place.storeId,
        ownerStaffId: chance.hits(0.82) ? guide.id : null,
      },
      consents: consentsOf(chance, joinedAt) ?? [],
    },
  }
}

/**
 * The same person as the shop or a guide's WeCom knows it at `until`: joined by phone, or only alike. Empty for most.
 * `within`: how long after joining they add the guide.
 */
export function echoesOf(
  chance: Chance,
  member: SimulatedMember,
  until: Date,
  within = 20 * DAY_MS,
): { source: string; row: IncomingPerson }[] {
  const echoes: { source: string; row: IncomingPerson }[] = []
  const phone = member.row.identifiers.find((identifier) => identifier.kind === 'phone')
  const friend = chance.hits(0.56)
  const addedAt = instant(member.joinedAt.getTime() + Math.floor(chance.next() * within))
  const lostAt = chance.hits(0.07) ? instant(addedAt.getTime() + chance.below(200 * DAY_MS)) : null
  if (friend && addedAt <= until) {
    const id = `wm-demo-${member.number}`
    const lost = lostAt !== null && lostAt <= until
    echoes.push({
      source: DEMO_WECOM,
      row: {
        externalId: id,
        demo: true,
        at: addedAt,
        identifiers: [
          { kind: 'external_userid', scope: CORP, value: id },
          { kind: 'unionid', value: `on-demo-${member.number}` },
          ...(phone ? [phone] : []),
        ],
        attributes: { nickname: member.row.attributes?.name ?? null },
        relations: [
          {
            staffId: member.guide.id,
            externalUserid: id,
            addWay: 'qr',
            addedAt,
            lostAt: lost ? lostAt : null,
            lostBy: lost ? 'member' : null,
          },
        ],
      },
    })
  }
  if (phone && chance.hits(0.12)) {
    echoes.push({
      source: DEMO_SHOP,
      row: {
        externalId: `u${member.number}`,
        demo: true,
        at: member.joinedAt,
        identifiers: [phone, { kind: 'mp_openid', scope: 'demo-mini', value: `mp-demo-${member.number}` }],
        attributes: { side: 'online' },
      },
    })
  }
  if (chance.hits(0.012)) {
    const { name, birthday, birthdayLunar, city } = member.row.attributes ?? {}
    echoes.push({
      source: DEMO_SHOP,
      row: {
        externalId: `old${member.number}`,
        demo: true,
        at: member.joinedAt,
        identifiers: [{ kind: 'mp_openid', scope: 'demo-mini', value: `mp-old-${member.number}` }],
        attributes: {
          name: name ?? null,
          birthday: birthday ?? null,
          birthdayLunar: birthdayLunar ?? null,
          city: city ?? null,
        },
      },
    })
  }
  if (phone && member.registered && chance.hits(0.004)) {
    echoes.push({
      source: DEMO_SOURCE,
      row: {
        externalId: `F${member.number}`,
        demo: true,
        at: member.joinedAt,
        identifiers: [
          phone,
          { kind: 'card', scope: DEMO_SOURCE, value: `9${String(member.number).padStart(9, '0')}` },
        ],
        attributes: {
          name: nameOf(chance, chance.hits(0.5)),
          joinedAt: member.joinedAt,
          registration: 'registered',
          registerChannel: 'offline',
          source: 'member_get_member',
          side: 'offline',
          homeStoreId: member.place.storeId,
        },
      },
    })
  }
  return echoes
}

/** Somebody who is in a guide's WeCom and nowhere else. */
export function contactOf(chance: Chance, number: number, places: Places, now: Date): IncomingPerson {
  const place = chance.one(places)
  const guide = place.guides[chance.below(place.guides.length)] ?? { id: '', wecomUserId: '' }
  const addedAt = instant(now.getTime() - chance.below(700 * DAY_MS))
  const id = `wm-only-${number}`
  return {
    externalId: id,
    demo: true,
    at: addedAt,
    identifiers: [{ kind: 'external_userid', scope: CORP, value: id }],
    attributes: { nickname: nameOf(chance, chance.hits(0.8)), source: 'guide_recruited', side: 'offline' },
    relations: [{ staffId: guide.id, externalUserid: id, addWay: 'qr', addedAt }],
  }
}

function nameOf(chance: Chance, female: boolean): string {
  const rare = chance.hits(0.002) ? '𠮷' : ''
  return `${chance.one(surnames)}${chance.one(female ? femaleNames : maleNames)}${rare}`
}

/** 13x–19x numbers by member, so that no two are the same by chance; some are wrong, some missing. */
function phoneOf(chance: Chance, number: number): string | undefined {
  const dice = chance.next()
  if (dice < 0.05) return undefined
  if (dice < 0.075) return `1${String(number).padStart(8, '0')}`
  const prefix = chance.one(['138', '139', '136', '150', '158', '186', '188', '133', '177', '199'])
  const digits = `${prefix}${String((number * 7919 + 31_337) % 100_000_000).padStart(8, '0')}`
  return dice < 0.2 ? `${digits.slice(0, 3)}-${digits.slice(3, 7)}-${digits.slice(7)}` : digits
}

function birthdayOf(chance: Chance): string {
  const year = 1965 + chance.below(42)
  return `${year}-${String(1 + chance.below(12)).padStart(2, '0')}-${String(1 + chance.below(28)).padStart(2, '0')}`
}

function consentsOf(chance: Chance, at: Date): IncomingPerson['consents'] {
  const dice = chance.next()
  if (dice < 0.58) return [{ channel: 'sms', state: 'granted', at }]
  return dice < 0.61 ? [{ channel: 'sms', state: 'withdrawn', at }] : []
}

function pick<T extends string>(chance: Chance, shares: readonly (readonly [T, number])[]): T {
  let left = chance.next()
  for (const [value, share] of shares) {
    left -= share
    if (left < 0) return value
  }
  return (shares[0] as readonly [T, number])[0]
}
