/** Whether the answers of a range of persons are what is stored: asked of every person, so nothing is made for one. */
import type { Database } from '../../platform/postgres/database.ts'
import type { Answer } from '../rule/compile.ts'
import {
  type AutoColumns,
  type MembershipColumns,
  type StateColumns,
  selectAutoColumns,
  selectMembershipColumns,
  selectStateColumns,
} from './store-columns.ts'

export class Stored {
  readonly #membership: MembershipColumns
  readonly #states: StateColumns
  readonly #auto: AutoColumns
  #row = 0
  #state = 0
  #tag = 0
  #claim = 0
  #value = 0

  constructor(membership: MembershipColumns, states: StateColumns, auto: AutoColumns) {
    this.#membership = membership
    this.#states = states
    this.#auto = auto
  }

  /** Moment of change and all included. */
  says(personId: number, answer: Answer): boolean {
    const { persons, nextAt } = this.#membership
    const row = this.#rowOf(personId)
    this.#state = placeOf(this.#states.persons, this.#state, personId)
    // Always all of them: the places move on with the persons.
    const tagged = this.#saysTags(personId, answer)
    return (
      persons[row] === personId &&
      nextAt[row] === answer.next &&
      this.#saysSegments(row, answer.segments) &&
      this.#states.persons[this.#state] === personId &&
      this.#states.says(this.#state, answer.state) &&
      tagged
    )
  }

  /** Whether the stored moment of change has come: then time has changed whatever is different. */
  isLate(personId: number, now: number): boolean {
    const row = this.#rowOf(personId)
    return this.#membership.persons[row] === personId && (this.#membership.nextAt[row] ?? 0) <= now
  }

  #rowOf(personId: number): number {
    this.#row = placeOf(this.#membership.persons, this.#row, personId)
    return this.#row
  }

  #saysSegments(row: number, answer: readonly number[]): boolean {
    const { starts, segments } = this.#membership
    const start = starts[row] ?? 0
    if ((starts[row + 1] ?? 0) - start !== answer.length) return false
    for (let place = 0; place < answer.length; place += 1) {
      if (segments[start + place] !== answer[place]) return false
    }
    return true
  }

  #saysTags(personId: number, { autoTags, autoValues, sValues }: Answer): boolean {
    const { tags, claims, values } = this.#auto
    this.#tag = placeOf(tags, this.#tag, personId, 2)
    this.#claim = placeOf(claims, this.#claim, personId, 3)
    this.#value = placeOf(values, this.#value, personId, 3)
    const said = new Set<number>()
    for (let at = this.#tag; tags[at] === personId; at += 2) said.add(tags[at + 1] ?? 0)
    return (
      said.size === autoTags.length &&
      autoTags.every((tag) => said.has(tag)) &&
      saysGroups(claims, this.#claim, personId, autoValues.size, (group) => autoValues.get(group)) &&
      saysGroups(values, this.#value, personId, sValues.size, (group) => sValues.get(group)?.tag)
    )
  }
}

function saysGroups(
  rows: Int32Array,
  from: number,
  personId: number,
  size: number,
  tagOf: (group: number) => number | undefined,
): boolean {
  let count = 0
  for (let at = from; rows[at] === personId; at += 3) {
    if (tagOf(rows[at + 1] ?? 0) !== rows[at + 2]) return false
    count += 1
  }
  return count === size
}

/** The first place, of rows of `width`, from which on nobody stands before the person. Mostly the next one; anywhere if need be. */
function placeOf(persons: Int32Array, from: number, personId: number, width = 1): number {
  let at = from > 0 && (persons[from - width] ?? 0) >= personId ? 0 : from
  while (at < persons.length && (persons[at] ?? 0) < personId) at += width
  return at
}

export async function readStored(db: Database, range: { from: number; before: number }): Promise<Stored> {
  const [membership, states, auto] = await Promise.all([
    selectMembershipColumns(db, range),
    selectStateColumns(db, range),
    selectAutoColumns(db, range),
  ])
  return new Stored(membership, states, auto)
}
