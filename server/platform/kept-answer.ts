/** An answer that costs much and is the same for whoever asks within a short time: made once for all of them. */

/**
 * A keeper of the last answer. `ask` gives it to whoever asks the same, named by `of`, while it is being made and for
 * `keptMs` after the moment it is of; else it makes a new one. A fault is told to all who wait and is not kept.
 */
export function keepAnswer<Answer>(
  keptMs: number,
): (of: string, now: Date, make: () => Promise<Answer>) => Promise<Answer> {
  let last: { of: string; at: number; making: boolean; answer: Promise<Answer> } | undefined
  return (of, now, make) => {
    const at = now.getTime()
    // A time that was taken back ends it as well.
    if (last?.of === of && (last.making || Math.abs(at - last.at) < keptMs)) return last.answer
    const mine = { of, at, making: true, answer: make() }
    last = mine
    mine.answer.then(
      () => {
        mine.making = false
      },
      () => {
        if (last === mine) last = undefined
      },
    )
    return mine.answer
  }
}
