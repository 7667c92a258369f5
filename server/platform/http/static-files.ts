/** The built web applications. A path without a file goes to the page of its application, which routes by itself. */
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Problem } from '../problem.ts'
import { sendProblem, sendText } from './reply.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}
/** Vite puts a digest into the names below assets/. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const NOT_BUILT =
  '<!doctype html><meta charset="utf-8"><title>Liuliang</title><p>The pages are not built yet. Run: npm run web</p>'

/** Answers GET and HEAD from `folder`; whatever has a dot in its last step must exist. */
export async function serveStatic(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendProblem(response, new Problem('not_found', 'There is nothing here.'))
  }
  const path = pathOf(request)
  if (path === undefined)
    return sendProblem(response, new Problem('bad_input', 'The path is not well-formed.'))
  const file = join(folder, path)
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile())
    return sendFile(request, response, {
      file,
      size: found.size,
      etag: `"${found.size}-${found.mtimeMs}"`,
      lasting: path.includes(`assets${sep}`),
    })
  if (extname(path) !== '' && extname(path) !== '.html') {
    return sendProblem(response, new Problem('not_found', 'There is no such file.'))
  }
  await servePage(folder, path, response)
}

async function servePage(folder: string, path: string, response: ServerResponse): Promise<void> {
  const application = path.split(sep).find((step) => step !== '')
  for (const candidate of [application, '.', 'console']) {
    if (candidate === undefined) continue
    const page = await readFile(join(folder, candidate, 'index.html')).catch(() => undefined)
    if (!page) continue
    response.setHeader('cache-control', 'no-cache')
    return sendText(response, 200, 'text/html; charset=utf-8', page)
  }
  sendText(response, 503, 'text/html; charset=utf-8', NOT_BUILT)
}

type Sent = { file: string; size: number; etag: string; lasting: boolean }

async function sendFile(request: IncomingMessage, response: ServerResponse, sent: Sent): Promise<void> {
  response.setHeader('etag', sent.etag)
  response.setHeader('cache-control', sent.lasting ? FOR_EVER : 'no-cache')
  if (request.headers['if-none-match'] === sent.etag) {
    response.statusCode = 304
    response.end()
    return
  }
  response.setHeader('content-type', TYPES[extname(sent.file)] ?? 'application/octet-stream')
  response.setHeader('content-length', sent.size)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await pipeline(createReadStream(sent.file), response).catch(() => response.destroy())
}

function pathOf(request: IncomingMessage): string | undefined {
  try {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (path.includes('\0')) return undefined
    const clean = normalize(path)
    return clean.split(sep).includes('..') ? undefined : clean
  } catch {
    return undefined
  }
}
