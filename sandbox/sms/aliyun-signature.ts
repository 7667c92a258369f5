/** Signature of Aliyun's RPC calls (version 1.0): HMAC-SHA1 over the sorted, percent-encoded parameters. */
import { createHmac } from 'node:crypto'

export function signatureOf(
  method: 'POST' | 'GET',
  params: Readonly<Record<string, string>>,
  secret: string,
): string {
  const query = Object.keys(params)
    .filter((name) => name !== 'Signature')
    .sort()
    .map((name) => `${encoded(name)}=${encoded(params[name] ?? '')}`)
    .join('&')
  return createHmac('sha1', `${secret}&`)
    .update(`${method}&${encoded('/')}&${encoded(query)}`)
    .digest('base64')
}

/** RFC 3986: also ! ' ( ) * are written out. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
