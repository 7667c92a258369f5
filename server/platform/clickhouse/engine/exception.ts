/** ClickHouse's exceptions as its HTTP interface shows them. */

/** `message` is `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`. */
export class ClickHouseException extends Error {
  override name = 'ClickHouseException'
  readonly code: number

  constructor(text: string) {
    const message = /^Code: \d+\. /.test(text)
      ? text
      : `Code: 1002. DB::Exception: ${text} (UNKNOWN_EXCEPTION)`
    super(message.trimEnd())
    this.code = Number(/^Code: (\d+)\./.exec(message)?.[1] ?? 1002)
  }
}

/** An exception that the front itself raises. */
export function refusal(code: number, name: string, sentence: string): ClickHouseException {
  return new ClickHouseException(`Code: ${code}. DB::Exception: ${sentence} (${name})`)
}

/** What ClickHouse answers for an exception before anything of the result was sent (HTTPHandler.cpp). */
export function httpStatus(code: number): number {
  return statuses.get(code) ?? 500
}

const statuses = new Map<number, number>([
  ...[6, 7, 26, 27, 36, 38, 41, 43, 53, 62, 72, 130, 131, 376, 456, 457].map((code) => [code, 400] as const),
  ...[46, 47, 50, 56, 60, 63, 73, 81, 115].map((code) => [code, 404] as const),
  [48, 501],
  [159, 408],
  [164, 403],
  [192, 403],
  [193, 403],
  [194, 401],
  [202, 503],
  [209, 503],
  [307, 413],
  [381, 411],
  [516, 403],
])

/**
 * What is put into a result that has begun (ClickHouse ≥ 25.11): recognised by the tag that the headers named,
 * with the length of the message plus its newline before the closing tag.
 */
export function exceptionBlock(message: string, tag: string): Buffer {
  const text = `${message}\n`
  return Buffer.from(
    `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`,
  )
}
