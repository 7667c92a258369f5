/** Those who are evaluated together: each is seated, each condition is asked about all of them, and rules are decided. */
import { type Group, groupOf, type HistoryTable, type Person } from '../facts/history-table.ts'
import { stateOf } from '../lifecycle/person-state.ts'
import { AT_ONCE, type Bench, type Said, type Sitting } from './bench.ts'
import { NO_VALUES } from './claimed.ts'
import type { Definitions } from './definitions.ts'
import type { Node, Program } from './program.ts'
import type { Tree } from './tree.ts'

const NEVER = Number.POSITIVE_INFINITY

/** What a condition said, and in which evaluation. */
type Asked = Said & { turn: number }

export class Sitters implements Sitting {
  readonly benches: Bench[] = []
  readonly holds: Uint8Array[]
  group: Group
  now = 0
  persons = 0
  turn = 0
  readonly #definitions: Definitions
  readonly #how: { states: boolean; timed: boolean }
  readonly #program: Program
  readonly #said: Asked[]
  readonly #trees: readonly Tree[]
  /** For so many persons there is room. */
  #room = 0

  /** `states`: whether they are found at all; `timed`: whether they count for the moment of change. */
  constructor(definitions: Definitions, program: Program, how: { states: boolean; timed: boolean }) {
    this.#definitions = definitions
    this.#how = how
    this.#program = program
    this.group = groupOf([])
    this.holds = program.nodes.map(() => new Uint8Array(0))
    this.#said = program.conditions.map(() => roomFor(0))
    this.#trees = program.nodes.map(({ tree }) => tree((place, person) => this.#ask(place, person)))
  }

  /** Errors: a RangeError for more than AT_ONCE persons. */
  evaluate(group: Group, now: number): void {
    const { persons, purchases } = group
    if (persons.length > AT_ONCE) throw new RangeError(`at most ${AT_ONCE} persons together`)
    this.group = group
    this.now = now
    this.persons = persons.length
    this.turn += 1
    this.#makeRoom()
    const today = this.#program.days.of(now)
    const amounts = purchases.number('amount')
    for (const [place, facts] of persons.entries()) {
      const bench = this.benches[place] ?? this.#program.another(this)
      this.#seat(bench, facts, today, amounts)
    }
    for (const [place, node] of this.#program.nodes.entries()) this.#decide(node, place)
  }

  #makeRoom(): void {
    if (this.#room >= this.persons) return
    this.#room = this.persons === 1 ? 1 : AT_ONCE
    for (const place of this.holds.keys()) this.holds[place] = new Uint8Array(this.#room)
    for (const place of this.#said.keys()) this.#said[place] = roomFor(this.#room)
  }

  #seat(bench: Bench, facts: Person, today: number, amounts: Float64Array): void {
    const { now } = this
    const { purchases, events } = this.group
    const from = purchases.starts[bench.place] ?? 0
    const after = until(purchases, bench.place, now)
    bench.facts = facts
    bench.now = now
    bench.today = today
    let changes = NEVER
    if (this.#how.states) {
      const { days } = this.#program
      const { bands, cuts } = this.#definitions
      const bought = { at: purchases.at, amounts, from, count: after - from }
      const { state, next } = stateOf(facts, bought, now, { days, bands, cuts })
      bench.state = state
      if (this.#how.timed) changes = next
    }
    bench.own = Math.min(
      changes,
      firstAt(purchases, bench.place, after),
      firstAt(events, bench.place, until(events, bench.place, now)),
    )
    bench.next = bench.own
    bench.autoValues = NO_VALUES
    bench.sValues = this.#program.claimed(facts)
  }

  /** Conditions are asked about everybody, but count only for whom the rule looks at them. */
  #decide({ tag, asks, single }: Node, place: number): void {
    for (const condition of asks) this.#askAll(condition)
    const holds = this.holds[place] as Uint8Array
    if (single) this.#copy(this.#said[asks[0] ?? 0] as Asked, holds)
    else {
      const tree = this.#trees[place] as Tree
      for (let person = 0; person < this.persons; person += 1) holds[person] = tree(person) ? 1 : 0
    }
    if (tag?.level !== 's') return
    for (let person = 0; person < this.persons; person += 1)
      if (holds[person] === 1) this.#program.give(this.benches[person] as Bench, tag)
  }

  #askAll(place: number): void {
    const said = this.#said[place] as Asked
    if (said.turn === this.turn) return
    said.turn = this.turn
    this.#program.conditions[place]?.(this, said)
  }

  #copy({ verdicts, next }: Asked, holds: Uint8Array): void {
    const { benches, persons } = this
    for (let person = 0; person < persons; person += 1) {
      holds[person] = verdicts[person] ?? 0
      const until = next[person] ?? NEVER
      if (until !== NEVER) count(benches[person] as Bench, until)
    }
  }

  #ask(place: number, person: number): boolean {
    const { verdicts, next } = this.#said[place] as Asked
    count(this.benches[person] as Bench, next[person] ?? NEVER)
    return verdicts[person] === 1
  }
}

function count(bench: Bench, next: number): void {
  if (next < bench.next) bench.next = next
}

function roomFor(persons: number): Asked {
  return { verdicts: new Uint8Array(persons), next: new Float64Array(persons), values: undefined, turn: 0 }
}

/** The first of a person's rows that lies after now, or where they end. */
function until({ starts, at }: HistoryTable, place: number, now: number): number {
  const from = starts[place] ?? 0
  let row = starts[place + 1] ?? 0
  while (row > from && (at[row - 1] ?? 0) > now) row -= 1
  return row
}

/** When that row of the person happens; never where he has none any more. */
function firstAt({ starts, at }: HistoryTable, place: number, row: number): number {
  return row < (starts[place + 1] ?? 0) ? (at[row] ?? NEVER) : NEVER
}
