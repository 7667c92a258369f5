/**
 * The doors over HTTP: `/v1/*` as Segment's SDKs speak, `/sa`, `/sa.gif` and `/debug` as those of 神策 do.
 *
 * Always true: 200 is answered only when everything that was taken is durable. What is refused is named by its place
 * and reason, and listed; a request of which nothing could be taken is answered 400. 429 and 503 mean: nothing was
 * written, send it again after Retry-After.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { type Disk, refuseWithoutRoom } from '../../platform/disk.ts'
import { readBytes } from '../../platform/http/body.ts'
import type { BaseCall } from '../../platform/http/call.ts'
import type { Doors } from '../../platform/http/doors.ts'
import { sendJson, sendText } from '../../platform/http/reply.ts'
import { Problem } from '../../platform/problem.ts'
import type { EventSource } from './event-source.ts'
import type { Notes } from './notes.ts'
import type { IntakePeople } from './ports.ts'
import { isObject } from './properties.ts'
import type { IntakeQueue } from './queue.ts'
import { type ReadHow, readSegment, type SegmentType, segmentTypes } from './segment.ts'
import { readSensors, unpackForm } from './sensors.ts'
import { allows, type SourceOf } from './sources.ts'
import { type Parsed, type RefusedRecord, waitingOf } from './told.ts'
import { logName } from './write.ts'

export type DoorParts = {
  queue: IntakeQueue
  notes: Notes
  sourceOf: SourceOf
  people: Pick<IntakePeople, 'index'>
  disk: Disk
}

/** The Segment specification: 500 KB a batch. The SDKs of 神策 send at most about 50 records. */
const MOST_BYTES = 500 * 1024
const MOST_SENSORS_BYTES = 2 * 1024 * 1024
const SHORT: Record<string, SegmentType | 'batch'> = {
  i: 'identify',
  t: 'track',
  p: 'page',
  s: 'screen',
  g: 'group',
  a: 'alias',
  b: 'batch',
  m: 'batch',
  batch: 'batch',
}
const SENSORS = new Set(['/sa', '/sa.gif', '/debug'])
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

export function openDoors(parts: DoorParts): Doors {
  let underWay = 0
  return {
    opens: (path) => path.startsWith('/v1/') || SENSORS.has(path),
    async handle(request, response, call, seen) {
      const url = new URL(request.url ?? '/', 'http://localhost')
      allowPages(request, response)
      if (request.method === 'OPTIONS') {
        seen.route = 'doors'
        response.writeHead(204, { 'access-control-max-age': '86400' })
        response.end()
        return
      }
      refuseWithoutRoom(parts.disk)
      const size = Number(request.headers['content-length'] ?? MOST_BYTES)
      parts.queue.refuseBeyond(underWay + size)
      underWay += size
      try {
        if (SENSORS.has(url.pathname)) await sensors(parts, { request, response, call, seen, url })
        else await segment(parts, { request, response, call, seen, url })
      } finally {
        underWay -= size
      }
    },
    async close() {
      await parts.queue.close()
      await parts.notes.close()
    },
  }
}

type Asked = {
  request: IncomingMessage
  response: ServerResponse
  call: BaseCall
  seen: { route: string }
  url: URL
}

async function segment(parts: DoorParts, { request, response, call, seen, url }: Asked): Promise<void> {
  const last = url.pathname.slice('/v1/'.length).replace(/\/$/, '')
  const type = SHORT[last] ?? segmentTypes.find((one) => one === last)
  if (type === undefined)
    throw new Problem(
      'not_found',
      `There is no /v1/${last.slice(0, 40)}: identify, track, page, screen, group, alias and batch are.`,
    )
  seen.route = `/v1/${type}`
  if (request.method !== 'POST') throw new Problem('bad_input', 'Events are sent by POST.')
  const body = parseJson(unpacked(request, await readBytes(request, MOST_BYTES), MOST_BYTES))
  if (!isObject(body)) throw new Problem('bad_input', 'The body must be one JSON object.')
  if (type === 'batch' && !Array.isArray(body['batch']))
    throw new Problem('bad_input', 'batch must be a list of messages.', { field: 'batch' })
  const source = await sourceFor(parts, { request, call }, keyOfSegment(request, body, url))
  const parsed = readSegment(body, type, howOf(parts, source, call))
  const size = Number(request.headers['content-length'] ?? MOST_BYTES)
  await take(parts, source, parsed, { at: call.now, size })
  answer(response, parsed)
}

function howOf({ people }: DoorParts, { code }: EventSource, { now }: BaseCall): ReadHow {
  return { source: code, receivedAt: now, index: people.index }
}

function answer(response: ServerResponse, { refused }: Parsed): void {
  sendJson(response, 200, { success: true, ...(refused.length > 0 && { refused }) })
}

