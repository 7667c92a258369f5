import { type ProblemBody, type ProblemCode, problemStatus } from '../../contract/problem.ts'

/** A refusal with a code from the contract. Anything else that is thrown is a bug. */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly field: string | undefined
  readonly row: number | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(
    code: ProblemCode,
    message: string,
    more: { field?: string; row?: number; details?: Record<string, unknown> } = {},
  ) {
    super(message)
    this.code = code
    this.field = more.field
    this.row = more.row
    this.details = more.details
  }

  get status(): number {
    return problemStatus[this.code]
  }

  get body(): ProblemBody {
    return { code: this.code, message: this.message, field: this.field, row: this.row, details: this.details }
  }
}

/** For the end of a switch over a closed set: a forgotten case does not compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
