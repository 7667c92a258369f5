/** A statement whose values are always parameters: text with $1, $2, … and the values in order. */
export type Sql = {
  readonly kind: 'sql'
  readonly text: string
  readonly values: readonly unknown[]
  /** Prepared under this name once a connection. */
  readonly name?: string
}

/**
 * Template tag: `sql\`select id from person where id = any(${ids}::int[])\``.
 * A nested Sql is spliced in with its parameters renumbered; anything else becomes a parameter.
 */
export function sql(strings: TemplateStringsArray, ...parts: unknown[]): Sql {
  let text = strings[0] ?? ''
  const values: unknown[] = []
  parts.forEach((part, index) => {
    if (isSql(part)) {
      text += renumber(part.text, values.length)
      values.push(...part.values)
    } else {
      values.push(part)
      text += `$${values.length}`
    }
    text += strings[index + 1] ?? ''
  })
  return { kind: 'sql', text, values }
}

/** Text that the code itself wrote (a table or column name from a closed set), never from outside. */
export function trusted(text: string): Sql {
  return { kind: 'sql', text, values: [] }
}

/**
 * The statement, prepared once a connection: for those of short transactions that come often, of which reading and
 * planning is a good part. `name` stands for one text for ever, and its plan must be good for any values.
 */
export function prepared(name: string, { text, values }: Sql): Sql {
  return { kind: 'sql', name, text, values }
}

/** Several fragments with a separator between them; empty for none. */
export function join(parts: readonly Sql[], separator: string): Sql {
  let text = ''
  const values: unknown[] = []
  parts.forEach((part, index) => {
    text += (index === 0 ? '' : separator) + renumber(part.text, values.length)
    values.push(...part.values)
  })
  return { kind: 'sql', text, values }
}

function isSql(part: unknown): part is Sql {
  return typeof part === 'object' && part !== null && (part as { kind?: unknown }).kind === 'sql'
}

function renumber(text: string, by: number): string {
  return by === 0 ? text : text.replace(/\$(\d+)/g, (_, digits: string) => `$${Number(digits) + by}`)
}
