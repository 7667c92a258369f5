/** Exports over HTTP. */
import { once } from 'node:events'
import { implement } from '@orpc/server'
import { z } from 'zod'
import { exportFile, exportsContract } from '../../../contract/exports.ts'
import type { Call } from '../../org/org.ts'
import type { Streamed } from '../../platform/http/api.ts'
import { Problem } from '../../platform/problem.ts'
import { askForExport, cancelExport, type ExportParts, fetchExport, listExports, showExport } from './run.ts'

export function exportRoutes(parts: ExportParts) {
  const api = implement(exportsContract).$context<Call>()
  return api.router({
    list: api.list.handler(async ({ context: { viewer } }) => ({ items: await listExports(parts, viewer) })),
    get: api.get.handler(({ input, context: { viewer } }) => showExport(parts, input.id, viewer)),
    create: api.create.handler(({ input, context }) => askForExport(parts, input, context)),
    cancel: api.cancel.handler(({ input, context }) => cancelExport(parts, input.id, context)),
  })
}

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const

export function exportStreams(parts: ExportParts): readonly Streamed<Call>[] {
  return [
    {
      route: exportFile,
      async handle({ params, response, call }) {
        const id = z.uuid().safeParse(params['id'])
        if (!id.success) throw new Problem('not_found', 'There is no such export.')
        const { name, format, bytes, pieces } = await fetchExport(parts, id.data, call)
        const first = await pieces.next()
        response.writeHead(200, {
          'content-type': TYPES[format],
          'content-length': bytes,
          'content-disposition': `attachment; filename="members.${format}"; filename*=UTF-8''${fileName(name)}`,
          'cache-control': 'no-store',
        })
        if (!first.done) response.write(first.value)
        for await (const piece of pieces) {
          if (response.destroyed) return undefined
          if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
        }
        response.end()
        return undefined
      },
    },
  ]
}

/** As RFC 5987 writes it: also for a name with quotes or stars. */
function fileName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