async function sensors(parts: DoorParts, { request, response, call, seen, url }: Asked): Promise<void> {
  seen.route = url.pathname
  const post = request.method === 'POST'
  if (!post && request.method !== 'GET') throw new Problem('bad_input', 'Events are sent by POST or GET.')
  const bytes = post
    ? unpacked(request, await readBytes(request, MOST_SENSORS_BYTES), MOST_SENSORS_BYTES)
    : undefined
  const records = unpackForm(
    bytes === undefined ? url.searchParams : new URLSearchParams(bytes.toString('utf8')),
  )
  const source = await sourceFor(parts, { request, call }, url.searchParams.get('token') ?? undefined)
  const parsed = readSensors(records, howOf(parts, source, call))
  const tried = url.pathname === '/debug' && request.headers['dry-run'] === 'true'
  if (!tried) await take(parts, source, parsed, { at: call.now, size: bytes?.length ?? 0 })
  else refuseAll(parsed)
  if (url.pathname === '/sa.gif' && !post) sendText(response, 200, 'image/gif', PIXEL)
  else answer(response, parsed)
}

async function take(
  { queue, notes }: DoorParts,
  source: EventSource,
  { told, refused, flags }: Parsed,
  { at, size }: { at: Date; size: number },
): Promise<void> {
  const name = logName(source)
  notes.refused(name, refused, at)
  refuseAll({ told, refused })
  if (told.length === 0) return
  const durable = queue.offer({ source, told: told.map(waitingOf), receivedAt: at }, size)
  // Counted when it is taken, so that nothing but the text of an event has to wait.
  notes.saw(name, { told, flags }, at)
  await durable
}

/** Errors: `bad_input` where nothing of a request can be taken. */
function refuseAll({ told, refused }: Pick<Parsed, 'told' | 'refused'>): void {
  if (told.length > 0 || refused.length === 0) return
  const [first] = refused as [RefusedRecord, ...RefusedRecord[]]
  throw new Problem('bad_input', `Nothing of this could be taken. The first: ${words[first.reason]}`, {
    row: first.index,
    details: { refused: refused.slice(0, 100) },
  })
}

const words: Record<RefusedRecord['reason'], string> = {
  not_an_object: 'it is no JSON object.',
  unknown_type: 'its type is not known.',
  no_name: 'it has no name (event, or item_type and item_id).',
  nobody: 'it names nobody: neither a user id nor an anonymous id.',
  bad_time: 'its time cannot be read.',
  too_old: 'it happened more than five years ago.',
  in_the_future: 'its time is more than ten minutes ahead of ours.',
  too_large: 'it is larger than 32 KB.',
}

async function sourceFor(
  { sourceOf }: DoorParts,
  { request, call }: Pick<Asked, 'request' | 'call'>,
  writeKey: string | undefined,
): Promise<EventSource> {
  const source =
    writeKey === undefined || writeKey === '' ? undefined : await sourceOf(writeKey, call.address)
  if (!source)
    throw new Problem(
      'not_signed_in',
      'This write key is not known. The console lists them under event sources.',
    )
  if (source.state === 'closed') throw new Problem('not_allowed', 'This source is closed.')
  if (!allows(source, request.headers.origin))
    throw new Problem('not_allowed', 'Pages of this site may not send with this write key.')
  return source
}

/** The user name of Basic authentication, `writeKey` in the body, or in the address. */
function keyOfSegment(request: IncomingMessage, body: Record<string, unknown>, url: URL): string | undefined {
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (basic !== undefined) return Buffer.from(basic, 'base64').toString('utf8').split(':', 1)[0]
  const own = body['writeKey']
  return typeof own === 'string' ? own : (url.searchParams.get('writeKey') ?? undefined)
}

/** By content-encoding, whatever the type says: some clients send packed bodies under a wrong one. Errors: `bad_input`, `too_large`. */
function unpacked(request: IncomingMessage, bytes: Buffer, maxOutputLength: number): Buffer {
  const how = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  try {
    if (how === 'gzip' || how === 'x-gzip') return gunzipSync(bytes, { maxOutputLength })
    if (how === 'deflate') return inflateSync(bytes, { maxOutputLength })
    if (how === 'br') return brotliDecompressSync(bytes, { maxOutputLength })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Problem('too_large', `Unpacked, the body is larger than ${maxOutputLength} bytes.`)
    throw new Problem('bad_input', `The body is not ${how}, as content-encoding says.`)
  }
  if (how === 'identity' || how === '') return bytes
  throw new Problem(
    'bad_input',
    `content-encoding ${how.slice(0, 20)} is not understood: gzip, deflate and br are.`,
  )
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Problem('bad_input', 'The body is not well-formed JSON.')
  }
}

/** Any page may ask; whether it may send is decided by the source of its key. No cookie is ever read here. */
function allowPages({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('cross-origin-resource-policy', 'cross-origin')
  response.setHeader('cache-control', 'no-store')
  if (headers.origin === undefined) return
  response.setHeader('access-control-allow-origin', headers.origin)
  response.setHeader('vary', 'origin')
  response.setHeader('access-control-allow-methods', 'POST, GET, OPTIONS')
  response.setHeader(
    'access-control-allow-headers',
    headers['access-control-request-headers'] ?? 'content-type, authorization',
  )
  response.setHeader('access-control-allow-credentials', 'true')
}
