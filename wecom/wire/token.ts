import type { WireAnswer } from './base.ts'

/** GET /cgi-bin/gettoken?corpid=…&corpsecret=… */
export type TokenAnswer = WireAnswer & { access_token?: string; expires_in?: number }
