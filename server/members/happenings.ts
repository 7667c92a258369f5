/**
 * The events of this capability. They tell what a profile said, so that a replay and an undo stay exact; merges are
 * events of their own. No personal data: no name, address, identifier, remark or year of birth; of the brand's own
 * attributes only numbers, yes/no and short codes without digits in a row.
 */
import type { EventType } from '../../contract/events.ts'
import type { NewEvent } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import { instant } from '../platform/time/clock.ts'
import { type Attributes, type AttributeValue, personalFields } from './attributes.ts'
import type { ResolveHow } from './incoming.ts'

export type Teller = { profileId: number; personId: number; at: Date; how: ResolveHow }

export function event(type: EventType, { profileId, personId, at, how }: Teller, data: object): NewEvent {
  return { id: newId(how.at), type, profileId, personId, at, data }
}

/** What a profile newly says: attributes, consents, identifiers (their kinds). */
export function profileEvents(
  teller: Teller,
  attributes: Attributes,
  news: { changed: readonly string[]; identifiers: readonly string[]; born: boolean },
): NewEvent[] {
  const changed: Record<string, unknown> = {}
  const events: NewEvent[] = []
  for (const field of news.changed) {
    const said = attributes[field]
    if (!said || field === 'ownerStaffId' || field === 'homeStoreId') continue
    if (field.startsWith('consent.')) {
      const when = { ...teller, at: instant(said[1]) }
      events.push(event('consent_changed', when, { channel: field.slice('consent.'.length), state: said[0] }))
    } else {
      const shown = shownValue(field, said[0])
      if (shown !== undefined) changed[shown.field] = shown.value
    }
  }
  if (news.born && news.identifiers.length > 0) changed['identifiers'] = news.identifiers
  if (Object.keys(changed).length > 0) events.unshift(event('attributes_changed', teller, { changed }))
  if (!news.born)
    for (const kind of news.identifiers) events.push(event('identifier_added', teller, { kind }))
  return events
}

/** A field as an event may carry it; undefined where it may not. */
export function shownValue(
  field: string,
  value: AttributeValue,
): { field: string; value: AttributeValue } | undefined {
  if (personalFields.has(field) || field.startsWith('result.')) return undefined
  if (field === 'birthday') return { field: 'birthDay', value: String(value).slice(5) }
  if (field === 'joinedAt') return { field, value: instant(Number(value)).toISOString() }
  if (!field.startsWith('custom.') || typeof value !== 'string') return { field, value }
  return /^[^\d@\n]{0,3}[\w.-]{0,12}$/.test(value) && !/\d{5}|@|[\u3400-\u9fff]/u.test(value)
    ? { field, value }
    : undefined
}
