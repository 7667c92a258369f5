import { problemFromBody } from '../../../../contract/base.ts'
import { ImportPreview } from '../../../../contract/import.ts'
import type { ImportKind } from '../../../../contract/import-fields.ts'
import { writeHeaders } from '../../../client.ts'

export type UploadProgress = { sent: number; total: number; bytesPerSecond: number; secondsLeft: number }
export type Upload = { preview: Promise<ImportPreview>; stop: () => void }

/**
 * Sends the file as it is, as the body: it is streamed from the disk and never held whole.
 * Errors: the program's problem as an `ORPCError`, `stopped` where the person stopped it, else the network.
 */
export function uploadFile(
  file: File,
  kind: ImportKind | undefined,
  onProgress: (progress: UploadProgress) => void,
): Upload {
  const request = new XMLHttpRequest()
  const query = new URLSearchParams({ name: file.name, ...(kind ? { kind } : {}) })
  const preview = new Promise<ImportPreview>((resolve, reject) => {
    const started = performance.now()
    request.upload.onprogress = ({ loaded, total }) => {
      const bytesPerSecond = loaded / Math.max((performance.now() - started) / 1000, 0.001)
      onProgress({ sent: loaded, total, bytesPerSecond, secondsLeft: (total - loaded) / bytesPerSecond })
    }
    request.onload = () => {
      try {
        const body: unknown = JSON.parse(request.responseText)
        if (request.status < 300) resolve(ImportPreview.parse(body))
        else reject(problemFromBody(body) ?? new Error(`HTTP ${request.status}`))
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    request.onerror = () => reject(new Error('the connection broke'))
    request.onabort = () => reject(new UploadStopped())
  })
  request.open('POST', `/api/imports?${query}`)
  for (const [name, value] of Object.entries(writeHeaders())) request.setRequestHeader(name, value)
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.send(file)
  return { preview, stop: () => request.abort() }
}

export class UploadStopped extends Error {}
