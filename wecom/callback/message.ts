/** The XML of callbacks: flat, apart from lists. Numbers stay text, ids exceed 2^53. */
import { createHash } from 'node:crypto'
import { SaxesParser } from 'saxes'

export class NotCallbackXml extends Error {
  override name = 'NotCallbackXml'
}

/** Elements below the root by name; of repeated ones the texts joined by a comma. */
export type CallbackMessage = Readonly<Record<string, string>>

const MAX_XML = 200_000
const MAX_DEPTH = 4

/** Errors: `NotCallbackXml`. Entities other than the five of XML, and any doctype, are refused. */
export function parseMessage(xml: string): CallbackMessage {
  if (xml.length > MAX_XML) throw new NotCallbackXml('too long')
  const found = new Map<string, string>()
  const path: string[] = []
  let text = ''
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw new NotCallbackXml(error.message)
  })
  parser.on('doctype', () => {
    throw new NotCallbackXml('a doctype is not allowed')
  })
  parser.on('opentag', ({ name }) => {
    path.push(name)
    if (path.length > MAX_DEPTH) throw new NotCallbackXml('too deep')
    text = ''
  })
  parser.on('text', (part) => {
    text += part
  })
  parser.on('cdata', (part) => {
    text += part
  })
  parser.on('closetag', ({ name }) => {
    path.pop()
    if (path.length >= 1 && text.trim() !== '') {
      const before = found.get(name)
      found.set(name, before === undefined ? text : `${before},${text}`)
    }
    text = ''
  })
  parser.write(xml).close()
  return Object.fromEntries(found)
}

/**
 * By which a repeat of the same callback is recognised. Not sender and second alone, as the documentation proposes:
 * two customers who add the same member of staff in one second differ only in their external id.
 */
export function messageKey(message: string): string {
  return createHash('sha256').update(message).digest('hex')
}
