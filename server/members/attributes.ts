/**
 * What is known of a profile, field by field, each with its time: a map in which the later word wins.
 *
 * Always true: merging is commutative, associative and idempotent (of equal times the greater value wins), so imports in
 * any order end with the same attributes, and leaving one origin's words out gives what would have been without it.
 */

/** Text, number, yes/no. Times of joining are ms since 1970. */
export type AttributeValue = string | number | boolean
/** [value, at in ms since 1970]. */
export type Said = readonly [value: AttributeValue, at: number]
export type Attributes = Readonly<Record<string, Said>>

/** Fields whose values are personal: they never leave PostgreSQL, and no event carries them. */
export const personalFields: ReadonlySet<string> = new Set(['name', 'nickname', 'address'])

export type Merged = { readonly attributes: Attributes; readonly changed: readonly string[] }

/**
 * `known` with `news` in it. A word that only repeats what is known counts when it carries a time of its own
 * (`timed`): the source confirmed it then. An import that does not say when finds nothing new in what it repeats.
 */
export function mergeAttributes(known: Attributes, news: Attributes, timed = true): Merged {
  let result: Record<string, Said> | undefined
  const changed: string[] = []
  for (const [field, said] of Object.entries(news)) {
    const before = known[field]
    if (before !== undefined && !wins(said, before, timed)) continue
    result ??= { ...known }
    result[field] = said
    if (before?.[0] !== said[0]) changed.push(field)
  }
  return { attributes: result ?? known, changed }
}

/** The fold of what several origins said. */
export function foldLayers(layers: readonly Attributes[]): Attributes {
  return layers.reduce((known, news) => mergeAttributes(known, news).attributes, {})
}

function wins(said: Said, before: Said, timed: boolean): boolean {
  if (said[0] === before[0] && !timed) return false
  if (said[1] !== before[1]) return said[1] > before[1]
  return said[0] !== before[0] && rank(said[0]) > rank(before[0])
}

function rank(value: AttributeValue): string {
  return `${typeof value}${value}`
}

/** Of several profiles' words for one field the latest; of equal times the greater value. */
export function latest(profiles: readonly { attributes: Attributes }[], field: string): Said | undefined {
  let best: Said | undefined
  for (const { attributes } of profiles) {
    const said = attributes[field]
    if (said !== undefined && (best === undefined || wins(said, best, true))) best = said
  }
  return best
}
