/**
 * The Segment protocol: identify, track, page, screen, group and alias, single or in a batch. Pure.
 * Source: the published specification of the HTTP tracking API and of the common fields of its messages. The time of a
 * message is corrected by the clock of the device: received − (sent − original), as that specification has it.
 */
import type { RefusedReason } from '../../../contract/intake.ts'
import type { BlindIndex } from '../../platform/crypto/blind-index.ts'
import { idOf, newId } from '../../platform/ids.ts'
import { flatten, idText, isObject, LONGEST_EVENT, labelOf } from './properties.ts'
import { type Flag, type Parsed, refusedTime, type Spoken, type Told } from './told.ts'
import { instantOf, readTraits, timeOf } from './traits.ts'

export const segmentTypes = ['identify', 'track', 'page', 'screen', 'group', 'alias'] as const
export type SegmentType = (typeof segmentTypes)[number]

export type ReadHow = {
  /** Names the source of the messages: ids are unique within it. */
  source: string
  receivedAt: Date
  index: BlindIndex
}

/** Reads a body of `/v1/<type>`, or of `/v1/batch` where `type` is 'batch'. Never throws: what is wrong is refused by its place. */
export function readSegment(
  body: Record<string, unknown>,
  type: SegmentType | 'batch',
  how: ReadHow,
): Parsed {
  const parsed: Parsed = { told: [], refused: [], flags: [] }
  const sentAt = timeOf(body['sentAt'])
  const messages = type === 'batch' ? listOf(body['batch']) : [{ ...body, type }]
  for (const [place, message] of messages.entries()) {
    const read = isObject(message) ? readMessage(message, { ...how, sentAt }, parsed.flags) : 'not_an_object'
    if (typeof read === 'string')
      parsed.refused.push({ index: place, reason: read, name: nameOf(message, how) })
    else parsed.told.push(...read)
  }
  return parsed
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function nameOf(message: unknown, { index }: ReadHow): string | null {
  return (isObject(message) && labelOf(message['event'], index)) || null
}

function readMessage(
  message: Record<string, unknown>,
  how: ReadHow & { sentAt: Date | undefined },
  flags: Flag[],
): Told[] | RefusedReason {
  const type = message['type']
  const at = timeOfMessage(message, how)
  if (at === undefined) return 'bad_time'
  const late = refusedTime(at, how.receivedAt)
  if (late) return late
  const who = speakers(message)
  if (who.length === 0) return 'nobody'
  const common = { id: idOfMessage(message, how), at, who }
  const flagged = (event: string, found: readonly Flag['flag'][]): void => {
    for (const flag of found) flags.push({ event, property: '', flag })
  }
  switch (type) {
    case 'track': {
      const name = labelOf(message['event'], how.index)
      if (name === undefined) return 'no_name'
      const { properties, found, flags: own, size } = flatten(withContext(message), how.index)
      if (size > LONGEST_EVENT) return 'too_large'
      flagged(name, own)
      return [{ ...common, kind: 'tracked', name, properties, who: [...who, ...found] }]
    }
    case 'page':
    case 'screen': {
      const { properties, found, flags: own, size } = flatten(withContext(message), how.index)
      if (size > LONGEST_EVENT) return 'too_large'
      const page = pageName(message, properties, how)
      flagged(page, own)
      return [{ ...common, kind: 'page', page, properties, who: [...who, ...found] }]
    }
    case 'identify': {
      const traits = readTraits(isObject(message['traits']) ? message['traits'] : {}, how.index)
      if (traits.size > LONGEST_EVENT) return 'too_large'
      flagged('identify', traits.flags)
      return [person(common, traits)]
    }
    case 'group': {
      const group = { groupId: message['groupId'], ...(isObject(message['traits']) ? message['traits'] : {}) }
      const { properties, found, flags: own, size } = flatten(group, how.index)
      if (size > LONGEST_EVENT) return 'too_large'
      flagged('$group', own)
      return [{ ...common, kind: 'tracked', name: '$group', properties, who: [...who, ...found] }]
    }
    case 'alias': {
      const before = idText(message['previousId'])
      const devices: Spoken[] = before === undefined ? [] : [{ kind: 'device', value: before }]
      return [person({ ...common, who: [...who, ...devices] }, { set: {}, custom: {}, identifiers: [] })]
    }
    default:
      return 'unknown_type'
  }
}

function person(
  common: { id: string; at: Date; who: readonly Spoken[] },
  { set, custom, identifiers }: Pick<ReturnType<typeof readTraits>, 'set' | 'custom' | 'identifiers'>,
): Told {
  return {
    ...common,
    kind: 'person',
    who: [...common.who, ...identifiers],
    set,
    custom,
    once: {},
    add: {},
    append: {},
    unset: [],
  }
}

/** The same message has the same id, sent again or in another batch; one without an id is never the same as another. */
function idOfMessage(message: Record<string, unknown>, { source, receivedAt }: ReadHow): string {
  const id = message['messageId']
  return typeof id === 'string' && id !== '' ? idOf('segment', source, id) : newId(receivedAt)
}

function speakers(message: Record<string, unknown>): Spoken[] {
  const who: Spoken[] = []
  const user = idText(message['userId'])
  const anonymous = idText(message['anonymousId'])
  if (user !== undefined) who.push({ kind: 'user', value: user })
  if (anonymous !== undefined) who.push({ kind: 'device', value: anonymous })
  return who
}

function timeOfMessage(
  message: Record<string, unknown>,
  how: ReadHow & { sentAt: Date | undefined },
): Date | undefined {
  const given = message['originalTimestamp'] ?? message['timestamp']
  if (given === undefined || given === null) return how.receivedAt
  const original = timeOf(given)
  if (original === undefined) return undefined
  const sent = timeOf(message['sentAt']) ?? how.sentAt
  return sent ? instantOf(how.receivedAt.getTime() - (sent.getTime() - original.getTime())) : original
}

/** What of the context tells something about the event. Addresses, user agents and traits of the person stay out. */
function withContext(message: Record<string, unknown>): Record<string, unknown> {
  const own = isObject(message['properties']) ? message['properties'] : {}
  const context = message['context']
  if (!isObject(context)) return own
  const kept: Record<string, unknown> = {}
  for (const name of ['page', 'campaign', 'app', 'os', 'locale', 'timezone']) {
    if (context[name] !== undefined) kept[name] = context[name]
  }
  const device = context['device']
  if (isObject(device) && device['type'] !== undefined) kept['device'] = { type: device['type'] }
  return Object.keys(kept).length === 0 ? own : { ...own, context: kept }
}

function pageName(
  message: Record<string, unknown>,
  properties: Record<string, unknown>,
  { index }: ReadHow,
): string {
  for (const value of [
    message['name'],
    properties['path'],
    properties['context.page.path'],
    properties['url'],
  ]) {
    const text = labelOf(value, index)
    if (text !== undefined) return text
  }
  return '/'
}
