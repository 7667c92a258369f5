/** Output formats as chDB streams them: pieces that may simply follow each other, or one whole document. */

/**
 * Formats of which every chunk of chDB is complete in itself and may be appended, with the number of lines of names
 * that each chunk repeats. Any other format (JSON, Parquet, Pretty …) would come out as several documents.
 */
const appendable = new Map<string, number>([
  ['TabSeparated', 0],
  ['TSV', 0],
  ['TabSeparatedRaw', 0],
  ['TSVRaw', 0],
  ['Raw', 0],
  ['TabSeparatedWithNames', 1],
  ['TSVWithNames', 1],
  ['TabSeparatedWithNamesAndTypes', 2],
  ['TSVWithNamesAndTypes', 2],
  ['CSV', 0],
  ['CSVWithNames', 1],
  ['CSVWithNamesAndTypes', 2],
  ['JSONEachRow', 0],
  ['JSONLines', 0],
  ['NDJSON', 0],
  ['JSONStringsEachRow', 0],
  ['JSONCompactEachRow', 0],
  ['JSONCompactStringsEachRow', 0],
  ['JSONCompactEachRowWithNames', 1],
  ['JSONCompactEachRowWithNamesAndTypes', 2],
  ['JSONCompactStringsEachRowWithNames', 1],
  ['JSONCompactStringsEachRowWithNamesAndTypes', 2],
  ['RowBinary', 0],
  ['Native', 0],
  ['TSKV', 0],
  ['LineAsString', 0],
  ['Null', 0],
])

const byName = new Map([...appendable].map(([name, lines]) => [name.toLowerCase(), lines]))

/** How many lines of names each chunk begins with; undefined for a format that is one document. */
export function repeatedLines(format: string): number | undefined {
  return byName.get(format.toLowerCase())
}

export function contentType(format: string): string {
  if (/^(json.*eachrow|jsonlines|ndjson)/i.test(format)) return 'application/x-ndjson; charset=UTF-8'
  if (/^json/i.test(format)) return 'application/json; charset=UTF-8'
  if (/^csv/i.test(format)) return 'text/csv; charset=UTF-8'
  if (/^(tabseparated|tsv|raw)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8'
  if (/^(native|rowbinary|parquet|arrow|orc|avro|msgpack)/i.test(format)) return 'application/octet-stream'
  return 'text/plain; charset=UTF-8'
}
