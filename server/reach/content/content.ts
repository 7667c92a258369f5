/**
 * Content: what is said. Its versions are kept; a touch names the one it used.
 * A WeCom mass message says the same to everybody: content that names a member's values is marked `perMember`
 * and becomes a task for the guide, who copies it.
 */
import type { Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import type { Content } from './shape.ts'
import * as store from './store.ts'
import { faultOf, memberVariables } from './template.ts'

/** What must be said of a content; the rest has defaults. `version`: the one that was seen, checked where it is given. */
export type ContentDraft = Pick<Content, 'id' | 'name' | 'channel' | 'body'> &
  Partial<Pick<Content, 'kind' | 'attachments' | 'sms' | 'demo'>> & { by?: string | null; version?: number }

export type ContentFault = { field: string; problem: string }
export type ContentCheck = {
  faults: ContentFault[]
  memberVariables: string[]
  /** It cannot be a mass message: a guide will copy it. */
  perMember: boolean
  /** It can be sent by a simulated channel only. */
  needsApproval: boolean
}

const MAX_TEXT_BYTES = 4000
const MAX_ATTACHMENTS = 9
const MAX_URL_BYTES = 2048
/** Room for the marker that each hand-over adds to its link. */
const MARKER_BYTES = 32

/** The static check before anything goes live: what the channel would refuse, and whether it can be mass sent. */
export function checkContent(
  content: Pick<Content, 'channel' | 'body' | 'attachments' | 'sms'>,
): ContentCheck {
  const faults: ContentFault[] = []
  const templates = [content.body, ...Object.values(content.sms?.params ?? {})]
  for (const [index, template] of templates.entries()) {
    const fault = faultOf(template)
    if (fault) faults.push({ field: index === 0 ? 'body' : 'sms.params', problem: fault })
  }
  if (bytes(content.body) > MAX_TEXT_BYTES)
    faults.push({ field: 'body', problem: `more than ${MAX_TEXT_BYTES} bytes` })
  if (content.attachments.length > MAX_ATTACHMENTS)
    faults.push({ field: 'attachments', problem: `more than ${MAX_ATTACHMENTS}` })
  for (const link of content.attachments) {
    if (!/^https?:\/\//.test(link.url))
      faults.push({ field: 'attachments', problem: 'the link has no address' })
    if (bytes(link.url) > MAX_URL_BYTES - MARKER_BYTES)
      faults.push({ field: 'attachments', problem: 'the address is too long' })
  }
  const variables = faults.some((one) => one.field === 'body') ? [] : memberVariables([content.body])
  return {
    faults,
    memberVariables: variables,
    perMember: content.channel === 'wecom' && variables.length > 0,
    needsApproval: content.channel === 'sms' && content.sms === null,
  }
}

/**
 * Writes a content, or its next version; equal content writes nothing.
 * Errors: `bad_input` with the field at fault, `stale_version` where another version stands than the one given.
 */
export async function saveContent(
  tx: Tx,
  draft: ContentDraft,
  now: Date,
): Promise<{ version: number; perMember: boolean }> {
  const { by = null, version, ...given } = draft
  const content: Content = { kind: 'service', attachments: [], sms: null, demo: false, ...given }
  const { faults, perMember } = checkContent(content)
  const fault = faults[0]
  if (fault) throw new Problem('bad_input', `content: ${fault.problem}`, { field: fault.field })
  const theirs = await store.lockContent(tx, content.id)
  if (version !== undefined && version !== (theirs?.version ?? 0))
    throw new Problem('stale_version', 'the content was changed meanwhile', {
      details: { yours: content, theirs },
    })
  if (theirs && theirs.channel !== content.channel)
    throw new Problem('conflict', 'a content keeps its channel', { field: 'channel' })
  const written = await store.writeContent(tx, content, { by, now, perMember })
  return { version: written, perMember }
}

function bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
