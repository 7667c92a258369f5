/** JSON that jsonb takes: PostgreSQL has no U+0000 and no half of a surrogate pair. */

// Escapes of JSON.stringify: an even run of backslashes before it is text, so the escape itself is matched with its run.
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})/g

/** As JSON.stringify, without U+0000 and with U+FFFD for lone surrogates. */
export function jsonText(value: unknown): string {
  return storable(JSON.stringify(value))
}

/** The same for text that JSON.stringify has made. */
export function storable(json: string): string {
  if (!json.includes('\\u')) return json
  return json.replace(
    UNSTORABLE,
    (_, before: string, code: string) => before + (code === '0000' ? '' : '\uFFFD'),
  )
}
