/** Every refusal the program can give, by code; the console translates the code, HTTP gets the status. */
export const problemStatus = {
  bad_input: 400,
  bad_row: 400,
  not_signed_in: 401,
  wrong_credentials: 401,
  must_change_password: 403,
  not_allowed: 403,
  csrf: 403,
  not_found: 404,
  conflict: 409,
  stale_version: 409,
  in_use: 409,
  idempotency_mismatch: 409,
  already_running: 409,
  gone: 410,
  too_large: 413,
  unsupported_file: 415,
  rule_invalid: 422,
  rule_cycle: 422,
  s_level_broken: 422,
  needs_reason: 422,
  not_ready: 422,
  too_many: 429,
  internal: 500,
  unavailable: 503,
  clock_behind: 503,
  disk_full: 507,
} as const

export type ProblemCode = keyof typeof problemStatus

/** The one error shape: code for programs, message in English for logs, field or row where one is at fault. */
export type ProblemBody = {
  code: ProblemCode
  message: string
  field?: string | undefined
  row?: number | undefined
  details?: Record<string, unknown> | undefined
}
