import type { ServerResponse } from 'node:http'
import type { Problem } from '../problem.ts'

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json; charset=utf-8', JSON.stringify(body))
}

export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string | Buffer,
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusCode = status
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

/** The one error shape. A connection whose reply has begun is broken off: half a reply must not look whole. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  setRetryAfter(response, problem)
  // What is left of a refused upload is not read; the connection cannot be used again.
  if (problem.code === 'too_large' && !response.headersSent) response.setHeader('connection', 'close')
  sendJson(response, problem.status, problem.body)
}

export function setRetryAfter(response: ServerResponse, problem: Problem): void {
  const seconds = problem.details?.['retryAfterSeconds']
  if (typeof seconds === 'number' && !response.headersSent) response.setHeader('retry-after', String(seconds))
}
