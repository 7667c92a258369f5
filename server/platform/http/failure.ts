import { ORPCError, ValidationError } from '@orpc/server'
import type { ProblemData } from '../../../contract/base.ts'
import { type ProblemBody, problemStatus } from '../../../contract/problem.ts'
import { isClickHouseAway } from '../clickhouse/clickhouse.ts'
import { isDiskFull } from '../data-directory.ts'
import type { Log } from '../logging/log.ts'
import { isPostgresAway } from '../postgres/database.ts'
import { Problem } from '../problem.ts'

/** An embedded database is back sooner than this after a crash. */
const RETRY_AFTER_SECONDS = 2

/** Any thrown thing as the one error shape; what is no `Problem` is a bug, logged in full and told to nobody. */
export function problemOf(error: unknown, log: Log, requestId: string): Problem {
  if (error instanceof Problem) return error
  if (error instanceof ORPCError) return problemOfOrpc(error, log, requestId)
  if (isDiskFull(error))
    return new Problem('disk_full', 'The disk is full. Nothing was changed: make room, then try again.')
  if (isPostgresAway(error) || isClickHouseAway(error)) {
    log.warn({ event: 'http.store_away', requestId, err: error })
    return new Problem(
      'unavailable',
      'A database was away for a moment: look whether the change is there, then try again.',
      { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
    )
  }
  log.error({ event: 'http.failed', requestId, err: error })
  return new Problem('internal', 'Something went wrong here. The request id finds it in the log.', {
    details: { requestId },
  })
}

/** For the handler of the contract library, which sends errors of its own kind. */
export function orpcErrorOf(problem: Problem): ORPCError<string, ProblemData> {
  return new ORPCError(problem.code, {
    status: problem.status,
    message: problem.message,
    data: problem.body as ProblemData,
  })
}

/** What goes over the wire. */
export function bodyOf(error: ORPCError<string, unknown>): ProblemBody {
  if (Object.hasOwn(problemStatus, error.code)) {
    return new Problem(error.code as ProblemBody['code'], error.message, pick(error.data)).body
  }
  return new Problem('internal', 'Something went wrong here.').body
}

function problemOfOrpc(error: ORPCError<string, unknown>, log: Log, requestId: string): Problem {
  if (Object.hasOwn(problemStatus, error.code)) {
    return new Problem(error.code as ProblemBody['code'], error.message, pick(error.data))
  }
  if (error.code === 'BAD_REQUEST') return problemOfInput(error)
  if (error.code === 'NOT_FOUND') return new Problem('not_found', 'There is no such route.')
  if (error.code === 'METHOD_NOT_SUPPORTED') return new Problem('bad_input', 'This route has another method.')
  if (error.cause instanceof ValidationError) {
    // The paths say which field a handler got wrong; the values may be personal and stay out.
    const fields = error.cause.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`)
    log.error({ event: 'http.reply_breaks_contract', requestId, fields })
  } else {
    log.error({ event: 'http.failed', requestId, err: error.cause ?? error })
  }
  return new Problem('internal', 'Something went wrong here. The request id finds it in the log.', {
    details: { requestId },
  })
}

function problemOfInput(error: ORPCError<string, unknown>): Problem {
  if (!(error.cause instanceof ValidationError))
    return new Problem('bad_input', 'The request could not be read.')
  const issues = error.cause.issues
    .slice(0, 20)
    .map((issue) => ({ field: pathOf(issue), message: issue.message }))
  const first = issues[0]
  return new Problem(
    'bad_input',
    first ? `${first.field || 'input'}: ${first.message}` : 'The input is not valid.',
    {
      ...(first?.field ? { field: first.field } : {}),
      details: { issues },
    },
  )
}

function pathOf(issue: { path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined }): string {
  return (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
}

function pick(data: unknown): { field?: string; row?: number; details?: Record<string, unknown> } {
  const { field, row, details } = (data ?? {}) as ProblemBody
  return {
    ...(field === undefined ? {} : { field }),
    ...(row === undefined ? {} : { row }),
    ...(details === undefined ? {} : { details }),
  }
}
