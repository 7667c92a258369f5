/** The typed client of every page: one contract, cookies for the session, CSRF and Idempotency-Key on what writes. */
import { createORPCClient, ORPCError } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { createTanstackQueryUtils } from '@orpc/tanstack-query'
import {
  CSRF_COOKIE,
  CSRF_HEADER,
  IDEMPOTENCY_HEADER,
  type ProblemData,
  problemFromBody,
} from '../contract/base.ts'
import { contract } from '../contract/contract.ts'
import type { ProblemCode } from '../contract/problem.ts'

const link = new OpenAPILink(contract, {
  url: () => `${window.location.origin}/api`,
  headers: writeHeaders,
  fetch: (request, init) => globalThis.fetch(request, { ...init, credentials: 'same-origin' }),
  customErrorResponseBodyDecoder: (body) => problemFromBody(body) ?? null,
})

export const client: ContractRouterClient<typeof contract> = createORPCClient(link)
/** Query and mutation options for TanStack Query: `api.members.card.queryOptions({ input })`. */
export const api = createTanstackQueryUtils(client)

/** What every request that writes carries beside the session. */
export function writeHeaders(): Record<string, string> {
  return { [CSRF_HEADER]: cookie(CSRF_COOKIE), [IDEMPOTENCY_HEADER]: crypto.randomUUID() }
}

export type Fault = {
  code: ProblemCode | 'network'
  message: string
  data: ProblemData | undefined
  reference: string | undefined
}

/** Whatever a call threw, as a problem that the page can say. */
export function faultOf(error: unknown): Fault {
  if (error instanceof ORPCError) {
    return {
      code: error.code as ProblemCode,
      message: error.message,
      data: error.data as ProblemData | undefined,
      reference: undefined,
    }
  }
  return {
    code: 'network',
    message: error instanceof Error ? error.message : String(error),
    data: undefined,
    reference: undefined,
  }
}

function cookie(name: string): string {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${name}=`))
  return found ? decodeURIComponent(found.slice(name.length + 1)) : ''
}
