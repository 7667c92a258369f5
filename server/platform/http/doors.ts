import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BaseCall } from './call.ts'

/** Routes of their own outside of /api: they know who asks by themselves. */
export type Doors = {
  opens(path: string): boolean
  /** Answers a request; tells `seen` its route, for metrics. Errors: `Problem`. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    call: BaseCall,
    seen: { route: string },
  ): Promise<void>
  /** Ends what is under way; called when the last request has been answered. */
  close(): Promise<void>
}
