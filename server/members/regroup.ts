/**
 * From the persons as they stand to the persons as they ought to be: which part and which merge. Pure.
 *
 * Always true: afterwards person = smallest profile id of its set. A part first becomes a person of its own, named by
 * its smallest profile, and may then be absorbed by another; so every step is one that `merge` rows can tell and undo.
 */

export type Placed = { readonly id: number; readonly personId: number; readonly fresh: boolean }
export type Split = { readonly from: number; readonly restored: number; readonly profiles: number[] }
export type Merge = {
  readonly kept: number
  readonly absorbed: number
  readonly profiles: number[]
  readonly heir: boolean
}
export type Regrouping = { readonly splits: Split[]; readonly merges: Merge[]; readonly moved: number[] }

/**
 * `profiles` with the person each has now (`fresh` ones were never in any), and the person each ought to have.
 * A person whose own profile is gone goes on under the smallest that is left (`heir`).
 */
export function regroup(profiles: readonly Placed[], personOf: ReadonlyMap<number, number>): Regrouping {
  const wanted = ({ id }: Placed): number => personOf.get(id) ?? id
  const splits: Split[] = []
  const merges: Merge[] = []
  const byPerson = Map.groupBy(
    profiles.filter(({ fresh }) => !fresh),
    ({ personId }) => personId,
  )
  for (const [person, members] of [...byPerson].sort(([a], [b]) => a - b)) {
    const parts = [...Map.groupBy(members, wanted).entries()].sort(([a], [b]) => a - b)
    const staying = parts.find(([, part]) => part.some(({ id }) => id === person)) ?? parts[0]
    for (const part of parts) {
      const [target, list] = part
      const ids = list.map(({ id }) => id).sort((a, b) => a - b)
      const own = part === staying ? person : (ids[0] ?? person)
      if (part !== staying) splits.push({ from: person, restored: own, profiles: ids })
      if (own !== target)
        merges.push({ kept: target, absorbed: own, profiles: ids, heir: !ids.includes(own) })
    }
  }
  return { splits, merges, moved: profiles.filter((one) => wanted(one) !== one.personId).map(({ id }) => id) }
}
