/**
 * The configuration file that chDB is opened with.
 * Always true: no port of its own, everything in UTC, memory bounded, backups only into the folder named here.
 */

import { totalmem } from 'node:os'
import { constrainedMemory } from 'node:process'

const MiB = 1024 * 1024
const GiB = 1024 * MiB
const MOST_MEMORY = 4 * GiB
const SHARE_OF_MACHINE = 0.3
const LEAST_MEMORY = 512 * MiB

/** The smaller of 4 GiB and 30 % of what the machine (or the container) has, in bytes, at least 512 MiB. */
export function defaultMemoryBytes(
  machine = Math.min(totalmem(), constrainedMemory() || totalmem()),
): number {
  return Math.max(LEAST_MEMORY, Math.floor(Math.min(MOST_MEMORY, machine * SHARE_OF_MACHINE)))
}

export type EngineFolders = { store: string; temporary: string; backup: string }

/** The XML text of the file. `memoryBytes` bounds all queries together. */
export function configFile(folders: EngineFolders, memoryBytes: number): string {
  const values = {
    max_server_memory_usage: memoryBytes,
    mark_cache_size: 64 * MiB,
    index_mark_cache_size: 8 * MiB,
    index_uncompressed_cache_size: 0,
    uncompressed_cache_size: 0,
    mmap_cache_size: 64,
    compiled_expression_cache_size: 16 * MiB,
    background_pool_size: 2,
    background_schedule_pool_size: 8,
    tables_loader_background_pool_size: 2,
    max_thread_pool_free_size: 8,
    timezone: 'UTC',
    tmp_path: `${folders.temporary}/`,
  }
  const lines = Object.entries(values).map(
    ([name, value]) => `  <${name}>${escaped(String(value))}</${name}>`,
  )
  lines.push(`  <backups><allowed_path>${escaped(folders.backup)}</allowed_path></backups>`)
  return `<clickhouse>\n${lines.join('\n')}\n</clickhouse>\n`
}

/** What every session starts with: large groupings and sorts go to disk before memory ends. */
export function sessionArguments(memoryBytes: number, configPath: string): string[] {
  const spill = Math.floor(memoryBytes / 4)
  return [
    `--config-file=${configPath}`,
    `--max_bytes_before_external_group_by=${spill}`,
    `--max_bytes_before_external_sort=${spill}`,
    '--implicit_select=0',
    // Parameters arrive in a SET statement, whose size this bounds too.
    `--max_query_size=${64 * MiB}`,
  ]
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
