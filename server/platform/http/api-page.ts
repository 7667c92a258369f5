import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { Problem } from '../problem.ts'
import { sendProblem, sendText } from './reply.ts'

const FOLDER = new URL('./api-page/', import.meta.url)
const FILES: Record<string, { file: string; type: string }> = {
  '/docs/api': { file: 'page.html', type: 'text/html; charset=utf-8' },
  '/docs/api/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/docs/api/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
}

/** The page that shows /openapi.json: every route, who may call it, its input and its reply. */
export async function serveApiPage(path: string, response: ServerResponse): Promise<void> {
  const found = FILES[path === '/docs/api/' ? '/docs/api' : path]
  if (!found) return sendProblem(response, new Problem('not_found', 'There is no such page.'))
  response.setHeader('cache-control', 'no-cache')
  sendText(response, 200, found.type, await readFile(new URL(found.file, FOLDER)))
}
