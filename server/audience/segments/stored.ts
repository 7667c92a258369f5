/** Whether the answers of a range of persons are what is stored: asked of every person, so nothing is made for one. */
import type { Database } from '../../platform/postgres/database.ts'
import type { Answers } from '../rule/compile.ts'
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
  #ids = new Int32Array(64)

  constructor(membership: MembershipColumns, states: StateColumns, auto: AutoColumns) {
    this.#membership = membership
    this.#states = states
    this.#auto = auto
  }

  /** Whether everything stands as it was answered, moment of change and all, of the person at that place. */
  says(personId: number, answers: Answers, place: number): boolean {
    const { persons, nextAt } = this.#membership
    const row = this.#rowOf(personId)
    this.#state = placeOf(this.#states.persons, this.#state, personId)
    const { next, state } = answers.of(place)
    // Always all of them: the places move on with the persons.
    const tagged = this.#saysTags(personId, answers, place)
    return (
      persons[row] === personId &&
      nextAt[row] === next &&
      this.#saysSegments(row, answers, place) &&
      this.#states.persons[this.#state] === personId &&
      this.#states.says(this.#state, state) &&
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

  #saysSegments(row: number, answers: Answers, place: number): boolean {
    const { starts, segments } = this.#membership
    const start = starts[row] ?? 0
    const ids = this.#room(answers)
    const count = answers.segmentsOf(place, ids)
    if ((starts[row + 1] ?? 0) - start !== count) return false
    for (let at = 0; at < count; at += 1) if (segments[start + at] !== ids[at]) return false
    return true
  }

  #saysTags(personId: number, answers: Answers, place: number): boolean {
    const { tags, claims, values } = this.#auto
    this.#tag = placeOf(tags, this.#tag, personId, 2)
    this.#claim = placeOf(claims, this.#claim, personId, 3)
    this.#value = placeOf(values, this.#value, personId, 3)
    const { autoValues, sValues } = answers.of(place)
    return (
      this.#saysAutoTags(personId, answers, place) &&
      saysGroups(claims, this.#claim, personId, autoValues.size, (group) => autoValues.get(group)) &&
      saysGroups(values, this.#value, personId, sValues.size, (group) => sValues.get(group)?.tag)
    )
  }

  /** The rows are of profiles: two of one person may bear the same tag. */
  #saysAutoTags(personId: number, answers: Answers, place: number): boolean {
    const { tags } = this.#auto
    const ids = this.#room(answers)
    const count = answers.autoTagsOf(place, ids)
    if (tags[this.#tag] !== personId) return count === 0
    const said = new Set<number>()
    for (let at = this.#tag; tags[at] === personId; at += 2) said.add(tags[at + 1] ?? 0)
    return said.size === count && ids.subarray(0, count).every((tag) => said.has(tag))
  }

  /** For as many ids as anybody can have. */
  #room({ most }: Answers): Int32Array {
    if (this.#ids.length < most) this.#ids = new Int32Array(most)
    return this.#ids
  }
}

/** The segments that are stored for a range, to compare some of them. */
export class StoredSegments {
  readonly #membership: MembershipColumns
  #row = 0
  #ids = new Int32Array(64)

  constructor(membership: MembershipColumns) {
    this.#membership = membership
  }

  /**
   * Whether the person at that place is in the same of the `concerned` segments, and would not be woken too late; else in
   * which of them he is, ascending, and until when. `late`: his moment of change has come.
   */
  compare(
    personId: number,
    answers: Answers,
    place: number,
    { concerned, now }: { concerned: ReadonlySet<number>; now: number },
  ): 'unknown' | 'late' | 'same' | { segments: number[]; next: number } {
    const { persons, starts, segments, nextAt } = this.#membership
    this.#row = placeOf(persons, this.#row, personId)
    if (persons[this.#row] !== personId) return 'unknown'
    const wakes = nextAt[this.#row] ?? 0
    if (wakes <= now) return 'late'
    if (this.#ids.length < answers.most) this.#ids = new Int32Array(answers.most)
    const count = answers.segmentsOf(place, this.#ids)
    const { next } = answers.of(place)
    const end = starts[this.#row + 1] ?? 0
    let at = starts[this.#row] ?? 0
    let same = next >= wakes
    // Both ascend.
    for (let index = 0; same && index < count; index += 1) {
      const id = this.#ids[index] ?? 0
      if (!concerned.has(id)) continue
      while (at < end && !concerned.has(segments[at] ?? 0)) at += 1
      same = at < end && segments[at] === id
      at += 1
    }
    while (same && at < end) {
      same = !concerned.has(segments[at] ?? 0)
      at += 1
    }
    if (same) return 'same'
    return { segments: [...this.#ids.subarray(0, count)].filter((id) => concerned.has(id)), next }
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
