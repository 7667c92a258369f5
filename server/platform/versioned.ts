import { Problem } from './problem.ts'

/**
 * Why an `update … where id = … and version = …` touched no row: `not_found` where the object is gone, else
 * `stale_version` whose details show both, `{ yours, theirs }`.
 */
export function lostWrite(what: string, yours: unknown, theirs: unknown): Problem {
  if (theirs === undefined) return new Problem('not_found', `This ${what} does not exist.`)
  return new Problem('stale_version', `This ${what} was changed by someone else meanwhile.`, {
    details: { yours, theirs },
  })
}
