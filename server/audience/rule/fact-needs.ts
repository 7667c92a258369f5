/** What of a person's history the rules look at, so that nothing else is read and nobody else is touched. */
import type { EventType } from '../../../contract/events.ts'
import { nodesOf, occurrencesOf, type Rule } from '../../../contract/rule.ts'
import { readsLines } from '../../../contract/rule-cost.ts'
import { loggedAs } from '../../../contract/rule-events.ts'
import type { EventFilter } from '../../../contract/rule-parts.ts'

export type FactNeeds = {
  /** Lines of orders. */
  readonly lines: boolean
  /** Each type once, with the details (names, pages …) that are asked for; undefined for all. */
  readonly events: ReadonlyMap<EventType, readonly string[] | undefined>
  /** Properties that are asked for, ascending. */
  readonly texts: readonly string[]
  readonly numbers: readonly string[]
}

/** Of all rules together. A rule that refers to a segment or a tag does not include what theirs look at. */
export function factNeedsOf(rules: readonly Rule[]): FactNeeds {
  const gathered = new Gathered()
  for (const rule of rules) for (const { rule: node } of nodesOf(rule)) gathered.addLeaf(node)
  return gathered.needs()
}

class Gathered {
  #lines = false
  readonly #events = new Map<EventType, Set<string> | undefined>()
  readonly #texts = new Set<string>()
  readonly #numbers = new Set<string>()

  addLeaf(leaf: Rule): void {
    this.#lines ||= readsLines(leaf)
    for (const what of occurrencesOf(leaf)) if (what.of === 'event') this.#addEvent(what.filter)
    if (leaf.kind === 'events' && 'property' in leaf.measure) {
      this.#numbers.add(leaf.measure.property)
      if (leaf.measure.of === 'distinct') this.#texts.add(leaf.measure.property)
    }
    if (leaf.kind === 'coupon') {
      this.#events.set('coupon_changed', undefined)
      this.#texts.add('kind')
      this.#numbers.add('expiresAt')
    }
  }

  #addEvent({ event, names, properties = [] }: EventFilter): void {
    const { type, state } = loggedAs(event)
    const details = state === undefined ? names : [state]
    const known = this.#events.get(type)
    if (details === undefined || (this.#events.has(type) && known === undefined)) {
      this.#events.set(type, undefined)
    } else this.#events.set(type, new Set([...(known ?? []), ...details]))
    for (const { property, op } of properties) {
      if (op !== 'compare') this.#texts.add(property)
      if (op !== 'contains') this.#numbers.add(property)
    }
  }

  needs(): FactNeeds {
    return {
      lines: this.#lines,
      events: new Map([...this.#events].map(([type, details]) => [type, details && [...details].sort()])),
      texts: [...this.#texts].sort(),
      numbers: [...this.#numbers].sort(),
    }
  }
}
