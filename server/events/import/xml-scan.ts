/**
 * A scanner for the two large parts of a workbook (rows and shared strings), five times as fast as a general parser.
 * It relies on what every writer of these parts does: no '>' inside attribute values. Small parts go through saxes.
 */

export type ScanHandler = {
  /** `tag` is what stands between the angle brackets; ask `attribute()` for a value. */
  open(name: string, tag: string): void
  close(name: string): void
  text(text: string): void
}

const MAX_HELD = 16 * 1024 * 1024

export class XmlScanner {
  readonly #handler: ScanHandler
  #held = ''

  constructor(handler: ScanHandler) {
    this.#handler = handler
  }

  /** Scans as far as whole tags go. RangeError where a tag or comment never ends. */
  write(piece: string): void {
    const text = this.#held === '' ? piece : this.#held + piece
    let at = 0
    for (;;) {
      const open = text.indexOf('<', at)
      if (open === -1) break
      const end = this.#end(text, open)
      if (end === -1) break
      if (open > at) this.#handler.text(decode(text.slice(at, open)))
      this.#tag(text, open, end)
      at = end + 1
    }
    this.#held = at === 0 ? text : text.slice(at)
    if (this.#held.length > MAX_HELD) throw new RangeError('a tag that never ends')
  }

  /** RangeError where the part ends in the middle of a tag. */
  end(): void {
    if (this.#held.includes('<')) throw new RangeError('the part is cut off')
  }

  #end(text: string, open: number): number {
    if (text.charCodeAt(open + 1) !== 33) return text.indexOf('>', open)
    if (text.length < open + 9) return -1
    const [begin, close] = text.startsWith('<![CDATA[', open) ? [9, ']]>'] : [4, '-->']
    const found = text.indexOf(close, open + begin)
    return found === -1 ? -1 : found + 2
  }

  #tag(text: string, open: number, end: number): void {
    const first = text.charCodeAt(open + 1)
    if (first === 33) {
      if (text.startsWith('<![CDATA[', open)) this.#handler.text(text.slice(open + 9, end - 2))
      return
    }
    if (first === 63) return
    if (first === 47) {
      this.#handler.close(nameOf(text, open + 2, end))
      return
    }
    const empty = text.charCodeAt(end - 1) === 47
    const tag = text.slice(open + 1, empty ? end - 1 : end)
    const name = nameOf(tag, 0, tag.length)
    this.#handler.open(name, tag)
    if (empty) this.#handler.close(name)
  }
}

/** The value of an attribute without prefix, undefined where the tag has none. */
export function attribute(tag: string, name: string): string | undefined {
  let at = tag.indexOf(name)
  while (at !== -1) {
    const before = tag.charCodeAt(at - 1)
    const quote = tag.charCodeAt(at + name.length + 1)
    if (before <= 32 && tag.charCodeAt(at + name.length) === 61 && (quote === 34 || quote === 39)) {
      const from = at + name.length + 2
      return tag.slice(from, tag.indexOf(quote === 34 ? '"' : "'", from))
    }
    at = tag.indexOf(name, at + 1)
  }
  return undefined
}

function nameOf(text: string, from: number, end: number): string {
  let start = from
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 58) start = at + 1
    else if (code <= 32) return text.slice(start, at)
  }
  return text.slice(start, end)
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/giu, (whole, name: string) => {
    if (!name.startsWith('#')) return NAMED[name] ?? whole
    const code =
      name[1] === 'x' || name[1] === 'X' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
  })
}
