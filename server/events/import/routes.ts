import { once } from 'node:events'
import { implement } from '@orpc/server'
import { z } from 'zod'
import { importContract, importRejects, importUpload } from '../../../contract/import.ts'
import { ImportKind, importFields } from '../../../contract/import-fields.ts'
import { audit, type Call } from '../../org/org.ts'
import type { Streamed } from '../../platform/http/api.ts'
import { Problem } from '../../platform/problem.ts'
import {
  cancelImport,
  firstRejected,
  listImports,
  mapColumns,
  rejectedText,
  show,
  startCheck,
  startImport,
  startUndo,
} from './import.ts'
import { listMappings, removeMapping, renameMapping } from './mappings.ts'
import { preview, receiveUpload } from './upload.ts'
import type { ImportParts } from './work.ts'

/** The routes of imports that carry JSON. */
export function importRoutes(parts: ImportParts) {
  const { db } = parts
  const api = implement(importContract).$context<Call>()
  const noted = async (context: Call, action: string, id: string): Promise<void> =>
    audit(db, context, { action, objectKind: 'import', objectId: id })
  return api.router({
    list: api.list.handler(({ input }) => listImports(db, input)),
    get: api.get.handler(({ input }) => show(parts, input.id)),
    preview: api.preview.handler(({ input: { id, kind, ...tried } }) => preview(parts, id, kind, tried)),
    fields: api.fields.handler(({ input }) =>
      importFields[input.kind].map(({ key, zh, en, value }) => ({ key, zh, en, value })),
    ),
    map: api.map.handler(({ input, context }) =>
      mapColumns(parts, { ...input, by: context.viewer.staffId, now: context.now }),
    ),
    check: api.check.handler(({ input, context }) => startCheck(parts, input.id, context.now)),
    start: api.start.handler(async ({ input, context }) => {
      const run = await startImport(parts, input.id, context.now)
      await noted(context, 'import.started', input.id)
      return run
    }),
    cancel: api.cancel.handler(({ input }) => cancelImport(parts, input.id)),
    undo: api.undo.handler(async ({ input, context }) => {
      const run = await startUndo(parts, input.id, context.now)
      await noted(context, 'import.undone', input.id)
      return run
    }),
    rejected: api.rejected.handler(({ input }) => firstRejected(parts, input.id, input.limit)),
    mappings: api.mappings.handler(({ input }) => listMappings(db, input.kind)),
    renameMapping: api.renameMapping.handler(({ input }) => renameMapping(db, input)),
    removeMapping: api.removeMapping.handler(async ({ input }) => {
      await removeMapping(db, input.id)
      return { done: true as const }
    }),
  })
}

const Upload = z.object({ name: z.string().trim().min(1).max(200), kind: ImportKind.optional() })

/** The routes of imports that carry files. */
export function importStreams(parts: ImportParts): readonly Streamed<Call>[] {
  return [
    {
      route: importUpload,
      async handle({ query, body, call }) {
        const given = Upload.safeParse({ name: query.get('name'), kind: query.get('kind') ?? undefined })
        if (!given.success) throw new Problem('bad_input', 'Name the file: ?name=….csv', { field: 'name' })
        return receiveUpload(parts, { ...given.data, body, by: call.viewer.staffId, now: call.now })
      },
    },
    {
      route: importRejects,
      async handle({ params, response, call }) {
        const id = z.uuid().safeParse(params['id'])
        if (!id.success) throw new Problem('not_found', 'This import does not exist.')
        const text = rejectedText(parts, id.data)
        const first = await text.next()
        await audit(parts.db, call, {
          action: 'import.rejects_downloaded',
          objectKind: 'import',
          objectId: id.data,
        })
        response.writeHead(200, {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="rejected-${id.data}.csv"`,
          'cache-control': 'no-store',
        })
        if (!first.done) response.write(first.value)
        for await (const part of text) if (!response.write(part)) await once(response, 'drain')
        response.end()
        return undefined
      },
    },
  ]
}
