/**
 * Reads as much of a ClickHouse statement as the front must know: the first word, a closing FORMAT clause, where
 * inline data begins, and whether a second statement follows. It skips strings, quoted names and comments as
 * ClickHouse's lexer does; it never changes a statement.
 */

export type Scanned = {
  /** In lower case: 'select', 'insert', 'kill' …, '' for none. */
  first: string
  /** The name after the closing FORMAT of a reading statement, or of `insert … format X`. */
  format: string | undefined
  /** For `insert … format X` and `insert … values`: where the data begins in the text. */
  dataAt: number | undefined
  /** Something other than comments follows a semicolon. */
  several: boolean
  intoOutfile: boolean
}

type Token = { text: string; at: number; end: number; depth: number }

export function scan(sql: string): Scanned {
  const seen: Scanned = {
    first: '',
    format: undefined,
    dataAt: undefined,
    several: false,
    intoOutfile: false,
  }
  let previous: Token | undefined
  let ended = false
  let awaitsData = false
  for (const token of tokens(sql)) {
    if (ended) {
      seen.several = true
      break
    }
    const word = token.text.toLowerCase()
    if (seen.first === '' && /^[a-z]/.test(word)) {
      seen.first = word
      awaitsData = word === 'insert'
    }
    if (token.text === ';') {
      ended = true
      continue
    }
    const before = previous?.depth === 0 ? previous.text.toLowerCase() : undefined
    if (awaitsData && token.depth === 0) {
      if (word === 'select' || word === 'with') awaitsData = false
      if (word === 'values' && before !== 'into' && before !== 'table') {
        seen.format = 'Values'
        seen.dataAt = token.end
        awaitsData = false
      }
      if (before === 'format') return { ...seen, format: token.text, dataAt: endOfName(sql, token.end) }
    } else if (token.depth === 0 && seen.dataAt === undefined) {
      if (before === 'format' && /^[a-z]\w*$/i.test(token.text)) seen.format = token.text
      else if (seen.format !== undefined && before === seen.format.toLowerCase() && word !== 'settings') {
        seen.format = undefined
      }
    }
    if (before === 'into' && word === 'outfile') seen.intoOutfile = true
    previous = token
  }
  return seen
}

/** ClickHouse skips spaces and one newline between the name of a format and its data. */
function endOfName(sql: string, end: number): number {
  return end + (/^[ \t]*;?[ \t]*\r?\n?/.exec(sql.slice(end))?.[0].length ?? 0)
}

const QUOTES = new Set(["'", '"', '`'])

function* tokens(sql: string): Generator<Token> {
  let at = 0
  let depth = 0
  while (at < sql.length) {
    const skipped = skipBlank(sql, at)
    if (skipped > at) {
      at = skipped
      continue
    }
    const end = endOfToken(sql, at)
    const text = sql.slice(at, end)
    if (text === ')') depth -= 1
    yield { text, at, end, depth }
    if (text === '(') depth += 1
    at = end
  }
}

function endOfToken(sql: string, at: number): number {
  const char = sql.charAt(at)
  if (QUOTES.has(char)) return endOfQuoted(sql, at, char)
  const heredoc = /^\$\w*\$/.exec(sql.slice(at, at + 64))?.[0]
  if (heredoc !== undefined) {
    const close = sql.indexOf(heredoc, at + heredoc.length)
    if (close !== -1) return close + heredoc.length
  }
  const word = /[\w.]+/y
  word.lastIndex = at
  return word.test(sql) ? word.lastIndex : at + 1
}

function endOfQuoted(sql: string, start: number, quote: string): number {
  let at = start + 1
  while (at < sql.length) {
    const char = sql.charAt(at)
    if (char === '\\') at += 2
    else if (char !== quote) at += 1
    else if (sql.charAt(at + 1) === quote) at += 2
    else return at + 1
  }
  return sql.length
}

/** Past one run of white space or one comment; `at` itself where neither begins. */
function skipBlank(sql: string, at: number): number {
  const space = /\s+/y
  space.lastIndex = at
  if (space.test(sql)) return space.lastIndex
  if (sql.startsWith('--', at) || sql.startsWith('#!', at) || sql.startsWith('# ', at)) {
    const end = sql.indexOf('\n', at)
    return end === -1 ? sql.length : end + 1
  }
  if (!sql.startsWith('/*', at)) return at
  const end = sql.indexOf('*/', at + 2)
  return end === -1 ? sql.length : end + 2
}
